"""From what a network says to objects: clipped to the photo, each once, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..coco import COCO_NAMES
from ..objects import DetectedObject, Mask

LIMIT = 100  # objects that a detector hands out; which are colored is for objects.select
CANDIDATES = 1000  # boxes that enter the suppression of overlaps
COCO_80: Mapping[int, str] = dict(enumerate(COCO_NAMES))


class Findings(NamedTuple):
    """Raw findings in pixels of the photo."""

    boxes: NDArray[np.float32]  # (n, 4) x0, y0, x1, y1
    scores: NDArray[np.float32]  # (n,)
    classes: NDArray[np.integer]  # (n,)
    masks: NDArray[np.float32] | None = None  # (n, h, w) probabilities, each stretched over its box


def best(
    findings: Findings,
    size: tuple[int, int],
    *,
    threshold: float,
    limit: int,
    labels: Mapping[int, str],
    overlap: float,
) -> list[DetectedObject]:
    """The objects of a photo of `size` (width, height), best first: scores of at least `threshold`, of boxes of one
    class that overlap by more than `overlap` the best, of those the first `limit`. Boxes are clipped to the photo."""
    whole, scores, classes, masks = findings
    boxes = np.clip(whole, 0, size * 2)  # NaN stays NaN
    usable = np.isfinite(boxes).all(axis=1) & (scores >= threshold)
    usable &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    places = np.flatnonzero(usable)
    kept = places[suppress(boxes[usable], scores[usable], classes[usable], overlap)[:limit]]
    return [
        DetectedObject(
            _box(boxes[i]),
            labels.get(int(classes[i]), f"class {int(classes[i])}"),
            float(scores[i]),
            # a copy: a view would keep the masks of all findings
            Mask(_box(whole[i]), masks[i].copy()) if masks is not None and np.isfinite(whole[i]).all() else None,
        )
        for i in kept
    ]


def suppress(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.integer], overlap: float
) -> list[int]:
    """Places of the boxes that no better box of their class overlaps by more than `overlap` (IoU), best first.

    `boxes` (k, 4), `scores` and `classes` (k,); of more than `CANDIDATES` only the best are looked at.
    """
    order = np.argsort(-scores, kind="stable")[:CANDIDATES]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(int(first))
        size = np.minimum(boxes[first, 2:], boxes[rest, 2:]) - np.maximum(boxes[first, :2], boxes[rest, :2])
        shared = np.prod(np.clip(size, 0, None), axis=1)
        same = shared > overlap * (area[first] + area[rest] - shared)
        order = rest[~(same & (classes[rest] == classes[first]))]
    return kept


def _box(row: NDArray[np.float32]) -> tuple[float, float, float, float]:
    return float(row[0]), float(row[1]), float(row[2]), float(row[3])
