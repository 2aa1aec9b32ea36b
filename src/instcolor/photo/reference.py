"""Photographs that are read for their colours, small: they lend them to others."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colorspace import srgb_to_lab
from ..errors import PhotoError
from ..limits import MAX_PIXELS
from .decoding import UPRIGHT, check_size, orientation_of
from .formats import SIGNATURE_BYTES, reader_of, recognise, unreadable
from .guard import errors_of, pillow_guard

SIDE = 256  # pixels of the longer side that are kept
FAINTEST = 3.0  # mean chroma of a photograph that has colours to lend; tinted paper has more, grey has none


def read_colors(data: bytes, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.float32]:
    """A small upright copy of a colour photograph as (h, w, 3) L*, a*, b*.

    Raises:
        PhotoError: it cannot be read, or has no colours.
    """
    name = "<bytes>"
    format = recognise(data[:SIGNATURE_BYTES])
    reader = reader_of(format)
    if reader is None:
        raise PhotoError(f"{name}: {unreadable(format)}")
    with errors_of(name, f"the {format} file"), pillow_guard(max_pixels):
        image: Image.Image = reader(io.BytesIO(data))
        check_size(name, image.size, max_pixels)
        turn = UPRIGHT.get(orientation_of(image, []))
        image.draft("RGB", (SIDE, SIDE))
        small = image.convert("RGB")
        small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    lab = np.asarray(srgb_to_lab(np.asarray(small, np.float32) / 255), np.float32)
    if np.hypot(lab[..., 1], lab[..., 2]).mean() < FAINTEST:
        raise PhotoError(f"{name}: the reference has no colors to lend")
    return np.stack([turn(lab[..., c]) for c in range(3)], -1) if turn else lab
