"""ICC profiles made of a matrix and tone curves: what their pixel values mean, and how colors are written in them.

ICC.1:2010 (profile version 4.3), sections 7 to 10: header, tag table, `curv` and `para` curves, `XYZ ` tags. sRGB,
Display P3, Adobe RGB, ProPhoto and gamma grays are of this kind. Profiles of look-up tables are left to Little CMS.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..colorspace import XYZ_FROM_RGB, luminance_to_L, srgb_to_linear

SAMPLES = 4096  # of a tone curve
MAX_BYTES = 4 << 20  # of a profile; the largest printer profiles have about half
MAX_TAGS = 100
SAME_CURVE = 0.004  # linear light by which curves of sRGB profiles differ from each other
SAME_MATRIX = 0.003
# XYZ seen under D65 to what it corresponds to under D50, where profiles are (Bradford; ICC.1, annex E)
D50_FROM_D65 = np.array(
    ((1.0478112, 0.0228866, -0.0501270), (0.0295424, 0.9904844, -0.0170491), (-0.0092345, 0.0150436, 0.7521316))
)
BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))
D50 = np.array((0.9642, 1.0, 0.8249))
SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)  # x, y of white, red, green and blue
SRGB_GAMMA, SAME_GAMMA = 0.45455, 0.05  # PNG's way to say sRGB, and the share by which it may be off, as libpng has it
XYZ50_FROM_SRGB = D50_FROM_D65 @ np.array(XYZ_FROM_RGB)
Curve = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """A profile that is a matrix and curves ("RGB"), or a curve alone ("GRAY")."""

    data: bytes
    """Of ICC; b"" where the file said it in other words (PNG's gAMA)."""
    kind: str
    curves: tuple[Curve, ...]
    """(SAMPLES,) linear light 0..1 at equal steps of the value; three, or one for gray."""
    matrix: NDArray[np.float64] | None = None
    """(3, 3) XYZ under D50 of linear values; None for gray."""

    @property
    def is_srgb(self) -> bool:
        """Whether its values mean the same as sRGB's, so that nothing needs to be converted."""
        if self.matrix is None or np.abs(self.matrix - XYZ50_FROM_SRGB).max() > SAME_MATRIX:
            return False
        usual = srgb_to_linear(np.linspace(0, 1, SAMPLES))
        return all(np.abs(curve - usual).max() < SAME_CURVE for curve in self.curves)

    def lightness(self, pixels: NDArray[Any], levels: int) -> NDArray[np.float32]:
        """L* (h, w) of pixels 0..levels - 1, (h, w, 3), or (h, w) for gray."""
        values = np.linspace(0, 1, levels)
        tables = [np.interp(values, np.linspace(0, 1, SAMPLES), curve).astype(np.float32) for curve in self.curves]
        if self.matrix is None:
            answer: NDArray[np.float32] = luminance_to_L(tables[0])[np.minimum(pixels, levels - 1)]
            return answer
        weights = (self.matrix[1] / self.matrix[1].sum()).astype(np.float32)
        planes = (weights[c] * tables[c].take(pixels[..., c]) for c in range(3))
        return luminance_to_L(np.asarray(sum(planes)))

    def encode(self, linear: NDArray[np.float32]) -> NDArray[np.float32]:
        """(..., 3) linear sRGB light in 0..1 as values of this profile, 0..1."""
        assert self.matrix is not None
        own = linear @ (np.linalg.inv(self.matrix) @ XYZ50_FROM_SRGB).T.astype(np.float32)
        result = np.empty_like(own)
        for channel, curve in enumerate(self.curves):
            result[..., channel] = np.interp(own[..., channel], curve, np.linspace(0, 1, SAMPLES))
        answer: NDArray[np.float32] = result
        return answer


def parse(data: bytes) -> Profile | None:
    """The profile in these bytes; None where it is damaged or of another kind."""
    try:
        return _parse(data)
    except (struct.error, IndexError, KeyError, ValueError, np.linalg.LinAlgError):
        return None


def of_gamma(gamma: float | None, primaries: tuple[float, ...] | None) -> Profile | None:
    """The profile of values that are light to the power `gamma` (None: sRGB's curve) of the primaries that PNG's cHRM
    states (None: sRGB's); without data of its own. None where that makes no sense."""
    x = np.linspace(0, 1, SAMPLES)
    if gamma is not None and not 0.1 <= gamma <= 10:
        return None
    is_usual = gamma is None or abs(gamma / SRGB_GAMMA - 1) < SAME_GAMMA
    curve = np.asarray(srgb_to_linear(x)) if gamma is None or is_usual else x ** (1 / gamma)
    points = np.array(primaries or SRGB_PRIMARIES).reshape(4, 2)
    if not (points[:, 1] > 0).all():
        return None
    white, *colors = (np.array((x / y, 1, (1 - x - y) / y)) for x, y in points)
    try:
        xyz = np.array(colors).T
        matrix = xyz * np.linalg.solve(xyz, white)
        adapted = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ white)) @ BRADFORD @ matrix
        np.linalg.inv(adapted)
    except np.linalg.LinAlgError:
        return None
    sane = np.isfinite(adapted).all() and abs(np.linalg.det(adapted)) > 1e-4 and (adapted[1] > 0).all()
    return Profile(b"", "RGB", (curve,) * 3, adapted) if sane else None


