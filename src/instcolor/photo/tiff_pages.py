"""Which pictures of a TIFF file are photos: pages, and no previews, masks or raw data of a sensor.

TIFF 6.0, NewSubfileType; Adobe's supplement 1 (SubIFDs); DNG 1.7, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

from .directories import Directory, Header, read_directory, read_header

SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, PHOTOMETRIC, SUB_IFDS = 254, 255, 256, 257, 262, 330
WANTED = frozenset({SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, PHOTOMETRIC, SUB_IFDS})
REDUCED, MASK, OLD_REDUCED = 1, 4, 2
MASK_VALUES = 4  # of the photometric interpretation
SENSOR_VALUES = (32803, 34892)  # a color filter array, linear raw
MAX_PAGES = 10_000
MAX_INSIDE = 32  # directories that a page may have inside it
ONLY_PREVIEW = "calls its only picture a preview or a mask"


class Pages(NamedTuple):
    """Places of the directories of the photos in a file, in order; or that they are a sensor's raw data."""

    places: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    is_raw: bool = False
    note: str = ""


class _Picture(NamedTuple):
    place: int
    size: tuple[int, int]
    is_preview: bool
    is_raw: bool

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]


def pages_of(stream: IO[bytes]) -> Pages:
    """What is in a TIFF file. ValueError where it has no directory that can be read."""
    header = read_header(stream)
    photos: list[_Picture] = []
    previews: list[_Picture] = []
    for place, directory in _chain(stream, header):
        own = _picture(place, directory)
        inside = [own, *_inside(stream, header, directory)]
        if any(picture.is_raw for picture in inside):
            return Pages((), (), is_raw=True)
        # a page may carry smaller copies of itself, and a preview the photo that it shows
        full = max((picture for picture in inside if not picture.is_preview), key=lambda p: p.pixels, default=None)
        if full is None:
            previews.append(max(inside, key=lambda p: p.pixels))
        else:
            photos.append(full)
    note = ""
    if not photos:
        photos, note = [max(previews, key=lambda p: p.pixels)] if previews else [], ONLY_PREVIEW
    return Pages(tuple(p.place for p in photos), tuple(p.size for p in photos), note=note)


class At:
    """A TIFF file that seems to begin with the directory at `place`."""

    def __init__(self, stream: IO[bytes], place: int) -> None:
        order, big, _ = read_header(stream)
        stream.seek(0)
        start = stream.read(8 if big else 4)
        self._stream = stream
        self._start = start + place.to_bytes(8 if big else 4, "little" if order == "<" else "big")
        stream.seek(0)

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        place = self._stream.tell()
        data = self._stream.read(size)
        return self._start[place : place + len(data)] + data[max(0, len(self._start) - place) :]

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _chain(stream: IO[bytes], header: Header) -> Iterator[tuple[int, Directory]]:
    """The directories of a file one after the other, as far as they can be read."""
    place, seen = header.first, set[int]()
    while place and place not in seen and len(seen) < MAX_PAGES:
        seen.add(place)
        try:
            directory = read_directory(stream, header, place, WANTED.__contains__)
        except ValueError:
            if len(seen) == 1:
                raise
            return
        yield place, directory
        place = directory.after


def _inside(stream: IO[bytes], header: Header, directory: Directory) -> Iterator[_Picture]:
    for place in directory.numbers(SUB_IFDS)[:MAX_INSIDE]:
        try:
            yield _picture(place, read_directory(stream, header, place, WANTED.__contains__))
        except ValueError:
            continue


def _picture(place: int, directory: Directory) -> _Picture:
    values = directory.number(PHOTOMETRIC)
    is_preview = (
        bool(directory.number(SUBFILE) & (REDUCED | MASK))
        or directory.number(OLD_SUBFILE) == OLD_REDUCED
        or values == MASK_VALUES
    )
    size = directory.number(WIDTH), directory.number(HEIGHT)
    return _Picture(place, size, is_preview, values in SENSOR_VALUES)
