"""Values of a boxes file, checked one by one; an error names file and entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import BoxesError
from ..limits import MAX_PIXELS
from .detected import DetectedObject
from .geometry import Box, Size
from .rle import from_run_lengths


def photo_size(where: str, value: Any) -> Size:
    """Width and height of a photo. Raises BoxesError."""
    good = isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int and v > 0 for v in value)
    if not good:
        raise BoxesError(f"{where}: size is not two positive whole numbers")
    return value[0], value[1]


def four_numbers(where: str, name: str, value: Any) -> Box:
    """The numbers of a box, in the file's own order. Raises BoxesError."""
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(v) for v in value):
        raise BoxesError(f"{where}: {name} is not four numbers")
    x0, y0, x1, y1 = (float(v) for v in value)
    return x0, y0, x1, y1


def detected(where: str, box: Box, label: str, score: Any) -> DetectedObject:
    """An object with a score that is a number. Raises BoxesError."""
    if not _is_number(score):
        raise BoxesError(f"{where}: score is not a number")
    return DetectedObject(box, label, float(score))


def masked(where: str, found: DetectedObject, value: Any, size: Size | None) -> DetectedObject:
    """The object with the mask that a value, perhaps None, states over a photo of `size`. Raises BoxesError."""
    if value is None:
        return found
    if size is None or size[0] * size[1] > MAX_PIXELS:
        raise BoxesError(f"{where}: a mask needs the photo's size, of at most {MAX_PIXELS:,} pixels")
    mask = from_run_lengths(value, size)
    if mask is None:
        raise BoxesError(f"{where}: mask is not run lengths over a photo of {size[0]} x {size[1]} pixels")
    return replace(found, mask=mask)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**53)  # larger ones break float()
