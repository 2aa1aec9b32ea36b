"""From pixel values to L*, always through linear light."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from instcolor.colorspace import srgb8_to_L, srgb_to_lab


def lightness(pixels: NDArray, levels: int) -> NDArray[np.float32]:
    """L* (h, w) in 0..100 of sRGB-encoded pixels of any tint.

    Args:
        pixels: unsigned integers 0..levels - 1, (h, w) grey or (h, w, 3) red, green, blue.
        levels: number of values that a channel may have, 256 or 65536 (4096 for 12-bit scans).
    """
    if pixels.ndim == 2:
        return _grey_table(levels).take(pixels, mode="clip")
    if levels == 256:
        return srgb8_to_L(pixels)
    return np.asarray(srgb_to_lab(pixels / np.float32(levels - 1))[..., 0], np.float32)


@cache
def _grey_table(levels: int) -> NDArray[np.float32]:
    """(levels,) L* of every grey value."""
    grey = np.linspace(0.0, 1.0, levels)
    return np.asarray(srgb_to_lab(np.stack([grey] * 3, axis=-1))[:, 0], np.float32)


def spread(values: NDArray, whites: tuple[float, ...]) -> tuple[NDArray[np.uint16], bool]:
    """Brings numbers without a declared white (wide integers, floats) to 0..65535.

    White is the smallest of `whites` that no value exceeds. Where there is none, or values are negative, the darkest
    and the lightest value become black and white. Values that are not finite count as black.

    Returns:
        The 16-bit values, same shape, and whether they had to be stretched.
    """
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    white = next((limit for limit in whites if high <= limit), None)
    stretched = white is None or low < 0
    if white is None or low < 0:
        values -= low
        white = max(high - low, 1e-30)
    return np.rint(values * (65535 / white)).astype(np.uint16), stretched
