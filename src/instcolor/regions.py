"""A color that stays where it belongs: in an object's outline, or where a spot's lightness goes on.

A layer is how far each place of a photo takes which color, on a grid over the whole photo that is as fine as a page
shows it. Outlines of detectors are coarse and are brought to the edges of the lightness by the guided filter (He, Sun
and Tang, "Guided Image Filtering", 2010). A spot's region is what lies near it when the way is measured in changes of
lightness (a geodesic distance, as in Criminisi, Sharp and Blake, "GeoS", 2008, section 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .objects import Box, DetectedObject, Size
from .strips import each_strip
from .upsampling import EDGE_VARIANCE, Enlarger, resize_plane, upsample_plane

Plane = NDArray[np.float32]

SIDE = 880
"""Cells of the longer side of a layer's grid: the size at which a page shows a photo."""
SHARE = 0.95
"""Of the color in the middle of an object or a spot; the rest is the network's, or cloth would look like paper."""
SURE, DOUBTED = 0.6, 0.4  # of an outline: above the one all is the object's, below the other nothing
MASK_CELLS = 28  # of a detector's outline, about: its edge is known to a cell
SPOT_SIDE = 220  # cells of the longer side of the grid on which a spot's region is found
NEAR, FAR = 9.0, 16.0  # changes of lightness (L*) on the way: nearer all is the spot's, farther nothing
STEP = 0.05  # what a cell of the way costs, in L*, however flat
NOISE = 0.8  # changes between neighboring cells up to it cost nothing
WITHIN = 1.5  # times as far inside an object, whose outline stops what edges do not


@dataclass(frozen=True, eq=False)
class Layer:
    """Colors that lie over a photo's own: where the share is 1 nothing of those is seen."""

    share: Plane
    """(h, w) float32 in 0..1 over the whole photo."""
    ab: Plane
    """(h, w, 2) float32 a* and b*, times the share."""

    def over(self, lower: Layer) -> Layer:
        """Both layers of a photo as one."""
        left = 1 - self.share
        return Layer(self.share + lower.share * left, self.ab + lower.ab * left[..., None])


def object_layer(L: Plane, item: DetectedObject, ab: tuple[float, float]) -> Layer:
    """An object's color. Without an outline the object is what fills its box, as an ellipse does.

    Args:
        L: (H, W) lightness of the photo, 0..100.
        item: box and mask in its pixels.
        ab: a* and b*.
    """
    return _layer(_object_cover(_small(L, SIDE), item, (L.shape[1], L.shape[0])), ab)


def spot_layer(
    L: Plane, points: Sequence[tuple[float, float]], ab: tuple[float, float], within: DetectedObject | None = None
) -> Layer:
    """The color of a spot or a stroke (x, y in the photo's pixels): it follows edges, and stays `within` an object."""
    size = L.shape[1], L.shape[0]
    coarse, fine = _small(L, SPOT_SIDE), _small(L, SIDE)
    soft = _mean(coarse, 1).astype(np.float32)  # grain and weave are no edges
    distance = _distance(soft, _touched(points, size, coarse.shape)) / (1 if within is None else WITHIN)
    near = ((FAR - distance) / (FAR - NEAR)).clip(0, 1).astype(np.float32)
    cover = _guided(upsample_plane(near, fine.shape), fine, math.ceil(max(fine.shape) / SPOT_SIDE))
    if within is not None:
        cover *= _object_cover(fine, within, size)
    return _layer(cover, ab)


def lay(layer: Layer, ab: Plane, strength: float = 1.0) -> None:
    """Lays a layer over ab (H, W, 2) of the whole photo, in place; its colors are multiplied by `strength`."""
    shape = ab.shape[:2]
    enlarge_share = Enlarger(layer.share, shape)
    enlarge_ab = [Enlarger(layer.ab[..., channel] * np.float32(strength), shape) for channel in range(2)]

    def fill(rows: slice) -> None:
        left = 1 - enlarge_share(rows)
        for channel, enlarge in enumerate(enlarge_ab):
            ab[rows, :, channel] *= left
            ab[rows, :, channel] += enlarge(rows)

    each_strip(fill, shape)


def _layer(cover: Plane, ab: tuple[float, float]) -> Layer:
    share = cover * np.float32(SHARE)
    return Layer(share, share[..., None] * np.array(ab, np.float32))


