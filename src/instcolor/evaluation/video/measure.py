"""The figures of one clip in one way of coloring it.

Warp error after Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018), in ab instead of RGB; color
distribution consistency (CDC) after Liu et al., "Temporally Consistent Video Colorization" (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...video.coding import Plane
from ..metrics import MAX_PSNR, Picture, colorfulness, lab_of, psnr_of, squared_error
from .clips import CODING, Clip, Move

APART = (1, 2, 4)  # frames between the pictures whose histograms CDC compares
Chroma = Sequence[tuple[Plane, Plane]]


@dataclass(frozen=True)
class Score:
    """One clip, colored in one way."""

    clip: str
    source: str
    kind: str
    style: str
    method: str
    psnr: float
    """dB over all frames and channels."""
    over_gray: float
    """dB more than the gray clip."""
    warp_error: float
    """Mean distance of ab in a place and of ab where it was a frame before, over the places that both frames show."""
    cdc: float
    colorfulness: float


def measure(clip: Clip, UV: Chroma, style: str, method: str) -> Score:
    """Scores U and V of a clip, planes of half its sides."""
    errors, gray_errors, warp, colorful = [], [], [], []
    pictures: list[Picture] = []
    before = None
    for Y, clean, own, true, move in zip(clip.Y, clip.clean, UV, clip.UV, clip.moves, strict=True):
        picture, truth = _picture(Y, own), _picture(Y, true)
        errors.append(float(squared_error(picture, truth).mean()))
        gray_errors.append(float(squared_error(np.repeat(Y[..., None], 3, 2), truth).mean()))
        colorful.append(colorfulness(picture))
        pictures.append(picture)
        ab = lab_of(_picture(clean, own))[..., 1:]
        if before is not None and move is not None and move.known.any():
            warp.append(_warp_error(before, ab, move))
        before = ab
    psnr, gray = (min(MAX_PSNR, psnr_of(float(np.mean(each)))) for each in (errors, gray_errors))
    steady = float(np.mean(warp)) if warp else 0.0
    return Score(
        clip.name,
        clip.source,
        clip.kind,
        style,
        method,
        psnr,
        psnr - gray,
        steady,
        distribution_consistency(pictures),
        float(np.mean(colorful)),
    )


def distribution_consistency(pictures: Sequence[Picture]) -> float:
    """CDC: Jensen-Shannon divergence (nats) of the histograms of frames `APART`, mean over channels, pairs, distances.

    8-bit pictures (h, w, 3) in order; 0 for a single one.
    """
    histograms = np.stack([_histograms(picture) for picture in pictures])
    values = [
        float(_divergence(histograms[:-apart], histograms[apart:]).mean()) for apart in APART if apart < len(pictures)
    ]
    return float(np.mean(values)) if values else 0.0


def _histograms(picture: Picture) -> NDArray[np.float64]:
    """(3, 256) shares."""
    counts = np.stack([np.bincount(picture[..., channel].ravel(), minlength=256) for channel in range(3)])
    return np.asarray(counts / counts.sum(1, keepdims=True), np.float64)


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = (p + q) / 2
    parts = [
        np.where(one > 0, one * np.log(np.where(one > 0, one, 1) / np.where(one > 0, middle, 1)), 0).sum(-1)
        for one in (p, q)
    ]
    return np.asarray(sum(parts) / 2)


def _warp_error(before: NDArray[np.float32], ab: NDArray[np.float32], move: Move) -> float:
    places = move.places[..., 0], move.places[..., 1]
    moved = cv2.remap(before, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return float(np.abs(moved - ab)[move.known].mean())


def _picture(Y: Plane, UV: tuple[Plane, Plane]) -> Picture:
    U, V = (cv2.resize(plane, Y.shape[::-1], interpolation=cv2.INTER_LINEAR) for plane in UV)
    return np.rint(255 * CODING.color(Y, U, V)).astype(np.uint8)
