"""Key frames: the frames of a scene that the networks see, the objects in them, and what people lend them.

Objects are looked for in some key frames and carried to the others by the flow; one that is not found again stays for
a while, because objects that come and go between frames are the worst flicker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..objects import Box, DetectedObject, clip, iou
from .answers import SmallAnswer
from .motion import Floats, Motion

SAME = 0.4  # overlap (intersection over union) from which a found object is the carried one
FAITH = 0.6  # what is left of the score of a carried object each time it is not found
LEAST_SCORE = 0.2  # below it a carried object is given up
LENT_KEPT = 0.998  # of its weight that a lent color has a key frame further on: the nearer of two lenders wins
LENT_WHOLE = 0.5  # weight from which on a lent color counts alone


@dataclass(frozen=True, eq=False)
class Lent:
    """Colors that a person gave a frame, and how far each place has them."""

    ab: Floats  # (h, w, 2)
    weight: Floats  # (h, w) 0..1

    def carried(self, motion: Motion) -> Lent:
        """Seen from the motion's own frame."""
        sure = motion.at(self.weight.shape).sure
        return Lent(motion.bring(self.ab), LENT_KEPT * sure * motion.bring(self.weight))

    def with_(self, other: Lent | None) -> Lent:
        """Both lenders, each as far as its weight goes."""
        if other is None:
            return self
        whole = self.weight + other.weight
        share = (self.weight / np.maximum(whole, 1e-6))[..., None]
        return Lent(share * self.ab + (1 - share) * other.ab, np.maximum(self.weight, other.weight))

    def over(self, ab: Floats) -> Floats:
        """The colors ab (h, w, 2) with these in their place."""
        share = (self.weight / LENT_WHOLE).clip(0, 1)[..., None]
        return np.asarray(share * self.ab + (1 - share) * ab, np.float32)


@dataclass(frozen=True, eq=False)
class Step:
    """A frame between two key frames."""

    number: int
    back: Motion
    """To the key frame before it."""
    on: Motion
    """To the key frame after it."""
    share: float
    """0..1, how far it is on the way."""


@dataclass(eq=False)
class Key:
    """A key frame, and the frames from the key frame before it up to it."""

    number: int
    answer: SmallAnswer
    objects: tuple[DetectedObject, ...]
    back: Motion | None = None
    """To the key frame before it in its scene; None for the first."""
    there: Motion | None = None
    """From that one to this."""
    between: tuple[Step, ...] = ()
    lent: Lent | None = None

    @property
    def apart(self) -> int:
        """Frames from the key frame before it."""
        return len(self.between) + 1


def carried(objects: Iterable[DetectedObject], there: Motion, size: tuple[int, int]) -> list[DetectedObject]:
    """The objects of a frame of `size` (width, height) where the motion from it leads; those that leave it are left."""
    result = []
    for item in objects:
        x0, y0, x1, y1 = item.box
        height, width = there.sure.shape
        x, y = width / size[0], height / size[1]
        rows = slice(int(y0 * y), max(int(y0 * y) + 1, int(np.ceil(y1 * y))))
        columns = slice(int(x0 * x), max(int(x0 * x) + 1, int(np.ceil(x1 * x))))
        sure = there.sure[rows, columns] > 0.5
        if not sure.any():
            result.append(item)
            continue
        dx, dy = np.median(there.flow[rows, columns][sure], 0) / (x, y)
        dx, dy = float(dx), float(dy)
        box = clip(_shifted(item.box, dx, dy), size)
        if box is None or _area(box) < _area(item.box) / 3:
            continue
        mask = item.mask and replace(item.mask, box=_shifted(item.mask.box, dx, dy))
        result.append(replace(item, box=box, mask=mask))
    return result


def merged(
    found: Iterable[DetectedObject], carried: Iterable[DetectedObject], limit: int
) -> tuple[DetectedObject, ...]:
    """What was found in a frame and, fading, what was carried there and not found; the best `limit`."""
    objects = list(found)
    for item in carried:
        if any(iou(item.box, other.box) > SAME for other in objects) or item.score * FAITH < LEAST_SCORE:
            continue
        objects.append(replace(item, score=item.score * FAITH))
    return tuple(sorted(objects, key=lambda item: -item.score)[:limit])


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _shifted(box: Box, dx: float, dy: float) -> Box:
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy
