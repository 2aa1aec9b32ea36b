"""sRGB <-> CIE L*a*b* (D65, 2 degrees) in float32, the same code for NumPy arrays and torch tensors.

Arrays have the three channels last, (..., 3): sRGB in 0..1, L* in 0..100, a* and b* in about -128..127.
One set of constants (IEC 61966-2-1 matrix as scikit-image has it). Out-of-gamut colors are mapped by
reducing chroma at constant L* and hue; no channel is ever clipped by itself.

Whole photos take the NumPy-only functions at the end (`lab_to_srgb8`, `srgb8_to_L`, `L_to_gray8`):
8-bit tables, strips of rows, one thread a core.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .strips import each_strip

XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
RGB_FROM_XYZ = tuple(tuple(float(v) for v in row) for row in np.linalg.inv(np.array(XYZ_FROM_RGB)))
WHITE = (0.95047, 1.0, 1.08883)
EPSILON = 0.008856  # below it the cube root of CIE Lab is a straight line
KINK = 0.2068966  # its cube root, about: where the way back turns into the line
GAMUT_STEPS = 10  # bisection steps of the chroma: 1/1024 of it
GAMUT_TOLERANCE = 1e-4  # linear light; the rounding of float32 and of the constants, a third of an 8-bit step

ENCODE_LEVELS = (1 << 16) - 1  # steps of linear light in the table of 8-bit sRGB, 20 for its finest step
GRAY_LEVELS = (1 << 14) - 1  # steps of L* in the table of 8-bit grays
LUMINANCE_LEVELS = (1 << 18) - 1  # steps of luminance in the table of L*: 0.004 L* where it is steepest


def _namespace(array: Any) -> Any:
    if isinstance(array, (np.ndarray, np.generic)):
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
    for (mr, mg, mb), white in zip(XYZ_FROM_RGB, WHITE, strict=True):
        t = (r * mr + g * mg + b * mb) / white
        f.append(xp.where(t > EPSILON, xp.clip(t, EPSILON, None) ** (1 / 3), 7.787 * t + 16 / 116))
    return xp.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])], axis=-1)


def lab_to_linear(lab: Any) -> Any:
    """(..., 3) L*a*b* to linear sRGB light, not limited to the gamut."""
    return _namespace(lab).stack(_linear_planes(*_cone_planes(lab[..., 0], lab[..., 1], lab[..., 2])), axis=-1)


def srgb_to_lab(rgb: Any) -> Any:
    """(..., 3) sRGB in 0..1 to L*a*b*."""
    return linear_to_lab(srgb_to_linear(rgb))


def lab_to_srgb(lab: Any) -> Any:
    """(..., 3) L*a*b* to sRGB in 0..1, NumPy or torch.

    A color outside the sRGB gamut keeps L* and hue and gives up chroma until it fits; the others are not touched.
    L* itself is limited to 0..100.
    """
    L, a, b = lab.reshape(-1, 3).T
    linear = _namespace(lab).stack(_fit_gamut(*_cone_planes(L.clip(0, 100), a, b)), axis=-1)
    return linear_to_srgb(linear.clip(0, 1)).reshape(lab.shape)  # at most GAMUT_TOLERANCE is clipped


def luminance_to_L(luminance: NDArray[np.floating]) -> NDArray[np.float32]:
    """Luminance 0..1 of any shape to L*."""
    f = np.where(luminance > EPSILON, np.cbrt(luminance), 7.787 * luminance + 16 / 116)
    return (116 * f - 16).astype(np.float32)


def L_to_gray(L: Any) -> Any:
    """L* of any shape, limited to 0..100, to the sRGB value 0..1 of a gray of that lightness."""
    return linear_to_srgb(_uncube((L.clip(0, 100) + 16) / 116).clip(0, 1))


def _cone_planes(L: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """f(Y), f(X) - f(Y) and f(Z) - f(Y) of L*a*b* planes: chroma is what the last two share as a factor."""
    return (L + 16) * (1 / 116), a * (1 / 500), b * (-1 / 200)


def _linear_planes(fy: Any, dx: Any, dz: Any) -> tuple[Any, Any, Any]:
    """The linear R, G and B planes of what `_cone_planes` returns."""
    x, y, z = _uncube(fy + dx), _uncube(fy), _uncube(fy + dz)
    r, g, b = (x * (mx * WHITE[0]) + y * (my * WHITE[1]) + z * (mz * WHITE[2]) for mx, my, mz in RGB_FROM_XYZ)
    return r, g, b


def _uncube(f: Any) -> Any:
    """Inverse of the cube root of CIE Lab: a cube above the kink, a straight line below, without a branch."""
    above = f.clip(KINK)
    return above * above * above + (f - above) * (1 / 7.787)


def _outside(r: Any, g: Any, b: Any) -> Any:
    """True where a linear color is outside the sRGB cube, planes of any shape."""
    xp = _namespace(r)
    lowest, highest = xp.minimum(xp.minimum(r, g), b), xp.maximum(xp.maximum(r, g), b)
    return (lowest < -GAMUT_TOLERANCE) | (highest > 1 + GAMUT_TOLERANCE)


def _fit_gamut(fy: Any, dx: Any, dz: Any) -> tuple[Any, Any, Any]:
    """Linear R, G and B planes, where needed with less chroma so that they are inside the cube."""
    xp = _namespace(fy)
    planes = _linear_planes(fy, dx, dz)
    outside = _outside(*planes)
    if not outside.any():
        return planes
    fy, dx, dz = fy[outside], dx[outside], dz[outside]
    kept = xp.zeros_like(fy)
    for step in range(1, GAMUT_STEPS + 1):
        trial = kept + 0.5**step
        kept += ~_outside(*_linear_planes(fy, dx * trial, dz * trial)) * 0.5**step
    for plane, fitted in zip(planes, _linear_planes(fy, dx * kept, dz * kept), strict=True):
        plane[outside] = fitted
    return planes


def lab_to_srgb8(L: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A photo's L* (h, w) and a*, b* (h, w, 2) to 8-bit sRGB (h, w, 3), the colors of `lab_to_srgb`, rounded.

    Values must be finite. Beside the result it takes a few megabytes, however large the photo.
    """
    rgb = np.empty((*L.shape, 3), np.uint8)
    table = _encode_table()

    def convert(rows: slice) -> None:
        cone = _cone_planes(L[rows].clip(0, 100), ab[rows, :, 0], ab[rows, :, 1])
        for channel, linear in enumerate(_fit_gamut(*cone)):
            rgb[rows, :, channel] = table.take((linear * ENCODE_LEVELS + 0.5).astype(np.intp), mode="clip")

    each_strip(convert, L.shape)
    return rgb


