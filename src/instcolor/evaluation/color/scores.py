"""What is kept of every result: a picture, an object, an edge of a box."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PictureScore:
    """One result against its truth. NaN is what was not asked for, and what a photo without a truth does not have."""

    photo: str
    model: str
    method: str
    style: str
    psnr: float
    ssim: float
    delta_e2000: float
    colorfulness: float
    truth_colorfulness: float
    lpips: float
    seconds: float  # of the networks and of coloring in this style
    spread: float = math.nan  # of ab, in regions whose true color is even
    truth_spread: float = math.nan
    inside_psnr: float = math.nan  # within the true outline
    outline_iou: float = math.nan  # of the fused object whose outline is most like it
    skin_chroma: float = math.nan  # mean where skin is marked
    truth_skin_chroma: float = math.nan
    skin_error: float = math.nan  # distance of the mean ab there from the true one


@dataclass(frozen=True)
class ObjectScore:
    """One object's crop, which is its box, in a result against the truth; NaN as above."""

    photo: str
    model: str
    method: str
    style: str
    label: str
    index: int  # among the photo's objects
    score: float
    share: float
    psnr: float
    ssim: float  # NaN also for a crop smaller than its window
    delta_e2000: float
    colorfulness: float
    truth_colorfulness: float
    lpips: float  # NaN also for small crops
    width: float = 1.0  # of the photo's
    hues: float = math.nan  # color families within the object's outline
    truth_hues: float = math.nan


@dataclass(frozen=True)
class EdgeScore:
    """How much what the objects bring changes from inside an edge of a box to beyond it."""

    photo: str
    model: str
    method: str
    style: str
    label: str
    index: int  # among the objects that were fused
    side: str
    jump: float  # Lab units, mean along the edge
