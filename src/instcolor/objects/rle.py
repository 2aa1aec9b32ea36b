"""Masks over whole photos as COCO's uncompressed run lengths: column after column, first what is not the object."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..limits import MAX_PIXELS
from .geometry import Size
from .masks import Mask

SOLID = 0.5  # probability from which a pixel is the object's
MOST_CELLS = 256  # a side, of a mask that was read: a boxes file of thousands of photos fits into memory


def run_lengths(mask: Mask, size: Size, shape: tuple[int, int] | None = None) -> dict[str, Any]:
    """`{"size": [rows, columns], "counts": [...]}` of a mask on a photo of `size` (width, height).

    The grid is the photo's pixels, or `shape` (rows, columns) over the photo.
    """
    rows, columns = shape or size[::-1]
    x, y = columns / size[0], rows / size[1]
    left, top = max(0, math.floor(mask.box[0] * x)), max(0, math.floor(mask.box[1] * y))
    right, bottom = min(columns, math.ceil(mask.box[2] * x)), min(rows, math.ceil(mask.box[3] * y))
    if right <= left or bottom <= top:
        return {"size": [rows, columns], "counts": [rows * columns]}
    solid = mask.over((left / x, top / y, right / x, bottom / y), (bottom - top, right - left)) >= SOLID
    ends = np.zeros((right - left, bottom - top + 1), np.int8)  # of runs, down each column: 1 begins, -1 has ended
    ends[:, :-1] += solid.T
    ends[:, 1:] -= solid.T
    column, row = np.nonzero(ends)
    places = (left + column) * rows + top + row
    joined = np.flatnonzero(places[1:] == places[:-1])  # a run that goes on in the next column
    starts = [0, *np.delete(places, np.concatenate([joined, joined + 1])).tolist()]
    whole = [] if starts[-1] == rows * columns else [rows * columns]
    return {"size": [rows, columns], "counts": np.diff([*starts, *whole]).tolist()}


def from_run_lengths(value: Any, size: Size) -> Mask | None:
    """The mask on a photo of `size` (width, height), whose grid may be another; None for what are no run lengths.

    A mask without any pixel is None too.
    """
    try:
        (rows, columns), counts = value["size"], np.asarray(value["counts"], np.int64)
        good = type(rows) is type(columns) is int and min(rows, columns) > 0 and rows * columns <= MAX_PIXELS
    except (TypeError, KeyError, ValueError, OverflowError):
        return None
    if not good or counts.ndim != 1 or ((counts < 0) | (counts > MAX_PIXELS)).any() or counts.sum() != rows * columns:
        return None
    solid = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(columns, rows).T
    mask = _cropped(solid)
    return mask and mask.scaled(size[0] / columns, size[1] / rows)


def _cropped(solid: NDArray[np.bool_]) -> Mask | None:
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if not len(rows):
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    mask = Mask((left, top, right, bottom), solid[top:bottom, left:right].astype(np.float32))
    cells = min(bottom - top, MOST_CELLS), min(right - left, MOST_CELLS)
    return mask if cells == mask.plane.shape else Mask(mask.box, mask.over(mask.box, cells))
