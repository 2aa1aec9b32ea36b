"""TIFF files of samples that Pillow has no mode for: told to it under others' names, then read for what they are.

Gray and alpha, and Lab, with 16 bits; floating point with 16 and 64 bits; unsigned integers with 32, which Pillow takes
for signed ones. TIFF 6.0, sections 18 to 23.
"""

from __future__ import annotations

import sys
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    SAMPLEFORMAT,
    SAMPLESPERPIXEL,
    TiffImageFile,
)

from .directories import Directory, Order

Kind = Literal["gray and alpha", "Lab", "half", "double", "unsigned"]
BLACK_IS_ZERO, RGB, LAB = 1, 2, 8
INTEGER, SIGNED, FLOAT = 1, 2, 3
IN_PLANES = 2  # of the planar configuration
UNKNOWN = "unknown pixel mode"  # as Pillow says it
FORMATS = {INTEGER: "unsigned", SIGNED: "signed", FLOAT: "floating-point", 5: "complex integer", 6: "complex"}


def _layouts() -> dict[Any, tuple[str, str]]:
    """Pillow's mode and raw mode by its key: byte order, photometric, sample format, fill order, bits, extra."""
    found: dict[Any, tuple[str, str]] = {}
    for prefix, end in ((b"II", "L"), (b"MM", "B")):
        gray = ("I;16", "I;16") if end == "L" else ("I;16B", "I;16B")
        found[prefix, BLACK_IS_ZERO, (FLOAT,), 1, (16,), ()] = gray
        found[prefix, BLACK_IS_ZERO, (FLOAT,), 1, (64,), ()] = ("RGBA", f"RGBA;16{end}")
        found[prefix, RGB, (FLOAT,), 1, (16,) * 3, ()] = ("RGB", f"RGB;16{end}")
        for extra in range(3):
            found[prefix, BLACK_IS_ZERO, (INTEGER,), 1, (16, 16), (extra,)] = ("RGBA", "RGBA")
        for format in ((INTEGER,), (INTEGER, SIGNED, SIGNED)):
            found[prefix, LAB, format, 1, (16,) * 3, ()] = ("RGB", f"RGB;16{end}")
    return found


LAYOUTS = _layouts()
"""What the guard adds to Pillow's table while a file is opened."""


def kind_of(image: Image.Image) -> Kind | None:
    """Of which of these kinds an opened image is. SyntaxError where it is of one that cannot be read in planes."""
    if not isinstance(image, TiffImageFile):
        return None
    photometric, formats, bits = (_tag(image, tag) for tag in (PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT, BITSPERSAMPLE))
    if image.mode == "I" and bits == (32,) and formats in ((), (INTEGER,)):
        return "unsigned"
    if photometric == (LAB,) and set(bits) == {16}:
        return "Lab"
    if set(formats) == {FLOAT} and set(bits) == {16}:
        return "half"
    found: Kind | None = None
    if bits == (16, 16) and photometric == (BLACK_IS_ZERO,):
        found = "gray and alpha"
    elif set(formats) == {FLOAT} and set(bits) == {64}:
        found = "double"
    if found and _tag(image, PLANAR_CONFIGURATION) == (IN_PLANES,):
        raise SyntaxError(UNKNOWN)
    return found


def order_of(image: Image.Image) -> Order:
    """The byte order in which an image that is not loaded yet will hand out its samples."""
    if not isinstance(image, TiffImageFile) or (image.tile and image.tile[0].codec_name == "libtiff"):
        return "<" if sys.byteorder == "little" else ">"
    return "<" if image.tag_v2.prefix == b"II" else ">"


def values_of(kind: Kind, order: Order, pixels: NDArray[Any]) -> NDArray[Any]:
    """The values of pixels as Pillow hands them out, (h, w) or (h, w, channels), of 16-bit colors joined."""
    if kind == "unsigned":
        return pixels.view(np.uint32)
    if kind == "gray and alpha":
        return np.ascontiguousarray(pixels).view(f"{order}u2").astype(np.uint16)
    if kind == "half":
        return np.ascontiguousarray(pixels, np.uint16).view(np.float16)
    if kind == "double":
        words = pixels if order == "<" else pixels[..., ::-1]  # Pillow has turned the bytes of each word only
        return np.ascontiguousarray(words).view(np.float64)[..., 0]
    return pixels


def described(directory: Directory) -> str:
    """The samples of a TIFF file in words, for a refusal."""
    bits, formats = directory.numbers(BITSPERSAMPLE), directory.numbers(SAMPLEFORMAT)
    format = FORMATS.get(formats[0] if formats else INTEGER, "undefined")
    widths = " and ".join(str(width) for width in sorted(set(bits))) or "1"
    count, photometric = directory.number(SAMPLESPERPIXEL, 1), directory.number(PHOTOMETRIC_INTERPRETATION, -1)
    return f"samples a pixel: {count}, {format} of {widths} bits, photometric interpretation: {photometric}"


def _tag(image: TiffImageFile, tag: int) -> tuple[Any, ...]:
    return _tuple(image.tag_v2.get(tag, ()))


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
