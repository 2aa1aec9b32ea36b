"""The square crop in which the mask network sees an object: the box in its middle, and some surroundings."""

from __future__ import annotations

import math
from typing import NamedTuple

from .geometry import Box, Size

SURROUNDINGS = 0.125  # of the box, on each side: it fills the middle four fifths of the crop
OUTSIDE = 50.0  # L* where a crop reaches beyond the photo


class Window(NamedTuple):
    """The part of a crop that the photo fills."""

    source: Box  # in pixels of the photo, within it
    rows: slice  # of the crop
    columns: slice


def surrounded(box: Box) -> Box:
    """The region of a box's crop, in pixels of the photo; it may reach beyond it."""
    x, y = SURROUNDINGS * (box[2] - box[0]), SURROUNDINGS * (box[3] - box[1])
    return box[0] - x, box[1] - y, box[2] + x, box[3] + y


def window(region: Box, size: Size, side: int) -> Window:
    """What a photo of `size` (width, height) shows of a region that is brought to side x side pixels.

    The region's middle four fifths touch the photo.
    """
    left, right = _cells(region[0], region[2], size[0], side)
    top, bottom = _cells(region[1], region[3], size[1], side)
    x, y = (region[2] - region[0]) / side, (region[3] - region[1]) / side
    x0, y0 = max(0.0, region[0] + left * x), max(0.0, region[1] + top * y)
    x1, y1 = min(float(size[0]), region[0] + right * x), min(float(size[1]), region[1] + bottom * y)
    return Window((x0, y0, x1, y1), slice(top, bottom), slice(left, right))


def _cells(start: float, end: float, limit: int, side: int) -> tuple[int, int]:
    """First cell, and the one after the last, that lie wholly within 0..limit; at least one."""
    scale = side / (end - start)
    first = min(max(0, math.ceil(-start * scale - 1e-6)), side - 1)
    return first, max(min(side, math.floor((limit - start) * scale + 1e-6)), first + 1)
