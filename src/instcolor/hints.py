"""Hints: colours that somebody knows, as points on the photo, drawn onto whatever grid a network sees.

After "Real-Time User-Guided Image Colorization" (Zhang et al. 2017, section 3.1): a plane of ab and a mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Region = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Hints:
    """Points with known colour: `points` (k, 4) float32 of x, y in pixels of the upright photo, a*, b*."""

    points: NDArray[np.float32]

    @classmethod
    def none(cls) -> Hints:
        return cls(np.zeros((0, 4), np.float32))

    def draw(self, region: Region, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The hints inside `region` (x0, y0, x1, y1) on a grid of `size` (height, width) cells.

        Returns hint_ab (height, width, 2), the mean of the points in each cell, and hint_mask (height, width) of 0, 1.
        """
        height, width = size
        total = np.zeros((height, width, 2), np.float32)
        count = np.zeros((height, width), np.float32)
        x0, y0, x1, y1 = region
        x = (self.points[:, 0] - x0) / (x1 - x0) * width
        y = (self.points[:, 1] - y0) / (y1 - y0) * height
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        cells = y[inside].astype(np.int64), x[inside].astype(np.int64)
        np.add.at(total, cells, self.points[inside, 2:])
        np.add.at(count, cells, 1)
        mask = np.minimum(count, 1).astype(np.float32)
        return (total / np.maximum(count, 1)[..., None]).astype(np.float32), mask
