"""Boxes: `(x0, y0, x1, y1)` in pixels of the upright photo, half-open. Sizes: `(width, height)`, as Pillow has them."""

from __future__ import annotations

import math

Box = tuple[float, float, float, float]
Size = tuple[int, int]


def clip(box: Box, size: Size) -> Box | None:
    """The part of a box inside a photo of `size`; None where nothing is left or a coordinate is not finite."""
    if not all(math.isfinite(v) for v in box):
        return None
    x0, y0, x1, y1 = max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(size[0])), min(box[3], float(size[1]))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (area - width * height)


def scaled(box: Box, x: float, y: float) -> Box:
    """The box in a photo that is `x` times as wide and `y` times as high."""
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y
