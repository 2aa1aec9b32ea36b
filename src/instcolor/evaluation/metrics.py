"""Metrics between two pictures, as pure functions on 8-bit sRGB (h, w, 3) unless told otherwise.

PSNR, SSIM and the CIEDE2000 difference agree with scikit-image to 1e-4; the tests compare them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..colorspace import srgb_to_lab

Picture = NDArray[np.uint8]
WINDOW = 7  # side of SSIM's window
STRIP_ROWS = 16


def squared_error(a: Picture, b: Picture) -> NDArray[np.float32]:
    """(h, w) squared difference of the 8-bit values, mean over the channels."""
    answer: NDArray[np.float32] = np.square(a.astype(np.float32) - b.astype(np.float32)).mean(-1)
    return answer


MAX_PSNR = 100.0
"""What identical pictures count in a table, so that a mean stays finite."""


def psnr_of(mean_squared_error: float) -> float:
    """Peak signal to noise ratio in dB of 8-bit pictures; infinite where there is no error."""
    return 10 * math.log10(255**2 / mean_squared_error) if mean_squared_error > 0 else math.inf


def psnr(a: Picture, b: Picture) -> float:
    """Peak signal to noise ratio in dB over all pixels and channels."""
    return psnr_of(float(squared_error(a, b).mean(dtype=np.float64)))


def ssim(a: Picture, b: Picture) -> float:
    """Structural similarity (Wang et al. 2004): 7 x 7 uniform window, sample covariance, mean over the channels.

    Raises ValueError for a picture smaller than the window.
    """
    if min(a.shape[:2]) < WINDOW:
        raise ValueError(f"a picture of {a.shape[1]} x {a.shape[0]} pixels is smaller than the window of {WINDOW}")
    rows = a.shape[0] - WINDOW + 1
    total = 0.0
    for top in range(0, rows, STRIP_ROWS):  # strips stay in the processor's cache
        strip = slice(top, min(top + STRIP_ROWS, rows) + WINDOW - 1)
        total += float(_similarity(*(np.ascontiguousarray(p[strip].transpose(2, 0, 1), np.float64) for p in (a, b))))
    answer: float = total / (rows * (a.shape[1] - WINDOW + 1) * a.shape[2])
    return answer


def _similarity(x: NDArray[np.float64], y: NDArray[np.float64]) -> np.float64:
    """Sum of the local similarities of (c, h, w) planes."""
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    var_x = unbiased * (_window_mean(x * x) - mean_x**2)
    var_y = unbiased * (_window_mean(y * y) - mean_y**2)
    covariance = unbiased * (_window_mean(x * y) - mean_x * mean_y)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    return np.sum(similarity)


def _window_mean(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over each whole 7 x 7 square of (c, h, w), by sums of 2, of 4, of 4 + 2 + 1."""
    for axis in (1, 2):
        count = planes.shape[axis]

        def part(array: NDArray[np.float64], start: int, stop: int, axis: int = axis) -> NDArray[np.float64]:
            return array[:, start:stop] if axis == 1 else array[:, :, start:stop]

        two = part(planes, 0, count - 1) + part(planes, 1, count)
        four = part(two, 0, count - 3) + part(two, 2, count - 1)
        planes = part(four, 0, count - 6) + part(two, 4, count - 2) + part(planes, 6, count)
    return planes / WINDOW**2


def colorfulness(picture: Picture) -> float:
    """Hasler and Suesstrunk 2003: spread and mean of the two opponent colors, signed as they define them."""
    red, green, blue = (picture[..., i].astype(np.float32) for i in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    spread = math.hypot(rg.std(dtype=np.float64), yb.std(dtype=np.float64))
    return spread + 0.3 * math.hypot(rg.mean(dtype=np.float64), yb.mean(dtype=np.float64))


def lab_of(picture: Picture) -> NDArray[np.float32]:
    """(h, w, 3) L*a*b* of 8-bit sRGB."""
    return np.asarray(srgb_to_lab(picture.astype(np.float32) / 255), np.float32)


def delta_e2000(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """(...) CIEDE2000 difference of L*a*b* (..., 3) arrays, unit weights (Sharma, Wu, Dalal 2005)."""
    L1, a1, b1 = np.moveaxis(a, -1, 0)
    L2, a2, b2 = np.moveaxis(b, -1, 0)
    mean_chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - np.sqrt(mean_chroma7 / (mean_chroma7 + 25.0**7)))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = np.arctan2(b1, a1 * stretch), np.arctan2(b2, a2 * stretch)

    turn = h2 - h1
    turn = turn - 2 * np.pi * np.sign(turn) * (np.abs(turn) > np.pi)
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(turn / 2)
    hue = np.where(c1 * c2 > 0, h1 + turn / 2, h1 + h2)  # the mean on the shorter way round
    L, chroma = (L1 + L2) / 2, (c1 + c2) / 2

    tilt = 1 - 0.17 * np.cos(hue - np.pi / 6) + 0.24 * np.cos(2 * hue)
    tilt += 0.32 * np.cos(3 * hue + np.pi / 30) - 0.20 * np.cos(4 * hue - np.deg2rad(63))
    s_L = 1 + 0.015 * (L - 50) ** 2 / np.sqrt(20 + (L - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * tilt
    degrees = np.rad2deg(np.mod(hue, 2 * np.pi))
    chroma7 = chroma**7
    rotation = -2 * np.sqrt(chroma7 / (chroma7 + 25.0**7))
    rotation = rotation * np.sin(np.deg2rad(60) * np.exp(-(((degrees - 275) / 25) ** 2)))

    lightness, color, angle = (L2 - L1) / s_L, (c2 - c1) / s_c, d_hue / s_h
    square = lightness**2 + color**2 + angle**2 + rotation * color * angle
    answer: NDArray[np.floating] = np.sqrt(np.maximum(square, 0))
    return answer
