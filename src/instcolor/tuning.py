"""What a person turns after the networks have spoken: style as a slider, saturation, strength, warmth. No network runs.

All of it is linear in a few small planes, so that a page can do the same while a slider moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import styles

Plane = NDArray[np.float32]

WARM = (3.0, 12.0)
"""a* and b* that full warmth adds everywhere: the way from overcast to evening light."""
ANCHORS = tuple(styles.STYLES)
"""The styles that the slider passes, from 0 to 1 at equal distances."""


def position(style: str | float) -> float:
    """Where a style, a name or a number, stands on the slider, 0..1. ValueError where there is no such style."""
    if isinstance(style, str) and style in ANCHORS:
        return ANCHORS.index(style) / (len(ANCHORS) - 1)
    if isinstance(style, (int, float)) and 0 <= style <= 1:
        return float(style)
    raise ValueError(f"no style {style!r}: {', '.join(ANCHORS)}, or a number from 0 to 1")


@dataclass(frozen=True)
class Tuning:
    """How a look is painted.

    Args:
        style: 0..1 from the first of `ANCHORS` to the last.
        saturation: factor on the style's colors, 1 leaves them.
        strength: 0 is gray, 1 is full color.
        warmth: -1 (cool) to 1 (warm), 0 leaves the colors.
    """

    style: float = position(styles.DEFAULT)
    saturation: float = 1.0
    strength: float = 1.0
    warmth: float = 0.0


def tuned(anchor: Callable[[int], Plane], tuning: Tuning) -> Plane:
    """(h, w, 2) ab between the anchors as `tuning` says; `anchor` gives the plane of one of `ANCHORS` by its index."""
    place = min(max(tuning.style, 0.0), 1.0) * (len(ANCHORS) - 1)
    left = min(int(place), len(ANCHORS) - 2)
    share = np.float32(place - left)
    if share == 1:
        left, share = left + 1, np.float32(0)
    mixed = anchor(left) if share == 0 else (1 - share) * anchor(left) + share * anchor(left + 1)
    warm = np.array(WARM, np.float32) * np.float32(tuning.warmth)
    return np.asarray((mixed * np.float32(tuning.saturation) + warm) * np.float32(tuning.strength), np.float32)
