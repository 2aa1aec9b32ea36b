"""The content of a boxes file, and how a photo finds its objects there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import BoxesError
from .detected import DetectedObject, PhotoObjects
from .geometry import Size, clip


class Boxes(Mapping[str, PhotoObjects]):
    """The content of a boxes file: photo name as written there -> its objects. `for_photo` finds by file stem.

    `first_dot`: a photo whose stem is not listed is looked for by its name up to the first dot, as the files of Su et
    al. are named.
    """

    def __init__(self, source: str, photos: Iterable[PhotoObjects], *, first_dot: bool = False) -> None:
        self.source, self.first_dot = source, first_dot
        self._photos: dict[str, PhotoObjects] = {}
        self._stems: dict[str, list[PhotoObjects]] = {}
        for photo in photos:
            if photo.file in self._photos:
                raise BoxesError(f"{source}: photo {photo.file} is listed twice")
            self._photos[photo.file] = photo
            self._stems.setdefault(Path(photo.file).stem, []).append(photo)

    def __getitem__(self, file: str) -> PhotoObjects:
        return self._photos[file]

    def __iter__(self) -> Iterator[str]:
        return iter(self._photos)

    def __len__(self) -> int:
        return len(self._photos)

    def for_photo(self, file: str | Path, size: Size) -> list[DetectedObject]:
        """The objects of a photo of `size`, in its pixels and clipped to it; none where the file does not list it.

        Photos are matched by stem; among several of one stem the same name, then the same path decides.
        Raises BoxesError where that is still open, and for a box that is empty, not finite or altogether outside.
        """
        path = Path(file)
        found = self._stems.get(path.stem, [])
        if self.first_dot and not found:
            found = self._stems.get(path.name.partition(".")[0], [])
        for same in (lambda p: Path(p.file).name == path.name, lambda p: Path(p.file) == path):
            if len(found) > 1:
                found = [p for p in found if same(p)]  # type: ignore[no-untyped-call]
                if not found:
                    raise BoxesError(f"{self.source}: several photos are called {path.stem}, none of them {file}")
        if len(found) > 1:
            raise BoxesError(f"{self.source}: several photos are {file}")
        objects = []
        for number, item in enumerate(found[0].at(size) if found else ()):
            fault = _fault(item, size)
            if fault:
                raise BoxesError(f"{self.source}: photo {found[0].file}, object {number}: {fault}")
            objects.append(replace(item, box=clip(item.box, size) or item.box))
        return objects


def _fault(item: DetectedObject, size: Size) -> str | None:
    """What is wrong with an object of a photo of `size`."""
    x0, y0, x1, y1 = item.box
    if not all(math.isfinite(v) for v in (*item.box, item.score)):
        return f"box {numbers(item.box)} or score {item.score:g} is not finite"
    if not (x1 > x0 and y1 > y0):
        return f"box {numbers(item.box)} is empty"
    if clip(item.box, size) is None:
        return f"box {numbers(item.box)} is outside the photo of {size[0]} x {size[1]} pixels"
    return None


def numbers(values: Iterable[float]) -> str:
    """Numbers in a message."""
    return "[" + ", ".join(f"{v:g}" for v in values) + "]"
