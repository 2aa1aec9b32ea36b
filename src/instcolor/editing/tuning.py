"""What a person turns after the networks have spoken: style as a slider, saturation, strength, warmth. No network runs.

All of it is linear in a few small planes, so that a page can do the same while a slider moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import styles
from ..colorizer import Look
from ..photo import Photo
from ..runtime.model import Answer
from ..upsampling import upsample_ab

WARM = (3.0, 12.0)
"""a* and b* that full warmth adds everywhere: the way from overcast to evening light."""
ANCHORS = tuple(styles.STYLES)
"""The styles that the slider passes, from 0 to 1 at equal distances."""


@dataclass(frozen=True)
class Tuning:
    """How a look is painted.

    Args:
        style: 0..1 from the first of `ANCHORS` to the last.
        saturation: factor on the style's colours, 1 leaves them.
        strength: 0 is grey, 1 is full colour.
        warmth: -1 (cool) to 1 (warm), 0 leaves the colours.
    """

    style: float = ANCHORS.index(styles.DEFAULT) / (len(ANCHORS) - 1)
    saturation: float = 1.0
    strength: float = 1.0
    warmth: float = 0.0


def position(style: str) -> float:
    """Where a named style stands on the slider. ValueError where there is none of that name."""
    return ANCHORS.index(style) / (len(ANCHORS) - 1)


def anchor_planes(answer: Answer) -> list[NDArray[np.float32]]:
    """(h, w, 2) ab of an answer in each of `ANCHORS`."""
    return [styles.apply(answer, styles.STYLES[name]) for name in ANCHORS]


def tuned(anchors: list[NDArray[np.float32]], tuning: Tuning) -> NDArray[np.float32]:
    """(h, w, 2) ab between the anchor planes, as `tuning` says."""
    place = min(max(tuning.style, 0.0), 1.0) * (len(anchors) - 1)
    left = min(int(place), len(anchors) - 2)
    share = np.float32(place - left)
    mixed = (1 - share) * anchors[left] + share * anchors[left + 1]
    warm = np.array(WARM, np.float32) * np.float32(tuning.warmth)
    return np.asarray((mixed * np.float32(tuning.saturation) + warm) * np.float32(tuning.strength), np.float32)


def paint(look: Look, tuning: Tuning) -> Photo:
    """The photo of a look at full size in these colours."""
    ab = tuned(anchor_planes(look.answer), tuning)
    sure = styles.confidence(look.answer.logits)
    return look.photo.with_color(upsample_ab(ab, look.photo.L), objects=look.objects, confidence=sure)
