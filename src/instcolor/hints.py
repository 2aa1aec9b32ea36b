"""Hints: colors that somebody knows, as points on the photo, drawn onto whatever grid a network sees.

After "Real-Time User-Guided Image Colorization" (Zhang et al. 2017, section 3.1): a plane of ab and a mask.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .colorspace import srgb_to_lab
from .errors import InstcolorError

Hint: TypeAlias = "tuple[float, float, str] | tuple[float, float, float, float]"
"""x, y in pixels of the upright photo, and the color there: "#c04020", or a* and b*."""
Region = tuple[float, float, float, float]

PATCH = 9  # cells a side that a point is drawn as: the largest patch that the networks are trained with
_OFFSETS = np.indices((PATCH, PATCH)).reshape(2, -1).T - PATCH // 2
_FAR_TO_NEAR = _OFFSETS[np.argsort(-np.square(_OFFSETS).sum(1), kind="stable")]


@dataclass(frozen=True, eq=False)
class Hints:
    """Points with known color: `points` (k, 4) float32 of x, y in pixels of the upright photo, a*, b*."""

    points: NDArray[np.float32]

    @classmethod
    def none(cls) -> Hints:
        """No hints at all: `points` is (0, 4)."""
        return cls(np.zeros((0, 4), np.float32))

    @classmethod
    def of(cls, hints: Hints | Iterable[Hint] | None) -> Hints:
        """Hints from plain tuples. Raises ValueError for one that is none."""
        if isinstance(hints, Hints):
            return hints
        return cls(np.array([_point(hint) for hint in hints or ()], np.float32).reshape(-1, 4))

    def draw(self, region: Region, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The hints inside `region` (x0, y0, x1, y1) on a grid of `size` (height, width) cells.

        Each is drawn as a square of PATCH cells; where squares overlap a cell takes the nearest point, and points of
        one cell their mean. Returns hint_ab (height, width, 2) and hint_mask (height, width) of 0, 1.
        """
        height, width = size
        x0, y0, x1, y1 = region
        x = (self.points[:, 0] - x0) / (x1 - x0) * width
        y = (self.points[:, 1] - y0) / (y1 - y0) * height
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        points = np.stack([y[inside], x[inside]], 1).astype(np.int64)
        cells, cell_of, count = np.unique(points, axis=0, return_inverse=True, return_counts=True)
        colors = np.zeros((len(cells), 2), np.float32)
        np.add.at(colors, cell_of.ravel(), self.points[inside, 2:])
        colors /= count[:, None]

        hint_ab, mask = np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32)
        for offset in _FAR_TO_NEAR:  # the nearest point is drawn last
            row, column = (cells + offset).T
            there = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            hint_ab[row[there], column[there]] = colors[there]
            mask[row[there], column[there]] = 1
        return hint_ab, mask


def read_hints(path: Path) -> Hints:
    """Hints of a JSON file: a list of [x, y, "#c04020"], or of [x, y, a, b]. Raises InstcolorError."""
    try:
        return Hints.of([tuple(hint) for hint in json.loads(path.read_text(encoding="utf-8"))])
    except OSError as error:
        raise InstcolorError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, TypeError) as error:
        raise InstcolorError(f"{path}: no list of hints ({error})") from error


def _point(hint: Hint) -> tuple[float, float, float, float]:
    try:
        x, y, *color = hint
        if len(color) == 1 and re.fullmatch("#?[0-9a-fA-F]{6}", str(color[0])):
            rgb = np.frombuffer(bytes.fromhex(str(color[0]).lstrip("#")), np.uint8) / np.float32(255)
            color = srgb_to_lab(rgb)[1:].tolist()
        a, b = (float(value) for value in color)
        point = float(x), float(y), a, b
    except (TypeError, ValueError):
        raise ValueError(f"a hint is x, y and a color such as #c04020, or x, y, a and b; not {hint!r}") from None
    if not np.isfinite(point).all():
        raise ValueError(f"a hint has numbers that are finite, not {hint!r}")
    return point
