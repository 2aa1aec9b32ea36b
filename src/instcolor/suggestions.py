"""Colours to choose among, from the network's own distribution: at a spot, over an object, for whole alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import styles
from .bins import BIN_CENTERS
from .hints import Hints
from .objects import Box, DetectedObject, Size

APART = 22.0  # distance in ab from which two colours are told apart as different suggestions
SPREAD = 0.6  # temperature above the network's own certainty, so that rarer colours are offered too
OBJECT_SHARE = 0.5  # of a box, around its middle, that surely shows the object
OBJECT_POINTS = 3  # hints on each side of that part
PLAIN = 8.0  # chroma below which a colour counts as grey


class Suggestion(NamedTuple):
    """A colour that the network holds possible, and how likely it is beside the others, 0..1."""

    a: float
    b: float
    share: float


def middle(box: Box, share: float = OBJECT_SHARE) -> Box:
    """The part around the middle of a box that has `share` of its sides."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    dx, dy = (box[2] - box[0]) / 2 * share, (box[3] - box[1]) / 2 * share
    return x - dx, y - dy, x + dx, y + dy


def suggest(logits: NDArray[np.float32], size: Size, region: Box, *, count: int = 6) -> list[Suggestion]:
    """The likeliest colours of a region of a photo, most likely first, no two alike.

    Args:
        logits: (h, w, bins), the network's distribution over a photo of `size` (width, height).
        region: (x0, y0, x1, y1) in pixels; a spot is a region without extent.
    """
    rows, columns = _cells(region[1::2], logits.shape[0], size[1]), _cells(region[0::2], logits.shape[1], size[0])
    p = styles.probabilities(logits[rows, columns].astype(np.float32), 1 + SPREAD).mean((0, 1))
    left = p.copy()
    found: list[Suggestion] = []
    while len(found) < count and left.max() > 0:
        peak = BIN_CENTERS[left.argmax()]
        near = np.linalg.norm(BIN_CENTERS - peak, axis=1) < APART
        weight = left * near
        a, b = (weight[:, None] * BIN_CENTERS).sum(0) / weight.sum()
        found.append(Suggestion(float(a), float(b), float(weight.sum())))
        left[near] = 0
    return sorted(found, key=lambda suggestion: -suggestion.share)


def object_hints(box: Box, color: tuple[float, float]) -> NDArray[np.float32]:
    """(k, 4) points of one colour over the middle of an object, as `Hints` takes them."""
    x0, y0, x1, y1 = middle(box)
    x, y = np.meshgrid(np.linspace(x0, x1, OBJECT_POINTS), np.linspace(y0, y1, OBJECT_POINTS))
    points = np.empty((x.size, 4), np.float32)
    points[:, 0], points[:, 1], points[:, 2:] = x.ravel(), y.ravel(), color
    return points


def alternatives(
    logits: NDArray[np.float32], size: Size, objects: Sequence[DetectedObject], *, count: int = 3, seed: int = 0
) -> list[Hints]:
    """Other plausible colourings, as hints: each gives every object one colour of its own suggestions.

    The most likely colour of an object is left out, as the first colouring has it already. Without objects the
    middle of the photo is the object. The same seed gives the same alternatives.
    """
    rng = np.random.default_rng(seed)
    boxes = [o.box for o in objects] or [(0.0, 0.0, float(size[0]), float(size[1]))]
    choices = []
    for box in boxes:
        found = suggest(logits, size, middle(box), count=count + 2)
        colorful = [s for s in found[1:] if np.hypot(s.a, s.b) > PLAIN] or found
        weights = np.array([s.share for s in colorful]) ** 0.5
        draws = min(count, len(colorful))
        order = rng.choice(len(colorful), draws, replace=False, p=weights / weights.sum())
        choices.append([colorful[i] for i in order])
    return [
        Hints(
            np.concatenate(
                [object_hints(box, found[k % len(found)][:2]) for box, found in zip(boxes, choices, strict=True)]
            )
        )
        for k in range(count)
    ]


def _cells(ends: tuple[float, ...], cells: int, pixels: int) -> slice:
    """The cells of a grid of that many over that many pixels that an interval touches, at least one."""
    first = min(max(int(ends[0] / pixels * cells), 0), cells - 1)
    last = min(max(int(np.ceil(ends[1] / pixels * cells)), first + 1), cells)
    return slice(first, last)