def space(data: bytes) -> str:
    """The color space that a profile says it is for, as "RGB", "GRAY", "CMYK"; "" where it says none."""
    return data[16:20].decode("ascii", "replace").strip() if data[36:40] == b"acsp" else ""


def _parse(data: bytes) -> Profile | None:
    if not 132 <= len(data) <= MAX_BYTES or space(data) not in ("RGB", "GRAY"):
        return None
    (count,) = struct.unpack_from(">I", data, 128)
    if count > MAX_TAGS:
        return None
    places = {}
    for number in range(count):
        name, start, size = struct.unpack_from(">4sII", data, 132 + 12 * number)
        places[name] = data[start : start + size]
    if space(data) == "GRAY":
        return Profile(data, "GRAY", (_curve(places[b"kTRC"]),))
    if b"A2B0" in places:
        return None
    curves = tuple(_curve(places[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    matrix = np.array([_xyz(places[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T
    if abs(np.linalg.det(matrix)) < 1e-4 or matrix[1].sum() <= 0:
        return None
    return Profile(data, "RGB", curves, matrix)


def _xyz(tag: bytes) -> tuple[float, ...]:
    if tag[:4] != b"XYZ ":
        raise ValueError
    return tuple(v / 65536 for v in struct.unpack_from(">3i", tag, 8))


def _curve(tag: bytes) -> Curve:
    """A `curv` or `para` tag as a rising table. ValueError where it is none."""
    x = np.linspace(0, 1, SAMPLES)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return x
        values = np.array(struct.unpack_from(f">{count}H", tag, 12), float)
        y = x ** (values[0] / 256) if count == 1 else np.interp(x, np.linspace(0, 1, count), values / 65535)
    elif tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        given = [v / 65536 for v in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)]
        y = _parametric(kind, x, *given)
    else:
        raise ValueError
    if not np.isfinite(y).all() or y[-1] - y[0] < 0.5:
        raise ValueError
    return np.maximum.accumulate(y.clip(0, 1))


def _parametric(
    kind: int,
    x: Curve,
    g: float,
    a: float = 1.0,
    b: float = 0.0,
    c: float = 0.0,
    d: float = 0.0,
    e: float = 0.0,
    f: float = 0.0,
) -> Curve:
    """ICC.1, table 68: a power above a corner, a straight line or a constant below."""
    if kind in (1, 2):
        corner, below = -b / a, np.full_like(x, c if kind == 2 else 0.0)
        e = c if kind == 2 else 0.0
    else:
        corner, below = d, c * x + f
    with np.errstate(invalid="ignore"):
        above = np.maximum(a * x + b, 0) ** g + e
    return np.where(x >= corner, above, below) if kind else np.asarray(x**g)
