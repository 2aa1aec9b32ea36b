"""From pixel values to L*, always through linear light."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..colorspace import XYZ_FROM_RGB, luminance_to_L, srgb8_to_L, srgb_to_lab, srgb_to_linear


def lightness(pixels: NDArray[Any], levels: int) -> NDArray[np.float32]:
    """L* (h, w) in 0..100 of sRGB-encoded pixels of any tint.

    Args:
        pixels: unsigned integers 0..levels - 1, (h, w) gray or (h, w, 3) red, green, blue.
        levels: number of values that a channel may have, 256 or 65536 (4096 for 12-bit scans).
    """
    if pixels.ndim == 2:
        return _gray_table(levels).take(pixels, mode="clip")
    if levels == 256:
        return srgb8_to_L(pixels)
    table, weights = _linear_table(levels), np.asarray(XYZ_FROM_RGB[1], np.float32)
    return luminance_to_L(np.asarray(sum(weights[c] * table.take(pixels[..., c], mode="clip") for c in range(3))))


@cache
def _linear_table(levels: int) -> NDArray[np.float32]:
    """(levels,) light of every sRGB value."""
    return np.asarray(srgb_to_linear(np.linspace(0.0, 1.0, levels)), np.float32)


@cache
def _gray_table(levels: int) -> NDArray[np.float32]:
    """(levels,) L* of every gray value."""
    gray = np.linspace(0.0, 1.0, levels)
    return np.asarray(srgb_to_lab(np.stack([gray] * 3, axis=-1))[:, 0], np.float32)


def black_and_white(parts: Iterable[NDArray[Any]], whites: tuple[float, ...]) -> tuple[float, float, bool]:
    """Guesses which values are black and white in numbers without a declared range (wide integers, floats).

    Black is 0 and white is the smallest of `whites` that no value exceeds. Where there is none, or values are
    negative, they are the darkest and the lightest value, and the third answer, "stretched", is true.
    """
    finite = (part[np.isfinite(part)] for part in parts)
    ends = [(float(values.min()), float(values.max())) for values in finite if values.size]
    low, high = min((low for low, _ in ends), default=0.0), max((high for _, high in ends), default=0.0)
    white = next((limit for limit in whites if high <= limit), None)
    if white is not None and low >= 0:
        return 0.0, white, False
    return low, high, True


def to_16_bits(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint16]:
    """Values of any type, same shape, with black as 0 and white as 65535; what is not finite counts as black."""
    with np.errstate(over="ignore", invalid="ignore"):
        share = (values.astype(np.float64) - black) / max(white - black, 1e-30)
    share = np.nan_to_num(share, nan=0.0, posinf=0.0, neginf=0.0)
    return np.rint(share * 65535).astype(np.uint16)
