"""Findings drawn on a photo, for looking at."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterable
from zlib import crc32

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ..objects import Box, DetectedObject, clip

SMALLEST = 320  # longer side in pixels under which a picture is enlarged, so that labels can be read
TEXT_SHARE = 1 / 45  # height of the text, of the longer side
TINT, OUTLINE = 60, 230  # how much of its color a mask has within and along its outline, of 255


def draw(image: Image.Image, objects: Iterable[DetectedObject]) -> Image.Image:
    """An RGB copy of the photo with frame, label and score of each object, its mask outlined; boxes in its pixels.

    One color for each label. Photos under 320 pixels are enlarged by a whole factor. Boxes that lie outside the photo
    or are not finite are left out.
    """
    scale = max(1, math.ceil(SMALLEST / max(image.size)))
    canvas = image.convert("RGB").resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    text_height = max(11, round(max(canvas.size) * TEXT_SHARE))
    font = ImageFont.load_default(text_height)
    line = max(2, text_height // 8)
    visible = [(item, box) for item in objects if (box := clip(item.box, image.size))]
    visible.sort(key=lambda pair: pair[0].score)  # the surest on top
    for item, box in visible:
        _tint(canvas, item, box, scale, line)
    pen = ImageDraw.Draw(canvas)
    for item, box in visible:
        x0, y0, x1, y1 = (round(v * scale) for v in box)
        color = _color(item.label)
        pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=color, width=line)
        text = f"{item.label} {item.score:.2f}"
        left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
        width, height = math.ceil(right - left) + 2 * line, math.ceil(bottom - top) + 2 * line
        x = max(0, min(x0, canvas.width - width))
        y = (
            y0 - height if y0 >= height else min(y0, max(0, canvas.height - height))
        )  # above the box where there is room
        pen.rectangle((x, y, x + width - 1, y + height - 1), fill=color)
        pen.text((x + line - left, y + line - top), text, fill=_ink(color), font=font)
    return canvas


def _tint(canvas: Image.Image, item: DetectedObject, box: Box, scale: int, line: int) -> None:
    """Lays the object's color over what its mask holds for the object, if it has one, more of it along the outline."""
    if item.mask is None:
        return
    x0, y0, x1, y1 = (round(v * scale) for v in box)
    x1, y1 = max(x0 + 1, x1), max(y0 + 1, y1)
    solid = item.mask.over((x0 / scale, y0 / scale, x1 / scale, y1 / scale), (y1 - y0, x1 - x0)) >= 0.5
    plane = Image.fromarray(solid.astype(np.uint8) * np.uint8(255))
    inner = np.asarray(plane.filter(ImageFilter.MinFilter(2 * line + 1))) > 0
    strength = np.where(solid & ~inner, OUTLINE, solid * TINT).astype(np.uint8)
    canvas.paste(_color(item.label), (x0, y0), Image.fromarray(strength))


def _color(label: str) -> tuple[int, int, int]:
    """The same strong color for a label on every machine."""
    number = crc32(label.encode())
    red, green, blue = colorsys.hsv_to_rgb(number % 360 / 360, 0.55 + number // 360 % 4 * 0.1, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def _ink(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever reads better on a color."""
    return (0, 0, 0) if 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 128 else (255, 255, 255)
