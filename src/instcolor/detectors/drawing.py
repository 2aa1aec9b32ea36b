"""Findings drawn on a photo, for looking at."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterable
from zlib import crc32

from PIL import Image, ImageDraw, ImageFont

from ..objects import DetectedObject, clip

SMALLEST = 320  # longer side in pixels under which a picture is enlarged, so that labels can be read
TEXT_SHARE = 1 / 45  # height of the text, of the longer side


def draw(image: Image.Image, objects: Iterable[DetectedObject]) -> Image.Image:
    """An RGB copy of the photo with a frame, label and score for each object; boxes in pixels of `image`.

    One color for each label. Photos under 320 pixels are enlarged by a whole factor. Boxes that lie outside the photo
    or are not finite are left out.
    """
    scale = max(1, math.ceil(SMALLEST / max(image.size)))
    canvas = image.convert("RGB").resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(canvas)
    text_height = max(11, round(max(canvas.size) * TEXT_SHARE))
    font = ImageFont.load_default(text_height)
    line = max(2, text_height // 8)
    visible = [(item, box) for item in objects if (box := clip(item.box, image.size))]
    for item, box in sorted(visible, key=lambda pair: pair[0].score):  # the surest on top
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


def _color(label: str) -> tuple[int, int, int]:
    """The same strong color for a label on every machine."""
    number = crc32(label.encode())
    red, green, blue = colorsys.hsv_to_rgb(number % 360 / 360, 0.55 + number // 360 % 4 * 0.1, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def _ink(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever reads better on a color."""
    return (0, 0, 0) if 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 128 else (255, 255, 255)
