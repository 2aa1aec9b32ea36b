"""Whether a frame has color already: more than one tint, as old film and its copies have."""

from __future__ import annotations

import cv2
import numpy as np

from .coding import Coding
from .reading import Frame

CELLS = (40, 30)  # in which chroma is looked at: the noise of tapes is gone in their means
COLORED = 4.0  # 8-bit steps of U and V together that the cells of a frame in color lie off its tint, on average


def has_color(frame: Frame, coding: Coding) -> bool:
    """Whether U and V say more than that the film is tinted: a tint is a straight line over Y."""
    if frame.UV is None:
        return False
    Y, *UV = (
        cv2.resize(p, CELLS, interpolation=cv2.INTER_AREA).astype(np.float64).ravel() for p in (frame.Y, *frame.UV)
    )
    ones = np.stack([np.ones_like(Y), Y], 1)
    off = 0.0
    for plane in UV:
        line, *_ = np.linalg.lstsq(ones, plane, rcond=None)
        off += float(np.abs(plane - ones @ line).mean())
    return off / (1 << (coding.bits - 8)) > COLORED
