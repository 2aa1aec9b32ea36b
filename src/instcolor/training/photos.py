"""The training photos, decoded once and kept as one file that is read as if it were memory, shared by processes."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..cores import core_count
from ..errors import InstcolorError
from ..sources import open_source, read_all
from .boxes import NONE, Annotations
from .decoding import Decoded, as_jpeg, decode, in_order, is_gray
from .processes import say

CACHE_FORMAT = 2


@dataclass(frozen=True)
class PhotoStore:
    """Photos as (height, width, 3) sRGB bytes, with the objects found on them."""

    pixels: NDArray[np.uint8]  # all photos, one after the other, raw or as JPEG
    names: list[str]
    sizes: NDArray[np.int64]  # (n, 2) height, width
    spans: NDArray[np.int64]  # (n, 2) first byte, and the one after the last
    boxes: list[NDArray[np.float32]]  # (k, 6) x0, y0, x1, y1, score, class
    raw: bool = True  # not JPEG

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        h, w = self.sizes[index]
        start, end = self.spans[index]
        data = self.pixels[start:end]
        if self.raw:
            return data.reshape(h, w, 3)
        return np.asarray(Image.open(io.BytesIO(data.tobytes()), formats=("JPEG",)))

    def part(self, indices: NDArray[np.integer]) -> PhotoStore:
        """The photos of these numbers, in this order; the pixels stay shared."""
        names, boxes = [self.names[i] for i in indices], [self.boxes[i] for i in indices]
        return PhotoStore(self.pixels, names, self.sizes[indices], self.spans[indices], boxes, self.raw)

    def split(self, held_out: int) -> tuple[PhotoStore, PhotoStore]:
        """The photos to train on and `held_out` others: by their names, so that every stage holds out the same."""
        order = np.argsort([crc32(name.encode()) for name in self.names], kind="stable")
        return self.part(np.sort(order[held_out:])), self.part(np.sort(order[:held_out]))

    @classmethod
    def open(
        cls, sources: Sequence[Path], boxes: Sequence[Path], cache: Path, short_side: int = 256, kept_as: str = "raw"
    ) -> PhotoStore:
        """Reads folders, zip files and tar shards of photos, decoding each into `cache` the first time.

        Photos are brought to `short_side` (never enlarged) and kept "raw" or as "jpeg". Gray and unreadable ones are
        left out and counted on stderr. `boxes` are annotation files, see `Annotations`; what several of them say of a
        photo adds up.
        Raises InstcolorError where no photo is left, or the cache cannot be written.
        """
        key = repr([CACHE_FORMAT, short_side, kept_as, *(open_source(source).state() for source in sources)])
        stem = cache / f"photos-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        index_file = stem.with_suffix(".json")
        if not index_file.exists():
            _fill(sources, stem, short_side, kept_as)
        index = json.loads(index_file.read_bytes())
        if not index["names"]:
            raise InstcolorError(f"{', '.join(map(str, sources))}: no color photo in it")
        sizes = np.array(index["sizes"], np.int64)
        ends = np.cumsum(np.array(index["bytes"], np.int64))
        spans = np.stack([ends - index["bytes"], ends], 1)
        pixels = np.memmap(stem.with_suffix(".bin"), np.uint8, "r")
        rows = [NONE] * len(sizes)
        for path in boxes:
            added = _objects(path, index)
            rows = [np.concatenate(pair) for pair in zip(rows, added, strict=True)]
        return cls(pixels, index["names"], sizes, spans, rows, kept_as == "raw")


def _objects(path: Path, index: dict[str, list[Any]]) -> list[NDArray[np.float32]]:
    """The objects of all photos of an index that an annotation file has; how many is said on stderr."""
    annotations = Annotations(path)
    stems = Counter(PurePosixPath(name).stem for name in index["names"])
    rows = [
        annotations.rows(name, (w, h), tuple(original), by_stem=stems[PurePosixPath(name).stem] == 1)
        for name, (h, w), original in zip(index["names"], index["sizes"], index["originals"], strict=True)
    ]
    photos = sum(len(r) > 0 for r in rows)
    say(f"{path}: {sum(map(len, rows))} objects on {photos} photos{_left_out(annotations.left_out)}")
    return rows


def _left_out(counts: Counter[str]) -> str:
    listed = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"; left out: {listed}" if listed else ""


def _fill(sources: Sequence[Path], stem: Path, short_side: int, kept_as: str) -> None:
    """Writes the photos (.bin) and then their index (.json), which says that both are whole."""
    index: dict[str, list[Any]] = {"names": [], "sizes": [], "originals": [], "bytes": []}
    left_out: Counter[str] = Counter()
    part = stem.with_name(f"{stem.name}.{os.getpid()}.part")
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            for name, photo, data in _decoded(sources, short_side, kept_as):
                if isinstance(photo, str):
                    left_out[photo] += 1
                    continue
                out.write(data)
                index["names"].append(name)
                index["sizes"].append(photo.rgb.shape[:2])
                index["originals"].append(photo.original)
                index["bytes"].append(len(data))
        part.replace(stem.with_suffix(".bin"))
        part.write_text(json.dumps(index))
        part.replace(stem.with_suffix(".json"))
    except OSError as error:
        raise InstcolorError(f"{part.parent}: the photos cannot be kept there ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)
    say(f"{len(index['names'])} photos{_left_out(left_out)}")


def _decoded(sources: Sequence[Path], short_side: int, kept_as: str) -> Iterator[tuple[str, Decoded | str, bytes]]:
    """Name, photo and bytes to keep of every photo, or the reason why it is left out; decoded in several threads."""

    def work(name: str, data: bytes | None) -> tuple[str, Decoded | str, bytes]:
        photo = "unreadable" if data is None else decode(data, short_side)
        if isinstance(photo, str):
            return name, photo, b""
        if is_gray(photo.rgb):
            return name, "gray", b""
        return name, photo, as_jpeg(photo.rgb) if kept_as == "jpeg" else photo.rgb.tobytes()

    yield from in_order(work, read_all(sources), core_count())
