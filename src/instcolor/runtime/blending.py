"""Any colorizer made instance-aware: objects are colored from their crops and blended in at the output.

For networks that fusion cannot reach into (they have no taps, or nobody trained a fusion for them). It is the masked
softmax of Su et al. 2020, once and at the end, with weights that follow from the geometry alone: an object
counts the more, against the photo's 1, the larger its crop shows it, as far as its coverage goes: nothing at the border
of its box, so that no seam is seen, and where its mask says that it is not.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from ..inputs import Canvas, Inputs, Sizes
from ..upsampling import resize_plane
from .model import Answer, Plane


class Network(Protocol):
    """What colors one picture, the photo or the crop of an object."""

    def __call__(self, picture: Canvas[Plane]) -> Answer: ...


class BlendedModel:
    """A color model of one network that colors the photo and, one after the other, its objects."""

    def __init__(self, network: Network, sizes: Sizes) -> None:
        self.network, self.sizes = network, sizes

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """The colors of the photo with those of its objects, each weighed by how much larger its crop shows it."""
        places = inputs.places
        blends = [Blend(plane) for plane in self.network(inputs.photo)]
        for i in range(len(places.box)):
            alone = self.network(Canvas(*(plane[i : i + 1] for plane in inputs.objects)))
            odds = magnification(inputs, i)
            for blend, plane in zip(blends, alone, strict=True):
                blend.add(plane, places.crop[i], places.box[i], odds, places.coverage[i, 0])
        return Answer(*(blend.result() for blend in blends))


def magnification(inputs: Inputs[Plane], i: int) -> float:
    """How much larger its crop shows object i than the whole photo does, in pixels that the photo really has."""
    height, width = inputs.photo.L.shape[2:]
    side = inputs.objects.L.shape[2]
    x0, y0, x1, y1 = inputs.places.crop[i]
    seen = np.minimum(np.exp2(inputs.places.pixels[i]), side)  # wide and high in the crop
    return math.sqrt(float(seen[0] * seen[1]) / float((x1 - x0) * width * (y1 - y0) * height))


class Blend:
    """The photo's plane (H, W, C) and those of objects, each within its box. Boxes, crops: shares of the photo."""

    def __init__(self, plane: Plane) -> None:
        self.total = plane.astype(np.float32)  # always a copy
        self.odds = np.ones((*plane.shape[:2], 1), np.float32)  # the photo's are 1

    def add(self, plane: Plane, crop: Plane, box: Plane, odds: float, coverage: Plane) -> None:
        """One object's plane (h, w, C) of its crop; `odds` are its own in the middle of the box, `coverage` (h, w) over
        the crop says how much of them counts where, 0..1."""
        (top, bottom), (left, right) = (_cells(box[i], box[i + 2], self.total.shape[1 - i]) for i in (1, 0))
        size = (bottom - top, right - left)

        def cut(given: Plane) -> Plane:
            x = _places((left, right), self.total.shape[1], crop[0::2], given.shape[1])
            y = _places((top, bottom), self.total.shape[0], crop[1::2], given.shape[0])
            return resize_plane(given, size, (x[0], y[0], x[1], y[1]))

        share = odds * cut(coverage)[..., None]
        pasted = np.stack([cut(plane[..., c]) for c in range(plane.shape[2])], -1)
        self.total[top:bottom, left:right] += share * pasted
        self.odds[top:bottom, left:right] += share

    def result(self) -> Plane:
        """(H, W, C) float32: the mean, weighed by the odds, of all that was added."""
        return np.asarray(self.total / self.odds, np.float32)


def _cells(start: float, end: float, cells: int) -> tuple[int, int]:
    """The cells, at least one, that an interval of shares touches."""
    first = min(int(start * cells), cells - 1)
    return first, min(max(math.ceil(end * cells), first + 1), cells)


def _places(cells: tuple[int, int], grid: int, crop: Plane, pixels: int) -> tuple[float, float]:
    """Where cells of the photo's grid start and end in a crop of so many pixels, at most at its ends."""
    start, end = (float(np.clip((c / grid - crop[0]) / (crop[1] - crop[0]), 0, 1)) * pixels for c in cells)
    return min(start, pixels - 1e-3), max(end, start + 1e-3)
