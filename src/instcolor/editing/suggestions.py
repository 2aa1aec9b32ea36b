"""Colors to choose among, from the network's own distribution: at a spot, over an object, for whole alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import styles
from ..bins import BIN_CENTERS
from ..hints import Hints
from ..objects import Box, DetectedObject, Size

COUNT = 6  # colors at a spot
APART = 22.0  # distance in ab from which two colors are told apart as different suggestions
SPREAD = 0.6  # temperature above the network's own certainty, so that rarer colors are offered too
OBJECT_SHARE = 0.5  # of a box, around its middle, that surely shows the object
OBJECT_POINTS = 3  # hints on each side of that part
AS_LIKELY = 0.5  # a color is put where it is so likely at least, beside the place where it is likeliest
FAINTEST_CELL = 0.05  # weight of a cell in the corner of a region against one in its middle
PLAIN = 8.0  # chroma below which a color counts as gray


class Suggestion(NamedTuple):
    """A color that the network holds possible, and how likely it is beside the others, 0..1."""

    a: float
    b: float
    share: float


def middle(box: Box, share: float = OBJECT_SHARE) -> Box:
    """The part around the middle of a box that has `share` of its sides."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    dx, dy = (box[2] - box[0]) / 2 * share, (box[3] - box[1]) / 2 * share
    return x - dx, y - dy, x + dx, y + dy


def suggest(logits: NDArray[np.float32], size: Size, region: Box, *, count: int = COUNT) -> list[Suggestion]:
    """The likeliest colors over a region of a photo, most likely first, no two alike.

    Args:
        logits: (h, w, bins), the network's distribution over a photo of `size` (width, height).
        region: (x0, y0, x1, y1) in pixels, as the box of an object, whose middle counts more than its corners, which
            show what is behind it; a spot is a region without extent.
    """
    rows, columns = _cells(region[1::2], logits.shape[0], size[1]), _cells(region[0::2], logits.shape[1], size[0])
    cells = styles.probabilities(logits[rows, columns].astype(np.float32), 1 + SPREAD)
    weights = _roundness(cells.shape[0], cells.shape[1])
    p = (cells * weights[..., None]).sum((0, 1)) / weights.sum()
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
    """(k, 4) points of one color over the middle of an object, as `Hints` takes them."""
    x0, y0, x1, y1 = middle(box)
    x, y = np.meshgrid(np.linspace(x0, x1, OBJECT_POINTS), np.linspace(y0, y1, OBJECT_POINTS))
    points = np.empty((x.size, 4), np.float32)
    points[:, 0], points[:, 1], points[:, 2:] = x.ravel(), y.ravel(), color
    return points


def alternatives(
    logits: NDArray[np.float32], size: Size, objects: Sequence[DetectedObject], *, count: int = 3, seed: int = 0
) -> list[Hints]:
    """Other plausible colorings, as hints: each gives every object one color of its own suggestions.

    The color is hinted at where it is likely, which in an object that has several parts may be one of them: the coat
    and not the face. The most likely color of an object is left out, as the first coloring has it already. Without
    objects the photo is the object. The same seed gives the same alternatives. `logits` (h, w, bins) lie over the whole
    photo of `size` (width, height).
    """
    rng = np.random.default_rng(seed)
    boxes = [o.box for o in objects] or [(0.0, 0.0, float(size[0]), float(size[1]))]
    choices = []
    for box in boxes:
        found = suggest(logits, size, box, count=count + 2)
        colorful = [s for s in found[1:] if np.hypot(s.a, s.b) > PLAIN] or found
        weights = np.array([s.share for s in colorful]) ** 0.5
        draws = min(count, len(colorful))
        order = rng.choice(len(colorful), draws, replace=False, p=weights / weights.sum())
        choices.append([colorful[i] for i in order])
    return [
        Hints(
            np.concatenate(
                [
                    _likely_hints(logits, size, box, found[k % len(found)])
                    for box, found in zip(boxes, choices, strict=True)
                ]
            )
        )
        for k in range(count)
    ]


def _likely_hints(logits: NDArray[np.float32], size: Size, box: Box, color: Suggestion) -> NDArray[np.float32]:
    """(k, 4) points of a color, one at most in each part of a box, where it is likeliest."""
    rows, columns = _cells(box[1::2], logits.shape[0], size[1]), _cells(box[0::2], logits.shape[1], size[0])
    near = np.linalg.norm(BIN_CENTERS - color[:2], axis=1) < APART
    share = styles.probabilities(logits[rows, columns].astype(np.float32), 1 + SPREAD)[..., near].sum(-1)
    inside = share * _roundness(*share.shape)
    points = []
    for down in np.array_split(np.arange(share.shape[0]), OBJECT_POINTS):
        for across in np.array_split(np.arange(share.shape[1]), OBJECT_POINTS):
            part = np.ix_(down, across)
            if inside[part].size == 0:
                continue
            y, x = np.unravel_index(inside[part].argmax(), inside[part].shape)
            if share[part][y, x] >= AS_LIKELY * share.max():
                row, column = rows.start + down[y] + 0.5, columns.start + across[x] + 0.5
                points.append((column / logits.shape[1] * size[0], row / logits.shape[0] * size[1], *color[:2]))
    return np.array(points, np.float32)


def _roundness(rows: int, columns: int) -> NDArray[np.float32]:
    """(rows, columns) weights that fall from the middle to the sides, as an object fills its box."""
    y, x = ((np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1 for n in (rows, columns))
    return np.maximum(1 - x**2 - y[:, None] ** 2, np.float32(FAINTEST_CELL))


def _cells(ends: tuple[float, ...], cells: int, pixels: int) -> slice:
    """The cells of a grid of that many over that many pixels that an interval touches, at least one."""
    first = min(max(int(ends[0] / pixels * cells), 0), cells - 1)
    last = min(max(int(np.ceil(ends[1] / pixels * cells)), first + 1), cells)
    return slice(first, last)
