"""Photographs that are read for their colors, small: they lend them to others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colorspace import srgb_to_lab
from ..errors import PhotoError
from ..limits import MAX_PIXELS
from .picture import read_picture

SIDE = 256  # pixels of the longer side that are kept
FAINTEST = 3.0  # mean chroma of a photograph that has colors to lend; tinted paper has more, gray has none


def read_colors(data: bytes, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.float32]:
    """A small upright copy of a color photograph as (h, w, 3) L*, a*, b*.

    Raises:
        PhotoError: it cannot be read, or has no colors.
    """
    small = read_picture(data, "<bytes>", max_pixels=max_pixels, least=SIDE).image
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    lab = np.asarray(srgb_to_lab(np.asarray(small, np.float32) / 255), np.float32)
    if np.hypot(lab[..., 1], lab[..., 2]).mean() < FAINTEST:
        raise PhotoError("<bytes>: the reference has no colors to lend")
    return lab
