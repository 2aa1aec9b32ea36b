"""Objects of a photo merged into one map and one plane of logits a tap, each inside its box; NumPy alone.

What `networks.siggraph17_fusion.Merger` is in torch, for exported networks (Su et al. 2020): the softmax
over the photo and N objects is one over the objects, then one between the photo and what they came to.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..inputs import CellBox
from ..upsampling import resize_plane

Plane = NDArray[np.float32]
Mode = Literal["masked", "reference"]


class Merger:
    """Collects objects at one tap, one after the other. `masked`: at a cell, those objects take part that cover it, by
    their masks too; `reference`: the others too, with features of zero, where any box is (as published)."""

    def __init__(self, channels: int, grid: tuple[int, int], mode: Mode) -> None:
        self.grid, self.mode = grid, mode
        self.count = 0
        self.feature = np.zeros((channels, *grid), np.float32)  # sum of exp(weight - peak) x feature
        self.total = np.zeros(grid, np.float32)  # sum of exp(weight - peak)
        self.peak = np.zeros(grid, np.float32)  # never under 0, nor is any weight
        self.covering = np.zeros(grid, np.float32)  # how many objects cover a cell

    def add(self, feature: Plane, weight: Plane, box: CellBox, coverage: Plane | None = None) -> None:
        """One object's features (C, h, w) and weights (h, w), resized into its box, which lies on the grid.

        `coverage` (h, w) over the box, 0..1, is what its weight is multiplied with in `masked`; None is 1.
        """
        self.count += 1
        here = (..., slice(box.top, box.top + box.height), slice(box.left, box.left + box.width))
        size = (box.height, box.width)
        feature = resize(feature, size)
        weight = resize(weight[None], size)[0]
        part = None if coverage is None or self.mode == "reference" else resize_plane(coverage, size)
        if part is not None:
            weight = np.where(part > 0, weight, 0)  # what does not count must not be the highest
        sums, total, peak = self.feature[here], self.total[here], self.peak[here]
        highest = np.maximum(peak, weight)
        fade, share = np.exp(peak - highest), np.exp(weight - highest)
        if part is not None:
            share *= part
        sums *= fade
        feature *= share
        sums += feature
        total *= fade
        total += share
        peak[...] = highest
        self.covering[here] += 1

    def merged(self) -> tuple[Plane, Plane]:
        """Features (1, C, h, w), 0 where no box is, and logits (1, 1, h, w), -inf there. Ends the merger's use."""
        total, covered = self.total, self.total > 0
        if self.mode == "reference":
            total, covered = total + (self.count - self.covering) * np.exp(-self.peak), self.covering > 0
        total = np.where(covered, total, 1)
        self.feature /= total
        logit = np.where(covered, self.peak + np.log(total), -np.inf).astype(np.float32)
        return self.feature[None], logit[None, None]


def resize(planes: Plane, size: tuple[int, int]) -> Plane:
    """Planes (C, h, w) at `size` (height, width): bilinear between the four cells nearest, half-pixel centers, edge
    cells repeated. Always a new array."""
    for axis, cells in ((1, size[0]), (2, size[1])):
        given = planes.shape[axis]
        source = np.maximum((np.arange(cells) + 0.5) * (given / cells) - 0.5, 0)
        first = source.astype(np.intp)
        share = (source - first).astype(np.float32)
        low = planes.take(first, axis)
        planes = planes.take(np.minimum(first + 1, given - 1), axis)
        planes -= low
        planes *= share[:, None] if axis == 1 else share
        planes += low
    return planes
