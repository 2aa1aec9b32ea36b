"""Brings small planes to the size of the photo and the photo's planes down to the network's.

The network answers on a coarse grid (a quarter of its input) that lies over the whole photo; cell (i, j) of an
(h, w) grid covers the pixels between i / h and (i + 1) / h of the height, and so in width: half-pixel centers.

`upsample_ab` enlarges bilinearly and adds what bilinear interpolation has lost, as far as the photo's own lightness
tells it: in the fast guided filter's way (He and Sun, "Fast Guided Filter", 2015) a*, b* are taken to be linear in
L* nearby, with a slope learned from the small planes, and the slope times the detail of the full-size L* is added.
Where L* is flat that is nothing, so the result is bilinear there; where it has an edge, color turns with it.
The result stays within the colors of the cells around, so an edge gets no halo.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .strips import each_strip

Plane = NDArray[np.float32]
Box = tuple[float, float, float, float]

EDGE_VARIANCE = 80.0  # squared L*: lightness that varies less in 3 x 3 cells says little about color
BAND_PIXELS = 1 << 20  # of the photo that are copied at a time to be resized


def upsample_ab(ab: Plane, L: Plane) -> Plane:
    """Enlarges ab (h, w, 2) of a grid over the whole photo to the size of its L* (H, W), guided by it.

    Returns (H, W, 2) float32. Every value lies between the smallest and the largest of the grid's cells around it;
    equal ab gives that ab; a flat L* gives bilinear interpolation; a grid of the photo's size is the result itself.
    Memory: a few megabytes beside the result.
    """
    if ab.shape[:2] == L.shape:
        return np.array(ab, np.float32)
    ab = _fit_grid(np.asarray(ab, np.float32), L.shape)
    guide = _smooth(resize_plane(L, ab.shape[:2]))
    result = np.empty((*L.shape, 2), np.float32)
    planes = [guide]
    for plane in (ab[..., 0], ab[..., 1]):
        planes += [plane, _slope(plane, guide), _spread(plane, np.minimum), _spread(plane, np.maximum)]
    enlarge = Enlarger(np.stack(planes), L.shape)

    def fill(rows: slice) -> None:
        large = enlarge(rows)
        detail = np.subtract(L[rows], large[0], out=large[0])
        for channel in range(2):
            plane, color, lowest, highest = large[1 + 4 * channel : 5 + 4 * channel]
            color *= detail
            color += plane
            np.maximum(color, lowest, out=color)
            np.minimum(color, highest, out=result[rows, :, channel])

    each_strip(fill, L.shape)
    return result


def upsample_plane(plane: Plane, shape: tuple[int, int]) -> Plane:
    """Enlarges a plane (h, w) of a grid over the whole photo to `shape` (H, W) bilinearly, such as a confidence."""
    enlarger = Enlarger(_fit_grid(np.asarray(plane, np.float32), shape), shape)
    result = np.empty(shape, np.float32)

    def fill(rows: slice) -> None:
        result[rows] = enlarger(rows)

    each_strip(fill, shape)
    return result


def resize_plane(plane: Plane, shape: tuple[int, int], box: Box | None = None) -> Plane:
    """Resizes a plane (H, W) to `shape` (h, w), or its `box` (x0, y0, x1, y1 in pixels, within it, nothing beside it).

    Bilinear, over the area of a new pixel where that is larger (no aliasing): Pillow's filter, with which the
    networks were trained. Large planes go through in bands, so that they are never copied whole.
    """
    x0, y0, x1, y1 = box or (0.0, 0.0, plane.shape[1], plane.shape[0])
    left, highest, right, lowest = math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)
    rows, columns = shape
    scale = (y1 - y0) / rows
    margin = math.ceil(max(scale, 1)) + 1  # what the filter sees beyond a band
    step = max(1, int(BAND_PIXELS / max(1, (right - left) * scale)))
    result = np.empty(shape, np.float32)
    for top in range(0, rows, step):
        bottom = min(top + step, rows)
        start, stop = y0 + top * scale, y0 + bottom * scale
        first, last = max(highest, math.floor(start) - margin), min(lowest, math.ceil(stop) + margin)
        band = Image.fromarray(np.ascontiguousarray(plane[first:last, left:right], np.float32))
        part = (x0 - left, start - first, x1 - left, min(stop, last) - first)
        result[top:bottom] = np.asarray(band.resize((columns, bottom - top), Image.Resampling.BILINEAR, part))
    return result


class Enlarger:
    """Bilinear interpolation of small planes (..., h, w) to (..., H, W), some rows at a time."""

    def __init__(self, planes: Plane, shape: tuple[int, ...]):
        self.y, self.y_weight = _centers(shape[0], planes.shape[-2])
        x, x_weight = _centers(shape[1], planes.shape[-1])
        left = planes.take(x, -1)
        self.wide = left + (planes.take(np.minimum(x + 1, planes.shape[-1] - 1), -1) - left) * x_weight
        self.rise = _next(self.wide, -2) - self.wide

    def __call__(self, rows: slice) -> Plane:
        """(..., rows, W): those rows of the large planes."""
        y, weight = self.y[rows], self.y_weight[rows, None]
        result = np.empty((*self.wide.shape[:-2], len(y), self.wide.shape[-1]), np.float32)
        starts = np.flatnonzero(np.diff(y, prepend=-1))
        for start, stop in zip(starts, [*starts[1:], len(y)], strict=True):  # the rows that lie between the same cells
            part, cell = result[..., start:stop, :], slice(y[start], y[start] + 1)
            np.multiply(self.rise[..., cell, :], weight[start:stop], out=part)
            part += self.wide[..., cell, :]
        return result


def _centers(count: int, cells: int) -> tuple[NDArray[np.intp], Plane]:
    """For each of `count` pixels: the cell whose center is at or before it, and how far it is to the next, 0..1."""
    position = ((np.arange(count) + 0.5) * (cells / count) - 0.5).clip(0, cells - 1)
    cell = position.astype(np.intp)
    return cell, (position - cell).astype(np.float32)


def _next(plane: Plane, axis: int) -> Plane:
    """The plane moved up by one cell, its last one repeated."""
    answer: Plane = plane.take(np.minimum(np.arange(1, plane.shape[axis] + 1), plane.shape[axis] - 1), axis)
    return answer


def _fit_grid(planes: Plane, shape: tuple[int, ...]) -> Plane:
    """Small planes (h, w) or (h, w, n), averaged where the photo has fewer pixels than they have cells."""
    grid = min(planes.shape[0], shape[0]), min(planes.shape[1], shape[1])
    if grid == planes.shape[:2]:
        return planes
    stack = planes.reshape(*planes.shape[:2], -1)
    fitted = np.stack([resize_plane(stack[..., i], grid) for i in range(stack.shape[2])], axis=-1)
    return fitted.clip(stack.min((0, 1)), stack.max((0, 1))).reshape(*grid, *planes.shape[2:])


def _slope(plane: Plane, guide: Plane) -> Plane:
    """How much a plane changes with the guide around each cell."""
    mean, mean_guide = _mean(plane), _mean(guide)
    covariance = _mean(plane * guide) - mean * mean_guide
    variance = _mean(guide * guide) - mean_guide * mean_guide
    return _mean(covariance / (variance + EDGE_VARIANCE))


def _mean(plane: NDArray[np.floating]) -> Plane:
    """Mean of 3 x 3 cells, the border repeated."""
    padded = np.pad(plane, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9, np.float32)


def _smooth(plane: Plane) -> Plane:
    """Weighted mean of 3 x 3 cells (1, 2, 1): the network's ab are about as much softer than the grid could be."""
    padded = np.pad(plane, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    answer: Plane = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16
    return answer


def _spread(plane: Plane, extreme: np.ufunc) -> Plane:
    """Minimum or maximum of 3 x 3 cells."""
    padded = np.pad(plane, 1, mode="edge")
    rows = extreme(extreme(padded[:-2], padded[1:-1]), padded[2:])
    return np.asarray(extreme(extreme(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:]))
