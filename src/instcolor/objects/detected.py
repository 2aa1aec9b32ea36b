"""Objects of a photo, and which of them to color. Where they come from, a detector or a file, makes no difference."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .geometry import Box, Size, clip, iou, scaled
from .masks import Mask

LIMIT = 8  # as in the paper
SMALL_AREA = 0.02  # share of the photo
WITH_SMALL = 3  # times the limit: as many objects in all as long as those beyond it are small
MIN_AREA = 0.0005  # share of the photo: 11 x 11 pixels at 500 x 500
MAX_IOU = 0.75  # above it two boxes are one object found twice, whatever their labels say


@dataclass(frozen=True)
class DetectedObject:
    """One object: box in pixels of the upright photo, class name, score in 0..1, and its mask where one is known.

    The box says where an object's colors are blended in, the mask may limit that further. A mask has a place of its
    own (`Mask.box`), so it stays right when the box is clipped.
    """

    box: Box
    label: str
    score: float
    mask: Mask | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class PhotoObjects:
    """The objects of one photo as a file states them; `size` (width, height) is what the boxes are measured in."""

    file: str
    size: Size | None
    objects: tuple[DetectedObject, ...]

    def at(self, size: Size) -> list[DetectedObject]:
        """The objects with their boxes and masks scaled to a photo of `size`."""
        if self.size is None or self.size == size:
            return list(self.objects)
        x, y = size[0] / self.size[0], size[1] / self.size[1]
        return [replace(o, box=scaled(o.box, x, y), mask=o.mask and o.mask.scaled(x, y)) for o in self.objects]


def plain_objects(objects: Iterable[DetectedObject | Box]) -> list[DetectedObject]:
    """Objects; a plain box (x0, y0, x1, y1) becomes one. Raises ValueError for what is neither."""
    return [item if isinstance(item, DetectedObject) else _of_box(item) for item in objects]


def _of_box(box: Box) -> DetectedObject:
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError):
        raise ValueError(f"an object is a DetectedObject or a box (x0, y0, x1, y1), not {box!r}") from None
    return DetectedObject((x0, y0, x1, y1), "object", 1.0)


def without_masks(objects: Iterable[DetectedObject]) -> tuple[DetectedObject, ...]:
    """The objects as boxes alone."""
    return tuple(replace(item, mask=None) for item in objects)


def select(
    objects: Iterable[DetectedObject],
    size: Size,
    *,
    limit: int = LIMIT,
    min_score: float = 0.0,
    min_area: float = MIN_AREA,
    max_iou: float = MAX_IOU,
) -> list[DetectedObject]:
    """The objects worth coloring on their own in a photo of `size` (width, height), best scores first.

    Boxes are clipped to the photo. Dropped are: boxes without a finite visible part, scores that are not finite or
    under `min_score`, boxes under `min_area` (share of the photo), boxes that overlap a better one by more than
    `max_iou`, and what is beyond `limit` objects of `SMALL_AREA` and more, or beyond three times as many in all: a
    group of people still gets its faces. Objects of equal score keep their order.
    """
    chosen: list[DetectedObject] = []
    large = 0
    usable = (o for o in objects if math.isfinite(o.score) and o.score >= min_score)
    for item in sorted(usable, key=lambda o: -o.score):
        box = clip(item.box, size)
        share = (box[2] - box[0]) * (box[3] - box[1]) / (size[0] * size[1]) if box else 0.0
        is_large = share >= SMALL_AREA
        if box is None or share < min_area or len(chosen) >= WITH_SMALL * limit or (is_large and large >= limit):
            continue
        if all(iou(box, other.box) <= max_iou for other in chosen):
            chosen.append(replace(item, box=box))
            large += is_large
    return chosen
