"""From L* to the small grey picture that a detector looks at."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colorspace import lab_to_linear, linear_to_srgb

_STEPS = 100  # table entries for one L*: rounding to one moves a grey value by less than 0.02
_STRIP = 1 << 16  # pixels converted at once: they stay in the cache, and no second plane of floats is needed

IMAGENET_MEAN = (123.675, 116.28, 103.53)  # RGB, of 0..255
IMAGENET_STD = (58.395, 57.12, 57.375)


def grey_picture(L: NDArray[np.float32]) -> Image.Image:
    """(h, w) L* in 0..100 to an 8-bit grey picture of that lightness in sRGB."""
    height, width = L.shape
    grey = np.empty((height, width), np.uint8)
    table = _grey_values()
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        steps = (L[top : top + rows] * _STEPS + np.float32(0.5)).astype(np.int32)
        np.take(table, steps, mode="clip", out=grey[top : top + rows])
    return Image.fromarray(grey)


def resized(grey: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture stretched to `size` (width, height), bilinear with antialiasing; fast for large photos."""
    return grey.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def letterboxed(grey: Image.Image, size: tuple[int, int], fill: int) -> tuple[Image.Image, float]:
    """The picture at the upper left of a canvas of `size` in its own aspect, and the scale it was given."""
    scale = min(size[0] / grey.width, size[1] / grey.height)
    canvas = Image.new("L", size, fill)
    canvas.paste(resized(grey, (max(1, int(grey.width * scale)), max(1, int(grey.height * scale)))))
    return canvas, scale


def three_channels(
    grey: Image.Image, mean: tuple[float, float, float] = (0, 0, 0), std: tuple[float, float, float] = (1, 1, 1)
) -> NDArray[np.float32]:
    """(1, 3, h, w): the grey values 0..255 in three equal channels, each minus its mean, over its deviation."""
    plane = np.asarray(grey, np.float32)
    return np.stack([(plane - m) / s for m, s in zip(mean, std, strict=True)])[None].astype(np.float32)


@cache
def _grey_values() -> NDArray[np.uint8]:
    lab = np.zeros((100 * _STEPS + 1, 3), np.float32)
    lab[:, 0] = np.linspace(0, 100, len(lab))
    return np.clip(linear_to_srgb(lab_to_linear(lab)[:, 1]) * 255 + 0.5, 0, 255).astype(np.uint8)
