"""Small copies of a look: the planes that a page paints with, the gray photo beneath them, pictures to choose among."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import regions
from ..colorizer import Look
from ..colorspace import L_to_gray8
from ..photo import Photo
from ..styles import confidence
from ..tuning import ANCHORS, Tuning
from ..upsampling import resize_plane, upsample_plane

PREVIEW = regions.SIDE
"""Pixels of the longer side of the photo on a page."""
PICTURE = 280
"""The same, of a picture to choose among."""
PLANE_STEPS = 128
"""ab and 100 times the confidence are sent as integers, so many to the unit."""


def small(photo: Photo, side: int) -> Photo:
    """A copy of a gray photo, its longer side `side` pixels at most."""
    width, height = photo.size
    scale = min(1.0, side / max(width, height))
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    small = replace(photo, L=resize_plane(photo.L, shape))
    if photo.alpha is None:
        return small
    alpha: Any = resize_plane(photo.alpha.astype(np.float32), shape).round().astype(photo.alpha.dtype)
    return replace(small, alpha=alpha)


def beside(photo: Photo) -> Photo:
    """A photo twice as wide: as it was on the left, in color on the right. ValueError before there are colors."""
    if photo.ab is None:
        raise ValueError(f"{photo.source.name} has no colors yet")
    L, ab = np.concatenate([photo.L, photo.L], 1), np.concatenate([0 * photo.ab, photo.ab], 1)
    alpha: Any = None if photo.alpha is None else np.concatenate([photo.alpha, photo.alpha], 1)
    return replace(photo, L=L, ab=ab, alpha=alpha, objects=(), confidence=None)


def gray_picture(photo: Photo) -> bytes:
    """A JPEG file of the gray photo at preview size."""
    return _jpeg(Image.fromarray(L_to_gray8(small(photo, PREVIEW).L)), 92)


def planes(look: Look) -> NDArray[np.int16]:
    """(h, w, 2 n + 1): ab in each of the n `ANCHORS` and 100 times the confidence, in `PLANE_STEPS` to the unit."""
    ab, logits = look.answer
    sure = upsample_plane(confidence(logits), ab.shape[:2])[..., None] * 100  # its grid may be coarser
    values = np.concatenate([*(look.anchor(i) for i in range(len(ANCHORS))), sure], -1)
    limit = np.iinfo(np.int16).max
    return (values * PLANE_STEPS).round().clip(-limit, limit).astype("<i2")


def layer_bytes(layer: regions.Layer) -> bytes:
    """(h, w, 3) uint8: the share times 255, then a* and b* plus 128, both times the share."""
    values = np.concatenate([layer.share[..., None] * 255, layer.ab + 128], -1)
    return values.round().clip(0, 255).astype(np.uint8).tobytes()


def picture(look: Look, tuning: Tuning) -> bytes:
    """A small JPEG file of a look in color."""
    return _jpeg(Image.fromarray(replace(look, photo=small(look.photo, PICTURE)).paint(tuning).rgb()), 85)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()
