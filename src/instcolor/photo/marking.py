"""The corner mark: a small plate that says what was done, for those who want it seen."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

TEXT = "colorized"
SHARE = 0.028  # height of the letters in parts of the photo's shorter side
SMALLEST = 9.0  # pixels
SMALLEST_PHOTO = 64  # pixels of a side; below, there is no room for letters
PLATE, LETTERS = (20, 20, 20), (245, 245, 245)


def stamp(image: Image.Image) -> None:
    """Draws the mark into the lower right corner of an RGB or RGBA image, in place."""
    if min(image.size) < SMALLEST_PHOTO:
        return
    size = max(SMALLEST, SHARE * min(image.size))
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(TEXT)
    pad = size * 0.45
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x, y = image.width - width - pad, image.height - height - pad
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((x, y, x + width, y + height), height / 2, fill=PLATE)
    draw.text((x + pad - left, y + pad - top), TEXT, fill=LETTERS, font=font)
