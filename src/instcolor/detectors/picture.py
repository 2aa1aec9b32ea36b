"""From L* to the small gray picture that a detector looks at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colorspace import L_to_gray8

IMAGENET_MEAN = (123.675, 116.28, 103.53)  # RGB, of 0..255
IMAGENET_STD = (58.395, 57.12, 57.375)


def gray_picture(L: NDArray[np.float32]) -> Image.Image:
    """(h, w) L* in 0..100 to an 8-bit gray picture of that lightness in sRGB."""
    return Image.fromarray(L_to_gray8(L))


def resized(gray: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture stretched to `size` (width, height), bilinear with antialiasing; fast for large photos."""
    return gray.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def letterboxed(gray: Image.Image, size: tuple[int, int], fill: int) -> tuple[Image.Image, float]:
    """The picture at the upper left of a canvas of `size` in its own aspect, and the scale it was given."""
    scale = min(size[0] / gray.width, size[1] / gray.height)
    canvas = Image.new("L", size, fill)
    canvas.paste(resized(gray, (max(1, int(gray.width * scale)), max(1, int(gray.height * scale)))))
    return canvas, scale


def three_channels(
    gray: Image.Image, mean: tuple[float, float, float] = (0, 0, 0), std: tuple[float, float, float] = (1, 1, 1)
) -> NDArray[np.float32]:
    """(1, 3, h, w): the gray values 0..255 in three equal channels, each minus its mean, over its deviation."""
    plane = np.asarray(gray, np.float32)
    return np.stack([(plane - m) / s for m, s in zip(mean, std, strict=True)])[None].astype(np.float32)
