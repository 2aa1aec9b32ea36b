"""How much of an object counts where: its mask, and less towards the edge of its box, so that no rectangle is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..objects import Mask, Size

Plane = NDArray[np.float32]

CELLS = 48  # along each side of a crop: masks have as many over it, or fewer
SURE, UNSURE = 0.05, 0.25  # of a box's side, from its edge inwards, over which an object comes to count in full
DOUBT_FROM, DOUBT_TO = 0.15, 0.5  # doubt of a mask up to which it is sure, and from which it says no more than the box


def coverage(crops: Plane, boxes: Plane, size: Size, masks: Sequence[Mask | None]) -> Plane:
    """(N, 1, CELLS, CELLS) over the crops (N, 4) of boxes (N, 4), in pixels of a photo of `size` (width, height).

    0 outside the boxes, 1 in the middle of an object. An edge of a box that is the photo's own takes nothing away.
    """
    planes = np.ones((len(crops), 1, CELLS, CELLS), np.float32)
    for plane, crop, box, mask in zip(planes, crops.tolist(), boxes.tolist(), masks, strict=True):
        margin = UNSURE
        if mask is not None:
            plane[0] = mask.coverage((crop[0], crop[1], crop[2], crop[3]), (CELLS, CELLS))
            margin = float(np.interp(mask.doubt, (DOUBT_FROM, DOUBT_TO), (SURE, UNSURE)))
        columns, rows = (_ramp(crop[i::2], box[i::2], size[i], margin) for i in (0, 1))
        plane[0] *= np.outer(rows, columns).astype(np.float32)
    return planes


def _ramp(crop: Sequence[float], box: Sequence[float], limit: int, margin: float) -> NDArray[np.float64]:
    """(CELLS,) along one axis: 0 from the box's edges outwards, 1 from the margin inwards."""
    start, end = box
    centers = crop[0] + (np.arange(CELLS) + 0.5) * ((crop[1] - crop[0]) / CELLS)
    width = margin * (end - start)
    low = np.ones(CELLS) if start <= 0 else (centers - start) / width
    high = np.ones(CELLS) if end >= limit else (end - centers) / width
    return np.minimum(low, high).clip(0, 1)
