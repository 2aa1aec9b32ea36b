"""What the tests of photos share: colored photos, and how they come back."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from instcolor.colorspace import srgb_to_lab
from instcolor.photo import Photo

ONE_STEP = 100 / 255  # 1/255 of the range of L*


def lab(rgb8: np.ndarray) -> np.ndarray:
    planes: np.ndarray = srgb_to_lab(rgb8.astype(np.float64) / 255)
    return planes


def colored(photo: Photo, a: float = 12.0, b: float = 18.0) -> Photo:
    return photo.with_color(np.full((*photo.L.shape, 2), (a, b), np.float32))


def ab_of(photo: Photo) -> NDArray[np.float32]:
    """(h, w, 2) the colors of a photo that must have some."""
    assert photo.ab is not None
    return photo.ab


def opened(data: bytes) -> ImageFile.ImageFile:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def reopened(photo: Photo, format: str | None = None) -> ImageFile.ImageFile:
    return opened(photo.encode(format))
