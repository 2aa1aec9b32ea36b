"""The corner mark: a small plate that says what was done, for those who want it seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

TEXT = "colorized"
SHARE = 0.028  # height of the letters in parts of the photo's shorter side
SMALLEST = 9.0  # pixels
SMALLEST_PHOTO = 64  # pixels of a side; below, there is no room for letters
PLATE, LETTERS = (20, 20, 20), (245, 245, 245)


class Plate(NamedTuple):
    """An RGBA picture, and where its upper left corner goes."""

    image: Image.Image
    x: int
    y: int


def plate(size: tuple[int, int]) -> Plate | None:
    """The mark of a photo of `size` (width, height); None where there is no room."""
    if min(size) < SMALLEST_PHOTO:
        return None
    height = max(SMALLEST, SHARE * min(size))
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox(TEXT)
    pad = height * 0.45
    image = Image.new("RGBA", (round(right - left + 2 * pad), round(bottom - top + 2 * pad)), (*PLATE, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, image.width - 1, image.height - 1), image.height / 2, fill=(*PLATE, 255))
    draw.text((pad - left, pad - top), TEXT, fill=(*LETTERS, 255), font=font)
    return Plate(image, size[0] - image.width - round(pad), size[1] - image.height - round(pad))


def stamp(image: Image.Image) -> None:
    """Draws the mark into the lower right corner of an RGB or RGBA image, in place."""
    if mark := plate(image.size):
        image.paste(mark.image if image.mode == "RGBA" else mark.image.convert("RGB"), (mark.x, mark.y), mark.image)


def stamped(parts: Iterable[NDArray[np.uint16]], size: tuple[int, int]) -> Iterator[NDArray[np.uint16]]:
    """The same for strips from top to bottom of (rows, w, 3 or 4) 16-bit values."""
    mark = plate(size)
    top = 0
    for part in parts:
        if mark:
            _stamp_strip(part, top, mark)
        top += len(part)
        yield part


def _stamp_strip(part: NDArray[np.uint16], top: int, mark: Plate) -> None:
    first, last = max(mark.y, top), min(mark.y + mark.image.height, top + len(part))
    if first >= last:
        return
    rgba = np.asarray(mark.image)[first - mark.y : last - mark.y]
    under = part[first - top : last - top, mark.x : mark.x + mark.image.width]
    values = rgba[..., : under.shape[2]].astype(np.uint16) * 257
    share = rgba[..., 3:] / np.float32(255)
    under[:] = np.rint(under + (values - under.astype(np.float32)) * share)
