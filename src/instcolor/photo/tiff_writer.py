"""TIFF files put together page by page: strips as they are, directories with everything that is said of a photo.

TIFF 6.0: sections 2, 14 (predictor); deflate as in Adobe's supplement 2; BigTIFF for what may exceed 4 GB.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO

import numpy as np
from numpy.typing import NDArray

from .directories import BYTE, LONG, LONG8, SHORT, UNDEFINED, Directory, read_directory, read_header
from .iptc import TAG as IPTC

LEVEL = 1  # of zlib: color noise compresses badly anyway
SUBFILE, PAGE_NUMBER = 254, 297
OFFSETS, LENGTHS, ROWS = 273, 279, 278
XMP, ICC = 700, 34675
PAGE_OF_MANY = 2  # of the tag SUBFILE


class TiffWriter:
    """Writes pages one after the other into an empty stream in which it can move about."""

    def __init__(self, stream: IO[bytes], *, big: bool = False) -> None:
        self._stream, self._big = stream, big
        start = b"II+\0\x08\0\0\0" if big else b"II*\0"
        self._link = len(start)  # where the place of the next directory goes
        stream.write(start + bytes(8 if big else 4))

    def add(self, strips: Iterable[bytes], directory: Directory) -> None:
        """A page of strips, with the directory that describes them but for their places, little-endian."""
        places, lengths = [], []
        for strip in strips:
            places.append(self._stream.tell())
            lengths.append(len(strip))
            self._stream.write(strip + bytes(len(strip) % 2))
        directory.put(OFFSETS, LONG8 if self._big else LONG, places)
        directory.put(LENGTHS, LONG, lengths)
        place = self._stream.tell()
        self._stream.write(directory.written(place, big=self._big))
        self._stream.seek(self._link)
        self._stream.write(struct.pack("<Q" if self._big else "<I", place))
        self._stream.seek(0, io.SEEK_END)
        tags = len({*directory.entries, *directory.inner})
        self._link = place + (8 + 20 * tags if self._big else 2 + 12 * tags)


class Page:
    """Strips, little-endian, and the directory that describes them."""

    def __init__(self, strips: Iterable[bytes], directory: Directory) -> None:
        self.strips, self.directory = strips, directory

    def say(self, exif: Directory, xmp: bytes, iptc: bytes) -> None:
        """Puts what is known of the photo into the directory."""
        exif = exif.ordered("<")
        self.directory.entries |= exif.entries
        self.directory.inner |= exif.inner
        for tag, kind, block in ((XMP, BYTE, xmp), (IPTC, UNDEFINED, iptc)):
            if block:
                self.directory.put(tag, kind, block)


def page_of(file: bytes) -> Page:
    """The only page of a little-endian TIFF file in strips, as Pillow writes it."""
    stream = io.BytesIO(file)
    header = read_header(stream)
    directory = read_directory(stream, header, header.first)
    places = zip(directory.numbers(OFFSETS), directory.numbers(LENGTHS), strict=True)
    return Page([file[start : start + length] for start, length in places], directory)


def deep_page(
    strips: Iterable[NDArray[np.uint16]],
    size: tuple[int, int],
    channels: int,
    *,
    icc: bytes = b"",
    dpi: tuple[float, float] | None = None,
) -> Page:
    """A page of (rows, w, 3 or 4) values from top to bottom, all strips but the last of the same number of rows."""
    strips = iter(strips)
    first = next(strips)
    directory = Directory()
    for tag, kind, value in (
        (256, LONG, [size[0]]),
        (257, LONG, [size[1]]),
        (258, SHORT, [16] * channels),
        (259, SHORT, [8]),  # deflate
        (262, SHORT, [2]),  # RGB
        (277, SHORT, [channels]),
        (ROWS, LONG, [len(first)]),
        (284, SHORT, [1]),
        (317, SHORT, [2]),
    ):
        directory.put(tag, kind, value)
    if channels == 4:
        directory.put(338, SHORT, [2])
    if dpi:
        directory.put_ratio(282, dpi[0])
        directory.put_ratio(283, dpi[1])
        directory.put(296, SHORT, [2])
    if icc:
        directory.put(ICC, UNDEFINED, icc)
    return Page(_packed(chain([first], strips)), directory)


def _packed(strips: Iterable[NDArray[np.uint16]]) -> Iterator[bytes]:
    for strip in strips:
        change = strip.copy()
        change[:, 1:] -= strip[:, :-1]  # each value less its left neighbor, modulo 65536
        yield zlib.compress(change.astype("<u2").tobytes(), LEVEL)
