"""Rectangles: how much what the objects bring changes across the edges of their boxes.

Needs no truth: the color with objects minus the color without is to be seen at the edge of a box, or it is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...objects import DetectedObject, Size

Plane = NDArray[np.float32]

SHORT_SIDE = 96  # cells
INSIDE, BEYOND = 1, 2  # cells from the first one inside the edge, in both directions: three apart


class Edge(NamedTuple):
    """`item` is the object's place among those given; `jump` in Lab units, mean along the edge."""

    item: int
    side: str
    jump: float


def edges(change: Plane, objects: Sequence[DetectedObject], size: Size) -> Iterator[Edge]:
    """The edges of boxes within the photo; those at its border are nobody's.

    Args:
        change: (h, w, 2) ab with the objects minus ab without them.
        objects: boxes in pixels of a photo of `size` (width, height).
    """
    small = _small(change)
    height, width = small.shape[:2]
    for index, item in enumerate(objects):
        x0, x1 = (round(item.box[i] * width / size[0]) for i in (0, 2))
        y0, y1 = (round(item.box[i] * height / size[1]) for i in (1, 3))
        across, down = small[max(0, y0) : y1], small[:, max(0, x0) : x1].swapaxes(0, 1)
        for planes, first, last, names in ((across, x0, x1, ("left", "right")), (down, y0, y1, ("top", "bottom"))):
            for name, inside, beyond in (
                (names[0], first + INSIDE, first - BEYOND),
                (names[1], last - 1 - INSIDE, last - 1 + BEYOND),
            ):
                if len(planes) and 0 <= beyond < planes.shape[1]:
                    near = planes[:, min(max(0, inside), planes.shape[1] - 1)]
                    yield Edge(index, name, float(np.linalg.norm(near - planes[:, beyond], axis=-1).mean()))


def _small(planes: Plane) -> Plane:
    """Means over cells, `SHORT_SIDE` of them on the shorter side."""
    height, width = planes.shape[:2]
    scale = SHORT_SIDE / min(height, width)
    cells = round(width * scale), round(height * scale)
    parts = [Image.fromarray(np.ascontiguousarray(planes[..., i])) for i in range(planes.shape[-1])]
    return np.stack([np.asarray(part.resize(cells, Image.Resampling.BOX)) for part in parts], -1)