def _small(L: Plane, side: int) -> Plane:
    scale = min(1.0, side / max(L.shape))
    return resize_plane(L, (max(1, round(L.shape[0] * scale)), max(1, round(L.shape[1] * scale))))


def _object_cover(small: Plane, item: DetectedObject, size: Size) -> Plane:
    rows, columns = small.shape
    width, height = size
    box = item.box
    if item.mask is None:
        cover = _ellipse(box, size, small.shape)
    else:
        cover = item.mask.over((0.0, 0.0, float(width), float(height)), small.shape)
    cell = max((box[2] - box[0]) / width * columns, (box[3] - box[1]) / height * rows) / MASK_CELLS
    refined = _guided(cover, small, max(1, math.ceil(cell)))
    return ((refined - DOUBTED) / (SURE - DOUBTED)).clip(0, 1).astype(np.float32)


def _ellipse(box: Box, size: Size, shape: tuple[int, int]) -> Plane:
    """(h, w) 1 in the ellipse that touches a box's sides, 0 beside it."""
    x = ((np.arange(shape[1]) + 0.5) / shape[1] * size[0] - box[0]) / (box[2] - box[0]) * 2 - 1
    y = ((np.arange(shape[0]) + 0.5) / shape[0] * size[1] - box[1]) / (box[3] - box[1]) * 2 - 1
    return ((x**2 + y[:, None] ** 2) <= 1).astype(np.float32)


def _touched(points: Sequence[tuple[float, float]], size: Size, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) the cells that a stroke runs through."""
    cells = np.array(points, np.float64) / size * (shape[1], shape[0])
    ways = [np.linspace(a, b, 1 + math.ceil(np.abs(b - a).max())) for a, b in zip(cells, cells[1:], strict=False)]
    x, y = np.concatenate([cells, *ways]).astype(np.intp).T
    touched = np.zeros(shape, bool)
    touched[y.clip(0, shape[0] - 1), x.clip(0, shape[1] - 1)] = True
    return touched


def _distance(L: Plane, start: NDArray[np.bool_]) -> Plane:
    """(h, w) the least sum of changes of lightness on a way from `start`, or how much lighter or darker it is there."""
    down = np.maximum(np.abs(np.diff(L, axis=0)) - NOISE, 0) + np.float32(STEP)
    across = np.maximum(np.abs(np.diff(L, axis=1)) - NOISE, 0) + np.float32(STEP)
    distance = np.where(start, np.float32(0), np.float32(np.inf))
    while True:  # every round goes one cell further; what is too far away is not walked through
        before = distance.copy()
        for far, near, cost in ((np.s_[1:], np.s_[:-1], down), (np.s_[:-1], np.s_[1:], down)):
            np.minimum(distance[far], before[near] + cost, out=distance[far])
        for far, near, cost in ((np.s_[1:], np.s_[:-1], across), (np.s_[:-1], np.s_[1:], across)):
            np.minimum(distance[:, far], before[:, near] + cost, out=distance[:, far])
        distance[distance > FAR * WITHIN] = np.inf
        if np.array_equal(distance, before):
            break
    unlike = np.abs(L - np.median(L[start])) / 2
    answer: Plane = np.maximum(distance, unlike).astype(np.float32)
    return answer


def _guided(plane: Plane, guide: Plane, radius: int) -> Plane:
    """The guided filter: a plane (h, w) as a linear function of the guide in every window, averaged over windows."""
    mean, mean_guide = _mean(plane, radius), _mean(guide, radius)
    covariance = _mean(plane * guide, radius) - mean * mean_guide
    variance = _mean(guide * guide, radius) - mean_guide**2
    slope = covariance / (variance + EDGE_VARIANCE / 4)
    return (_mean(slope, radius) * guide + _mean(mean - slope * mean_guide, radius)).clip(0, 1).astype(np.float32)


def _mean(plane: NDArray[np.floating], radius: int) -> NDArray[np.float64]:
    """Mean over windows of 2 radius + 1 cells a side, the border repeated."""
    padded = np.pad(plane.astype(np.float64), radius, mode="edge")
    for axis in (0, 1):
        total = np.cumsum(padded, axis)
        total = np.concatenate([np.zeros_like(total.take([0], axis)), total], axis)
        side, cells = 2 * radius + 1, total.shape[axis]
        padded = (total.take(range(side, cells), axis) - total.take(range(cells - side), axis)) / side
    return padded
