"""JPEG XL through the extra `jxl` (ISO/IEC 18181): its size before anything is decoded, its EXIF, its pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
SIZE_BITS = (9, 13, 18, 30)
MAX_BOXES = 1000


def decode_pixels(data: bytes) -> NDArray[Any]:
    """(h, w) or (h, w, 1 to 4) upright values, 8 or 16 bits or floats. ImportError without the extra, else anything."""
    from imagecodecs import jpegxl_decode

    pixels = np.asarray(jpegxl_decode(data))
    return pixels[0] if pixels.ndim == 4 else pixels  # of animations the first frame


def boxes(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Kinds and contents of the boxes of a file; one box "jxlc" for a bare codestream."""
    stream.seek(0)
    data = stream.read()
    if data.startswith(b"\xff\x0a"):
        yield b"jxlc", data
        return
    place = 0
    for _ in range(MAX_BOXES):
        if place + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, place)
        head = 8
        if length == 1 and place + 16 <= len(data):
            (length,), head = struct.unpack_from(">Q", data, place + 8), 16
        after = place + length if length else len(data)
        if after < place + head:
            return
        yield kind, data[place + head : after]
        place = after


def size_of(codestream: bytes) -> tuple[int, int]:
    """(width, height) that a codestream states. ValueError where it is none."""
    if codestream[:2] != b"\xff\x0a" or len(codestream) < 16:
        raise ValueError("no codestream")
    bits, place = int.from_bytes(codestream[2:16], "little"), 0

    def read(count: int) -> int:
        nonlocal place
        value = bits >> place & (1 << count) - 1
        place += count
        return value

    small = read(1)

    def side() -> int:
        return 8 * (1 + read(5)) if small else 1 + read(SIZE_BITS[read(2)])

    height = side()
    ratio = read(3)
    width = side() if ratio == 0 else height * RATIOS[ratio - 1][0] // RATIOS[ratio - 1][1]
    return width, height
