"""Draws docs/pictures/way.jpg: a photograph on its way through instcolor, station by station.

python tools/way.py [PHOTO]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from instcolor import Colorizer, Look
from instcolor.colorspace import L_to_gray8, lab_to_srgb8
from instcolor.detectors.drawing import draw

ROOT = Path(__file__).parents[1]
HEIGHT, GAP = 300, 8


def stations(look: Look, alone: Look) -> list[Image.Image]:
    """Lightness; objects; ab of the full image alone; ab with the objects blended in; the result."""
    L = look.photo.L
    gray = Image.fromarray(np.repeat(L_to_gray8(L)[..., None], 3, axis=-1))
    return [gray, draw(gray, look.objects), _flat(alone), _flat(look), Image.fromarray(look.color().rgb())]


def _flat(look: Look) -> Image.Image:
    """The small ab of a look at one lightness, as large as the photo, with its cells as they are."""
    ab = look.anchor(1)
    rgb = lab_to_srgb8(np.full(ab.shape[:2], 65, np.float32), ab)
    return Image.fromarray(rgb).resize(look.photo.size, Image.Resampling.NEAREST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=ROOT / "examples" / "photos" / "nagasaki-boats.jpg")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures" / "way.jpg")
    arguments = parser.parse_args()
    colorizer = Colorizer()
    look = colorizer.look(arguments.photo)
    pictures = stations(look, colorizer.look_again(look.photo, ()))
    width = round(HEIGHT * pictures[0].width / pictures[0].height)
    sheet = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, HEIGHT), "white")
    for index, picture in enumerate(pictures):
        sheet.paste(picture.resize((width, HEIGHT), Image.Resampling.LANCZOS), (index * (width + GAP), 0))
    sheet.save(arguments.out, quality=85)
    print(f"{arguments.out}: {sheet.width} x {sheet.height}")


if __name__ == "__main__":
    main()
