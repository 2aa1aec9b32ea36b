"""What the networks say of a key frame, kept small, and its mean along the motion of a scene.

A film's key frames are many, so the distribution is kept on half the grid and in sixteen steps (on `val` that costs no
PSNR: the mean over four cells even gains some), the regression on its own grid. The mean is taken of distributions,
before a style picks a color of them: the mean of colors that were picked frame by frame would be dull.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import styles
from ..runtime.model import Answer
from .motion import Floats, Motion

STEPS = 15  # of the square root of a probability over the largest of its cell
AB_STEPS = 16  # of one unit of a* or b*
POOLED = 2  # cells of the networks' distribution that become one, each way


class SmallAnswer(NamedTuple):
    """An answer of the networks as it is kept: a tenth of a megabyte before it is compressed."""

    share: NDArray[np.uint8]  # (h, w, bins) 0..STEPS
    ab: NDArray[np.int16]  # (h', w', 2) in sixteenths

    @classmethod
    def of(cls, answer: Answer) -> SmallAnswer:
        """The distribution on half its grid, in sixteen steps of its root; ab in sixteenths of a Lab unit."""
        p = styles.probabilities(answer.logits, 1.0)
        shape = max(1, p.shape[0] // POOLED), max(1, p.shape[1] // POOLED)
        pooled = _resized(p, shape)
        share = np.rint(STEPS * np.sqrt(pooled / pooled.max(-1, keepdims=True))).astype(np.uint8)
        return cls(share, np.rint(AB_STEPS * answer.ab).clip(-2048, 2047).astype(np.int16))

    def sum(self) -> Sum:
        """As a sum of one."""
        p = np.square(self.share, dtype=np.float32)
        p /= p.sum(-1, keepdims=True)
        ab = np.asarray(self.ab / np.float32(AB_STEPS), np.float32)
        return Sum(p, np.ones(p.shape[:2], np.float32), ab, np.ones(ab.shape[:2], np.float32))


@dataclass(frozen=True, eq=False)
class Sum:
    """Distributions and regressions of several frames on the places of one, each place with its own weight."""

    p: Floats  # (h, w, bins)
    p_weight: Floats  # (h, w)
    ab: Floats  # (h', w', 2)
    ab_weight: Floats  # (h', w')

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            self.p + other.p,
            self.p_weight + other.p_weight,
            self.ab + other.ab,
            self.ab_weight + other.ab_weight,
        )

    def carried(self, motion: Motion, share: float) -> Sum:
        """`share` of what `motion` finds of it, seen from the motion's own frame."""
        planes = []
        for values, weight in ((self.p, self.p_weight), (self.ab, self.ab_weight)):
            factor = share * motion.at(weight.shape).sure
            planes += [motion.bring(values) * factor[..., None], motion.bring(weight) * factor]
        return Sum(*planes)

    def mean(self) -> Answer:
        """As the networks would answer."""
        p = self.p / self.p_weight[..., None]
        return Answer(self.ab / self.ab_weight[..., None], np.log(np.maximum(p, 1e-6)))


def _resized(planes: Floats, shape: tuple[int, int]) -> Floats:
    return np.stack(
        [
            cv2.resize(np.ascontiguousarray(planes[..., i]), shape[::-1], interpolation=cv2.INTER_AREA)
            for i in range(planes.shape[-1])
        ],
        -1,
    )
