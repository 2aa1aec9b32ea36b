"""Draws docs/pictures/edges.jpg: color brought to full size bilinearly (left) and guided by the lightness (right).

python tools/edges.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from instcolor import Colorizer, Photo, read_boxes, styles
from instcolor.colorspace import lab_to_srgb8
from instcolor.upsampling import upsample_ab, upsample_plane

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "examples" / "photos"
# name, left, top and side of a square around edges, in pixels
SHOWN = (
    ("grace-hopper", 200, 60, 200),
    ("dust-bowl-home", 620, 150, 320),
    ("nagasaki-boats", 560, 240, 360),
    ("cameraman", 160, 60, 200),
)
SIDE, GAP = 300, 6


def main() -> None:
    colorizer, boxes = Colorizer(), read_boxes(PHOTOS / "boxes.json")
    sheet = Image.new("RGB", (2 * SIDE + GAP, len(SHOWN) * (SIDE + GAP) - GAP), "white")
    for row, (name, left, top, side) in enumerate(SHOWN):
        path = PHOTOS / f"{name}.jpg"
        photo = Photo.open(path)
        look = colorizer.look(photo, objects=boxes.for_photo(path, photo.size))
        ab = styles.apply(look.answer, styles.STYLES["vivid"])  # strong colors show most
        bilinear = np.stack([upsample_plane(ab[..., i], photo.L.shape) for i in range(2)], axis=-1)
        for column, full in enumerate((bilinear, upsample_ab(ab, photo.L))):
            part = Image.fromarray(lab_to_srgb8(photo.L, full)).crop((left, top, left + side, top + side))
            sheet.paste(
                part.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (column * (SIDE + GAP), row * (SIDE + GAP))
            )
    sheet.save(ROOT / "docs" / "pictures" / "edges.jpg", quality=88)


if __name__ == "__main__":
    main()
