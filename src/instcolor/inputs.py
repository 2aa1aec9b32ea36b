"""What the color networks take: pictures, and where the objects in them are. NumPy arrays or torch tensors alike.

All planes are float32 and NCHW. Boxes are (x0, y0, x1, y1) as shares of the photo, 0..1: they hold on every grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

Plane = TypeVar("Plane")

SURROUNDINGS = 0.25  # of its box, on each side, that an object's crop shows beside it


class Canvas(NamedTuple, Generic[Plane]):
    """What a network looks at: n pictures of one size (h, w). The fields are called as the inputs of the ONNX files."""

    L: Plane  # (n, 1, h, w), 0..100
    hint_ab: Plane  # (n, 2, h, w), Lab units; 0 where there is no hint
    hint_mask: Plane  # (n, 1, h, w), 1 where there is a hint, else 0


class Places(NamedTuple, Generic[Plane]):
    """Where the N objects of one photo are. The fields are called as the inputs of the ONNX files."""

    crop: Plane  # (N, 4), the part of the photo that an object's picture shows
    box: Plane  # (N, 4), inside crop: where the object may be blended in
    pixels: Plane  # (N, 2), log2 of the crop's width and height in pixels of the photo
    coverage: Plane  # (N, 1, h, w) over the crop, 0..1: how far each cell is the object's


class Inputs(NamedTuple, Generic[Plane]):
    """One photo as the networks take it."""

    photo: Canvas[Plane]  # n is 1
    objects: Canvas[Plane]  # n is N, a square crop for each object; N may be 0
    places: Places[Plane]  # of the same N objects


@dataclass(frozen=True)
class Sizes:
    """The sizes at which a model wants a photo and its objects."""

    side: int  # the photo is brought to an area of about side x side pixels
    instance_size: int  # side of the objects' crops, pixels
    multiple: int  # the photo's sides are multiples of it
    squash: bool = False  # the photo becomes a square, whatever its aspect
    surroundings: float = SURROUNDINGS  # 0: a crop is its box, at whole pixels


class CellBox(NamedTuple):
    """A box in whole cells of a grid; parts of it may lie outside the grid."""

    left: int
    top: int
    width: int
    height: int

    def inside(self, grid: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of a (height, width) grid that the box covers."""
        rows = slice(min(max(self.top, 0), grid[0]), min(max(self.top + self.height, 0), grid[0]))
        columns = slice(min(max(self.left, 0), grid[1]), min(max(self.left + self.width, 0), grid[1]))
        return rows, columns


def cell_box(box: Sequence[float], grid: tuple[int, int]) -> CellBox:
    """The whole cells that a box, in shares of the photo, has on a grid of (height, width) cells; at least one.

    Rounding and the rule for boxes under one cell are those of the code of Su et al. 2020.
    """
    left, width = _cells(float(box[0]), float(box[2]), grid[1])
    top, height = _cells(float(box[1]), float(box[3]), grid[0])
    return CellBox(left, top, width, height)


def _cells(start: float, end: float, cells: int) -> tuple[int, int]:
    """First cell and number of cells of an interval of shares."""
    first, last = int(start * cells), int(end * cells)
    if last - first >= 1:
        return first, last - first
    return (first, 1) if cells - last > 1 else (max(first - 1, 0), 1)
