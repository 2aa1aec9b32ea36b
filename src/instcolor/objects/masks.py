"""Which part of its box an object fills, kept as small as the detector gives it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .geometry import Box, scaled


@dataclass(frozen=True, eq=False)
class Mask:
    """Probabilities that pixels are the object's, on a coarse grid over a box; 0.5 and more counts as the object.

    `plane` is (h, w) float32 in 0..1, stretched over `box`, which is the box as it was found: the object's own box may
    be clipped or changed later without touching its mask. Detectors give 28 x 28 cells, 3 KB an object whatever the
    photo's size; pixels are made only where and as finely as somebody asks (`over`).
    """

    box: Box
    plane: NDArray[np.float32]

    def over(self, box: Box, shape: tuple[int, int]) -> NDArray[np.float32]:
        """(h, w) float32 probabilities on a grid of `shape` (height, width) that covers `box`, in the photo's pixels.

        Between cells bilinear; where the grid is coarser than the mask, means. 0 where a grid cell's center lies
        outside the mask's own box.
        """
        rows = _weights(self.box[1], self.box[3], self.plane.shape[0], box[1], box[3], shape[0])
        columns = _weights(self.box[0], self.box[2], self.plane.shape[1], box[0], box[2], shape[1])
        return (rows @ self.plane @ columns.T).astype(np.float32, copy=False)

    def coverage(self, box: Box, shape: tuple[int, int]) -> NDArray[np.float32]:
        """(h, w) float32, how far each cell of a grid is the object's: 0 for probabilities up to 1/4, 1 from 3/4."""
        answer: NDArray[np.float32] = np.clip(2 * self.over(box, shape) - 0.5, 0, 1)
        return answer

    @property
    def doubt(self) -> float:
        """0 where every cell is the object's or is not, 1 where nothing is known."""
        return float((4 * self.plane * (1 - self.plane)).mean())

    def packed(self) -> dict[str, Any]:
        """In what JSON knows, to a 255th."""
        cells = (self.plane * 255).round().astype(np.uint8)
        return {"box": list(self.box), "shape": list(cells.shape), "cells": base64.b64encode(cells.tobytes()).decode()}

    @classmethod
    def unpacked(cls, said: dict[str, Any]) -> Self:
        """What `packed` gave, as JSON brings it back. KeyError, TypeError or ValueError for all else."""
        rows, columns = said["shape"]
        cells = np.frombuffer(base64.b64decode(said["cells"]), np.uint8).reshape(rows, columns)
        x0, y0, x1, y1 = (float(v) for v in said["box"])
        return cls((x0, y0, x1, y1), (cells / np.float32(255)).astype(np.float32))

    def scaled(self, x: float, y: float) -> Mask:
        """The mask in a photo that is `x` times as wide and `y` times as high."""
        return replace(self, box=scaled(self.box, x, y))


def _weights(start: float, end: float, given: int, first: float, last: float, cells: int) -> NDArray[np.float32]:
    """(cells, given): what each given cell, between `start` and `end`, has in each cell between `first` and `last`."""
    centers = first + (np.arange(cells) + 0.5) * ((last - first) / cells)
    source = (centers - start) * (given / (end - start)) - 0.5
    width = max(1.0, (last - first) / cells * given / (end - start))  # of the triangle: no given cell is skipped
    distance = np.abs(source.clip(0, given - 1)[:, None] - np.arange(given))
    weights = (1 - distance / width).clip(0)
    weights /= weights.sum(axis=1, keepdims=True)
    weights[(centers < start) | (centers >= end)] = 0
    return weights.astype(np.float32)