def srgb8_to_L(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A photo's 8-bit sRGB (h, w, 3) to L* (h, w), within 0.005 of `srgb_to_lab`."""
    L = np.empty(rgb.shape[:2], np.float32)
    red, green, blue = _luminance_tables()
    table = _lightness_table()

    def convert(rows: slice) -> None:
        luminance = red.take(rgb[rows, :, 0]) + green.take(rgb[rows, :, 1]) + blue.take(rgb[rows, :, 2])
        table.take(luminance, out=L[rows], mode="clip")

    each_strip(convert, L.shape)
    return L


def L_to_gray8(L: NDArray[np.float32]) -> NDArray[np.uint8]:
    """L* of any shape, limited to 0..100, to the 8-bit sRGB gray of that lightness."""
    table = _gray_table()
    column = L.reshape(-1, 1)
    gray = np.empty(column.shape, np.uint8)

    def convert(part: slice) -> None:
        table.take((column[part] * (GRAY_LEVELS / 100) + 0.5).astype(np.intp), out=gray[part], mode="clip")

    each_strip(convert, column.shape)
    return gray.reshape(L.shape)


@functools.cache
def _encode_table() -> NDArray[np.uint8]:
    """8-bit sRGB of ENCODE_LEVELS + 1 values of linear light, 0..1."""
    return _round8(linear_to_srgb(np.linspace(0, 1, ENCODE_LEVELS + 1)))


@functools.cache
def _gray_table() -> NDArray[np.uint8]:
    """8-bit sRGB gray of GRAY_LEVELS + 1 values of L*, 0..100."""
    return _round8(L_to_gray(np.linspace(0, 100, GRAY_LEVELS + 1)))


@functools.cache
def _luminance_tables() -> tuple[NDArray[np.int32], ...]:
    """What each value of R, of G and of B adds to the luminance, in steps of `_lightness_table`."""
    linear = srgb_to_linear(np.linspace(0, 1, 256))
    return tuple(np.rint(linear * (weight * LUMINANCE_LEVELS)).astype(np.int32) for weight in XYZ_FROM_RGB[1])


@functools.cache
def _lightness_table() -> NDArray[np.float32]:
    """L* of LUMINANCE_LEVELS + 1 values of luminance, 0..1."""
    return luminance_to_L(np.linspace(0, 1, LUMINANCE_LEVELS + 1))


def _round8(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(values * 255).astype(np.uint8)
