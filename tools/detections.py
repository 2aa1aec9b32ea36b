"""Draws docs/pictures/detections.jpg: what the packaged detector finds on some of the example photos.

python tools/detections.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from instcolor import Photo, load_detector
from instcolor.detectors import BUILTIN
from instcolor.detectors.drawing import draw
from instcolor.detectors.picture import gray_picture
from instcolor.objects import PhotoObjects

ROOT = Path(__file__).parents[1]
SHOWN = (("nagasaki-boats", "grace-hopper", "sheep"), ("cameraman", "citrus", "tesla", "cat"))
HEIGHT, GAP = 320, 6


def main() -> None:
    detector = load_detector(BUILTIN)
    assert detector is not None
    rows = []
    for names in SHOWN:
        pictures = []
        for name in names:
            photo = Photo.open(ROOT / "examples" / "photos" / f"{name}.jpg")
            size = round(photo.size[0] * HEIGHT / photo.size[1]), HEIGHT
            objects = PhotoObjects(name, photo.size, tuple(detector.detect(photo.L))).at(size)
            pictures.append(draw(gray_picture(photo.L).resize(size, Image.Resampling.LANCZOS), objects))
        rows.append(pictures)
    width = max(sum(picture.width + GAP for picture in pictures) for pictures in rows) - GAP
    sheet = Image.new("RGB", (width, len(rows) * (HEIGHT + GAP) - GAP), "white")
    for number, pictures in enumerate(rows):
        left = 0
        for picture in pictures:
            sheet.paste(picture, (left, number * (HEIGHT + GAP)))
            left += picture.width + GAP
    sheet.save(ROOT / "docs" / "pictures" / "detections.jpg", quality=75)


if __name__ == "__main__":
    main()
