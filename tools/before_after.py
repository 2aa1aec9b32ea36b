"""Draws docs/pictures/before-after.jpg: some of the example photos, gray above and colored below.

python tools/before_after.py            (after `make colorize`)
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).parents[1]
SHOWN = ("dust-bowl-home", "astronaut", "nagasaki-boats", "grace-hopper", "alpine-forest", "cat")
HEIGHT, GAP = 260, 6


def column(name: str, results: Path) -> Image.Image:
    """One photo before and after, one above the other."""
    pair = []
    for folder in (ROOT / "examples" / "photos", results):
        image = ImageOps.exif_transpose(Image.open(folder / f"{name}.jpg")).convert("RGB")
        pair.append(ImageOps.fit(image, (round(HEIGHT * 0.85), HEIGHT), Image.Resampling.LANCZOS, centering=(0.5, 0.3)))
    both = Image.new("RGB", (pair[0].width, 2 * HEIGHT + GAP), "white")
    both.paste(pair[0], (0, 0))
    both.paste(pair[1], (0, HEIGHT + GAP))
    return both


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "colorized", help="folder of the colored examples")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures" / "before-after.jpg")
    parser.add_argument("names", nargs="*", default=SHOWN, help="photos, without .jpg")
    args = parser.parse_args()
    columns = [column(name, args.results) for name in args.names]
    sheet = Image.new("RGB", (sum(c.width + GAP for c in columns) - GAP, columns[0].height), "white")
    left = 0
    for part in columns:
        sheet.paste(part, (left, 0))
        left += part.width + GAP
    sheet.save(args.out, quality=88)


if __name__ == "__main__":
    main()
