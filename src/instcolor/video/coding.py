"""How a film codes its pictures, and how lightness and color go from and to its planes without passing through RGB.

Plane Y is never computed here: what is read from it is L* for the networks, and what is written beside it are U and V
of the color that has the wished a*, b* *and the Y that the film has*. So lightness stays the film's own to the bit,
and hue and chroma come out as meant wherever the RGB cube holds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..colorspace import lab_to_linear, linear_to_srgb, srgb_to_lab
from ..upsampling import upsample_ab

Plane = NDArray[Any]  # uint8, or uint16 of films with 10 bits
Floats = NDArray[np.float32]

# red's and blue's share of luma, by the number that ITU-T H.273 gives a matrix
MATRICES = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087)}
MATRICES |= {9: (0.2627, 0.0593)}
BT601, BT709, UNSPECIFIED = 6, 1, 2
HD_HEIGHT = 720
"""Players take a film that does not name its matrix for BT.709 from this height on, below it for BT.601."""

ROUNDS = 2  # of finding the lightness that has the film's luma
CALM_REACH = 2  # pixels of the planes of chroma, to each side, over which grain is leveled before it can color them
CALM = (
    17.0  # 8-bit steps of luma, standard deviation: what varies less is taken for grain, what varies more for an edge
)
GRAY_STEPS = 1 << 12  # of the table from gray to L*
LIGHT_STEPS, DARKEST, LIGHTEST = 1 << 15, -0.5, 2.0  # of linear light 0..1 in the table to sRGB, and what it covers


@dataclass(frozen=True)
class Coding:
    """What the numbers in a film's planes mean."""

    bits: int = 8
    full_range: bool = False
    matrix: int = BT601
    """As ITU-T H.273 numbers it, one of `MATRICES`."""

    @property
    def neutral(self) -> int:
        """U and V of gray."""
        return 1 << (self.bits - 1)

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """Of the planes."""
        return np.uint8 if self.bits == 8 else np.uint16

    @property
    def _luma_range(self) -> tuple[float, float]:
        """Y of black, and what white has more."""
        if self.full_range:
            return 0.0, float((1 << self.bits) - 1)
        return float(16 << (self.bits - 8)), float(219 << (self.bits - 8))

    @property
    def _chroma_steps(self) -> float:
        """Steps of U or V from -0.5 to 0.5."""
        return float((1 << self.bits) - 1) if self.full_range else float(224 << (self.bits - 8))

    @cached_property
    def _gray(self) -> Floats:
        """sRGB gray 0..1 of every Y."""
        black, span = self._luma_range
        return ((np.arange(1 << self.bits) - black) / span).clip(0, 1).astype(np.float32)

    @cached_property
    def _lightness(self) -> Floats:
        """L* of every Y."""
        return np.asarray(srgb_to_lab(np.repeat(self._gray[:, None], 3, 1))[:, 0], np.float32)

    def lightness(self, Y: Plane) -> Floats:
        """(h, w) L* 0..100 of plane Y."""
        return self._lightness.take(Y, mode="clip")

    def chroma(self, Y: Plane, ab: Floats) -> tuple[Plane, Plane]:
        """U and V (h, w) for a*, b* (h, w, 2) beside a Y (h, w) of the same size.

        Colors that the RGB cube lacks at this luma lose chroma, all channels alike.
        """
        luma = self._gray.take(Y, mode="clip")
        rgb = self._rgb(luma, ab)
        own = self._luma_of(rgb)
        room = np.ones(luma.shape, np.float32)
        for channel in range(3):
            difference = rgb[..., channel] - own
            space = np.where(difference > 0, 1 - luma, luma)
            np.minimum(room, space / np.maximum(np.abs(difference), 1e-6), out=room)
        red, blue = MATRICES[self.matrix]
        U, V = (
            np.rint(room * (rgb[..., channel] - own) * (self._chroma_steps / (2 - 2 * share)) + self.neutral)
            for channel, share in ((2, blue), (0, red))
        )
        return U.astype(self.dtype), V.astype(self.dtype)

    def _rgb(self, luma: Floats, ab: Floats) -> Floats:
        """(h, w, 3) sRGB, not limited to the cube, of the color that has this luma and these a*, b*."""
        lab = np.concatenate([np.empty((*luma.shape, 1), np.float32), ab.astype(np.float32)], -1)
        gray = luma.copy()
        rgb = np.empty_like(lab)
        for _ in range(ROUNDS):
            lab[..., 0] = _lightness_of_gray().take((gray * GRAY_STEPS + 0.5).astype(np.int32), mode="clip")
            light = lab_to_linear(lab)
            _encoded().take(((light - DARKEST) * LIGHT_STEPS + 0.5).astype(np.int32), out=rgb, mode="clip")
            gray += luma - self._luma_of(rgb)
        return rgb

    def _luma_of(self, rgb: Floats) -> Floats:
        red, blue = MATRICES[self.matrix]
        return np.asarray(rgb @ np.array([red, 1 - red - blue, blue], np.float32))

    def color(self, Y: Plane, U: Plane, V: Plane) -> Floats:
        """(h, w, 3) sRGB 0..1 of planes of one size, as a player shows them."""
        red, blue = MATRICES[self.matrix]
        luma = self._gray.take(Y, mode="clip")
        cb, cr = ((plane.astype(np.float32) - self.neutral) / self._chroma_steps for plane in (U, V))
        r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
        g = (luma - red * r - blue * b) / (1 - red - blue)
        return np.stack([r, g, b], -1).clip(0, 1)


def colored(coding: Coding, Y: Plane, ab: Floats, shape: tuple[int, int]) -> tuple[Plane, Plane]:
    """U and V of `shape` (h, w) beside plane Y, for small colors ab (h', w', 2): brought to size by the lightness.

    By the lightness without its grain, which stays where it is, in Y alone: grain in U and V would flicker.
    """
    small = calmed(halved(Y, shape), coding.bits)
    return coding.chroma(small, upsample_ab(ab, coding.lightness(small)))


def calmed(Y: Plane, bits: int) -> Plane:
    """A plane without its grain, its edges kept: a guided filter ("Guided Image Filtering", He et al., ECCV 2010) with
    the plane as its own guide."""
    plane = Y.astype(np.float32)
    size = (2 * CALM_REACH + 1, 2 * CALM_REACH + 1)
    mean = cv2.blur(plane, size)
    variance = cv2.blur(plane * plane, size) - mean * mean
    slope = variance / (variance + (CALM * (1 << (bits - 8))) ** 2)
    calm = cv2.blur(slope, size) * plane + cv2.blur((1 - slope) * mean, size)
    return np.asarray(np.rint(calm).clip(0, (1 << bits) - 1), Y.dtype)


def halved(Y: Plane, shape: tuple[int, int]) -> Plane:
    """Plane Y brought to the size (h, w) of the planes U and V: means of the pixels under each."""
    if Y.shape == shape:
        return Y
    return np.asarray(cv2.resize(Y, shape[::-1], interpolation=cv2.INTER_AREA), Y.dtype)


@cache
def _lightness_of_gray() -> Floats:
    """L* of `GRAY_STEPS` + 1 grays, 0..1."""
    gray = np.linspace(0, 1, GRAY_STEPS + 1)
    return np.asarray(srgb_to_lab(np.repeat(gray[:, None], 3, 1))[:, 0], np.float32)


@cache
def _encoded() -> Floats:
    """sRGB of linear light, from `DARKEST` to `LIGHTEST`."""
    light = np.arange(DARKEST, LIGHTEST, 1 / LIGHT_STEPS)
    return np.asarray(linear_to_srgb(light), np.float32)
