"""From L* and ab to the values of a profile, and to 16 bits a channel, in strips of a photo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..colorspace import lab_to_srgb, srgb_to_linear
from ..strips import strips
from .profiles import Profile

DEEP_STRIP_PIXELS = 1 << 18  # whole-number rows; the temporaries are float32


def profile_values(L: NDArray[np.float32], ab: NDArray[np.float32], profile: Profile | None) -> NDArray[np.float32]:
    """(h, w, 3) in 0..1: sRGB, or the same colors as a profile has them. Colors stay inside the gamut of sRGB."""
    rgb = np.asarray(lab_to_srgb(np.concatenate([L[..., None], ab], -1)), np.float32)
    if profile is None or profile.is_srgb:
        return rgb
    return profile.encode(np.asarray(srgb_to_linear(rgb), np.float32))


def deep_strips(
    L: NDArray[np.float32], ab: NDArray[np.float32], alpha: NDArray[Any] | None, profile: Profile | None
) -> Iterator[NDArray[np.uint16]]:
    """A photo from top to bottom in (rows, w, 3 or 4) 16-bit values; all strips but the last have the same rows."""
    for rows in strips(L.shape, DEEP_STRIP_PIXELS):
        values = np.rint(profile_values(L[rows], ab[rows], profile) * 65535).astype(np.uint16)
        if alpha is not None:
            opacity = alpha[rows, :, None].astype(np.uint16)
            opacity = opacity * 257 if alpha.dtype == np.uint8 else opacity
            values = np.concatenate([values, opacity], -1)
        yield values
