"""From a photo's lightness and its objects to what the networks take (Su et al. 2020).

The whole photo goes in at its working size; each object is cropped from the full-size lightness with some of its
surroundings and squashed to a square, so that small objects gain detail.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..hints import Hints, Region
from ..inputs import SURROUNDINGS, Canvas, Inputs, Places, Sizes
from ..objects import DetectedObject
from ..upsampling import resize_plane
from .coverage import coverage

Plane = NDArray[np.float32]


def working_size(size: tuple[int, int], sizes: Sizes) -> tuple[int, int]:
    """(height, width) in pixels of the network's picture of a whole photo of `size` (width, height).

    The area is about that of `sizes.side` x `sizes.side`. The photo's aspect is kept, unless the model wants a square.
    """
    side, multiple = sizes.side, sizes.multiple
    if sizes.squash:
        side = max(1, round(side / multiple)) * multiple
        return side, side
    width, height = size
    scale = side / math.sqrt(width * height)
    # a panorama gets at most 4 : 1, or its short side would vanish
    scaled = (min(max(s * scale, side / 2), side * 2) for s in (height, width))
    high, wide = (max(multiple, round(s / multiple) * multiple) for s in scaled)
    return high, wide


def prepare(
    L: Plane,
    objects: Sequence[DetectedObject],
    sizes: Sizes,
    hints: Hints | None = None,
    *,
    whole: Plane | None = None,
) -> Inputs[Plane]:
    """Cuts the networks' inputs out of a photo.

    Args:
        L: (h, w), 0..100, the photo at full size.
        objects: their boxes are in its pixels and inside it. A mask limits what counts of its object; see `coverage`.
        sizes: what the model wants. Without surroundings a crop is its box, which then loses its fractions of pixels,
            as in Su et al.
        hints: points in the photo's pixels.
        whole: another picture of the same photo, (h', w'), for the network that sees the whole; the objects are cut
            from `L` all the same.
    """
    hints = hints or Hints.none()
    size = (L.shape[1], L.shape[0])
    boxes = np.array([found.box for found in objects], np.float32).reshape(-1, 4)
    if not sizes.surroundings:
        boxes = _whole_pixels(boxes, size)
    crops = crop_boxes(boxes, size, sizes.surroundings)
    seen = L if whole is None else whole
    grid, square = working_size(size, sizes), (sizes.instance_size, sizes.instance_size)
    photo = [resize_plane(seen, grid), *_hint_planes(hints, (0, 0, *size), grid)]
    cut = [[resize_plane(L, square, crop), *_hint_planes(hints, crop, square)] for crop in _regions(crops)]
    limits = np.array([*size, *size], np.float32)
    pixels = np.log2(crops[:, 2:] - crops[:, :2]).astype(np.float32)
    covers = coverage(crops, boxes, size, [found.mask for found in objects])
    places = Places(crops / limits, boxes / limits, pixels, covers)
    return Inputs(_canvas(np.stack(photo)[None]), _canvas(np.array(cut, np.float32).reshape(-1, 4, *square)), places)


def crop_boxes(boxes: Plane, size: tuple[int, int], surroundings: float = SURROUNDINGS) -> Plane:
    """Boxes (N, 4) with their surroundings, at whole pixels, cut at a photo of `size` (width, height)."""
    grow = surroundings * (boxes[:, 2:] - boxes[:, :2])
    limits = np.array(size, np.float32)
    start = np.clip(np.floor(boxes[:, :2] - grow), 0, limits - 1)
    end = np.clip(np.ceil(boxes[:, 2:] + grow), start + 1, limits)
    return np.concatenate([start, end], 1)


def _regions(crops: Plane) -> list[Region]:
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in crops.tolist()]


def _whole_pixels(boxes: Plane, size: tuple[int, int]) -> Plane:
    """Boxes inside a photo of `size` (width, height) without their fractions, at least one pixel wide and high."""
    start = np.minimum(np.trunc(boxes[:, :2]), np.array(size, np.float32) - 1)
    return np.concatenate([start, np.maximum(np.trunc(boxes[:, 2:]), start + 1)], 1)


def _hint_planes(hints: Hints, region: Region, size: tuple[int, int]) -> tuple[Plane, Plane, Plane]:
    """a*, b* and mask of the hints of a region of the photo, (h, w) each."""
    ab, mask = hints.draw(region, size)
    return ab[..., 0], ab[..., 1], mask


def _canvas(planes: Plane) -> Canvas[Plane]:
    """(n, 4, h, w) of L, a*, b* and mask of the hints."""
    return Canvas(planes[:, :1], planes[:, 1:3], planes[:, 3:])
