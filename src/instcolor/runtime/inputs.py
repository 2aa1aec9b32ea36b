"""From a photo's lightness and its objects to what the networks take (Su et al. 2020).

The whole photo goes in at its working size; each object is cropped from the full-size lightness with some of its
surroundings and squashed to a square, so that small objects gain detail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..hints import Hints, Region
from ..upsampling import resize_plane

SURROUNDINGS = 0.25  # of the box, on each side, that an object's crop shows beside it
COVERAGE_SIDE = 48  # cells of a crop's coverage: detectors give masks of 28 x 28 over the box, at least half the crop


class Inputs(NamedTuple):
    """All float32, NCHW; N is the number of objects, S the instance size."""

    L: NDArray[np.float32]  # (1, 1, H, W)
    hint_ab: NDArray[np.float32]  # (1, 2, H, W)
    hint_mask: NDArray[np.float32]  # (1, 1, H, W)
    object_L: NDArray[np.float32]  # (N, 1, S, S)
    object_hint_ab: NDArray[np.float32]  # (N, 2, S, S)
    object_hint_mask: NDArray[np.float32]  # (N, 1, S, S)
    crop: NDArray[np.float32]  # (N, 4) x0, y0, x1, y1 as shares of the photo
    box: NDArray[np.float32]  # (N, 4) likewise, inside crop
    pixels: NDArray[np.float32]  # (N, 2) log2 of the crop's width and height in photo pixels
    coverage: NDArray[np.float32]  # (N, 1, h, w) over the crop, 0..1: how far each cell is the object's; no mask: 1


class Mask(Protocol):
    """Which part of the photo an object fills."""

    def coverage(self, box: tuple[float, float, float, float], shape: tuple[int, int]) -> NDArray[np.float32]:
        """`shape` (h, w) cells over a box in the photo's pixels, 0..1: how far each is the object's."""
        ...


def working_size(size: tuple[int, int], side: int, multiple: int, squash: bool = False) -> tuple[int, int]:
    """(height, width) for the whole photo of `size` (width, height), the area about that of side x side.

    The photo's aspect is kept, unless the model wants a square (`squash`).
    """
    if squash:
        side = max(1, round(side / multiple)) * multiple
        return side, side
    width, height = size
    scale = side / math.sqrt(width * height)
    # a panorama gets at most 4 : 1, or its short side would vanish
    scaled = (min(max(s * scale, side / 2), side * 2) for s in (height, width))
    high, wide = (max(multiple, round(s / multiple) * multiple) for s in scaled)
    return high, wide


def prepare(
    L: NDArray[np.float32],
    boxes: NDArray[np.float32],
    size: tuple[int, int],
    instance_size: int,
    hints: Hints | None = None,
    surroundings: float = SURROUNDINGS,
    masks: Sequence[Mask | None] = (),
) -> Inputs:
    """Cuts the networks' inputs out of a photo.

    L (h, w) at full size; boxes (N, 4) in its pixels, inside it; `size` (height, width) is the whole photo's at the
    network, `instance_size` the side of the crops. `surroundings` is the share of its box, on each side, that a crop
    shows beside it; at 0 a crop is its box, which then loses its fractions of pixels, as in Su et al. `masks`, one for
    each box or none at all, limit the objects further; an object without one fills its box.
    """
    hints = hints or Hints.none()
    height, width = L.shape
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    if not surroundings:
        boxes = _whole_pixels(boxes, (width, height))
    crops = crop_boxes(boxes, (width, height), surroundings)
    whole = _cut(L, (0, 0, width, height), size, hints)
    square = (instance_size, instance_size)
    cut = [_cut(L, tuple(crop), square, hints) for crop in crops]
    empty = np.zeros((0, 4, *square), np.float32)
    objects = np.concatenate([*cut, empty]) if cut else empty
    limits = np.array([width, height, width, height], np.float32)
    pixels = np.log2(crops[:, 2:] - crops[:, :2]).astype(np.float32)
    coverage = _coverage(crops, masks)
    return Inputs(*_split(whole), *_split(objects), crops / limits, boxes / limits, pixels, coverage)


def crop_boxes(
    boxes: NDArray[np.float32], size: tuple[int, int], surroundings: float = SURROUNDINGS
) -> NDArray[np.float32]:
    """Boxes (N, 4) with their surroundings, at whole pixels, cut at a photo of `size` (width, height)."""
    grow = surroundings * (boxes[:, 2:] - boxes[:, :2])
    limits = np.array(size, np.float32)
    start = np.clip(np.floor(boxes[:, :2] - grow), 0, limits - 1)
    end = np.clip(np.ceil(boxes[:, 2:] + grow), start + 1, limits)
    return np.concatenate([start, end], 1)


def _coverage(crops: NDArray[np.float32], masks: Sequence[Mask | None]) -> NDArray[np.float32]:
    """(N, 1, h, w) of the crops; single cells of 1 where there is no mask at all."""
    if not any(mask is not None for mask in masks):
        return np.ones((len(crops), 1, 1, 1), np.float32)
    size = (COVERAGE_SIDE, COVERAGE_SIDE)
    planes = np.ones((len(crops), 1, *size), np.float32)
    for plane, (x0, y0, x1, y1), mask in zip(planes, crops.tolist(), masks, strict=True):
        if mask is not None:
            plane[0] = mask.coverage((x0, y0, x1, y1), size)
    return planes


def _whole_pixels(boxes: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Boxes inside a photo of `size` (width, height) without their fractions, at least one pixel wide and high."""
    start = np.minimum(np.trunc(boxes[:, :2]), np.array(size, np.float32) - 1)
    return np.concatenate([start, np.maximum(np.trunc(boxes[:, 2:]), start + 1)], 1)


def _cut(L: NDArray[np.float32], region: Region, size: tuple[int, int], hints: Hints) -> NDArray[np.float32]:
    """(1, 4, *size): L, hint_ab, hint_mask of a region of the photo."""
    hint_ab, hint_mask = hints.draw(region, size)
    planes = [resize_plane(L, size, region), hint_ab[..., 0], hint_ab[..., 1], hint_mask]
    return np.stack(planes)[None]


def _split(planes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    return planes[:, :1], planes[:, 1:3], planes[:, 3:]
