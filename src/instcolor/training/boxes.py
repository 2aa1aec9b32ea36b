"""Objects of training photos from annotation files of any size: what is odd in them is left out and counted."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..coco import COCO_NAMES
from ..errors import BoxesError
from ..objects import read_boxes
from ..objects.coco_file import CocoFile

CLASS_OF_NAME = {name: index for index, name in enumerate(COCO_NAMES)}
NONE: NDArray[np.float32] = np.zeros((0, 6), np.float32)
MAX_ASPECT_ERROR = 0.05


class Annotated(NamedTuple):
    """The objects of one photo in pixels of `size`."""

    size: tuple[int, int] | None  # width, height; None = the photo's own
    rows: NDArray[np.float32]  # (k, 6) x0, y0, x1, y1, score, class (index into COCO_NAMES; -1 = another)


class Annotations:
    """An annotation file: COCO's, or any that `instcolor.read_boxes` reads."""

    def __init__(self, path: Path) -> None:
        """Raises BoxesError where the file cannot be read or is of another kind."""
        self.left_out: Counter[str] = Counter()
        self._by_name: dict[str, Annotated] = {}
        try:
            data = json.loads(path.read_bytes())
        except OSError as error:
            raise BoxesError(f"{path}: cannot be read ({error.strerror or error})") from None
        except (ValueError, RecursionError) as error:
            raise BoxesError(f"{path}: not JSON ({str(error).splitlines()[0]})") from None
        if isinstance(data, dict) and isinstance(data.get("images"), list):
            self._read_coco(path, data)
        else:
            del data
            for file, photo in read_boxes(path).items():
                rows = [[*o.box, o.score, CLASS_OF_NAME.get(o.label, -1)] for o in photo.objects]
                self._by_name[file] = Annotated(photo.size, _array(rows))
        stems = Counter(PurePosixPath(name).stem for name in self._by_name)
        self._by_stem = {
            PurePosixPath(n).stem: a for n, a in self._by_name.items() if stems[PurePosixPath(n).stem] == 1
        }

    def rows(
        self, name: str, size: tuple[int, int], original: tuple[int, int], *, by_stem: bool = True
    ) -> NDArray[np.float32]:
        """(k, 6) objects of a photo kept at `size` (width, height), which was `original`.

        The photo is found by its path, else, where `by_stem` allows, by its stem if only one is annotated that has it.
        One whose annotations were made for another shape (a turned or cropped one) has none.
        """
        found = self._by_name.get(name)
        if found is None and by_stem:
            found = self._by_stem.get(PurePosixPath(name).stem)
        if found is None or not len(found.rows):
            return NONE
        width, height = found.size or original
        if abs(math.log(width / height * size[1] / size[0])) > MAX_ASPECT_ERROR:
            self.left_out["of photos of another shape"] += len(found.rows)
            return NONE
        scale = np.array([size[0] / width, size[1] / height] * 2 + [1, 1], np.float32)
        rows = found.rows * scale
        rows[:, :4] = np.clip(rows[:, :4], 0, np.array([*size, *size], np.float32))
        return rows

    def _read_coco(self, path: Path, data: dict[str, Any]) -> None:
        file = CocoFile.of(str(path), data)
        found: dict[Any, list[list[float]]] = {image.key: [] for image in file.images}
        for number, item in enumerate(file.annotations):
            if isinstance(item, dict) and item.get("iscrowd"):
                self.left_out["crowds"] += 1
                continue
            try:
                key, o = file.object(number, unknown="")
                x0, y0, x1, y1 = o.box
                if not all(map(math.isfinite, (*o.box, o.score))) or x1 <= x0 or y1 <= y0:
                    raise ValueError
                found[key].append([*o.box, o.score, CLASS_OF_NAME.get(o.label, -1)])
            except (BoxesError, KeyError, ValueError):
                self.left_out["malformed"] += 1
        for image in file.images:
            sides = image.width, image.height
            known = all(isinstance(s, int) and s > 0 for s in sides)
            self._by_name[image.file] = Annotated(sides if known else None, _array(found[image.key]))


def _array(rows: list[list[float]]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 6) if rows else NONE
