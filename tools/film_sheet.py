"""Draws docs/pictures/film.jpg: eight frames of a film before and after, and one line of its pixels over time.

python tools/film_sheet.py BEFORE AFTER            (needs instcolor[video])
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
FRAMES, WIDTH, GAP = 8, 1920, 4


def frames_of(film: Path) -> list[np.ndarray]:
    with av.open(str(film)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def row(frames: list[np.ndarray]) -> Image.Image:
    shown = [frames[i] for i in np.linspace(0, len(frames) - 1, FRAMES).astype(int)]
    strip = Image.fromarray(np.hstack(shown))
    return strip.resize((WIDTH, round(WIDTH * strip.height / strip.width)), Image.Resampling.LANCZOS)


def line(films: list[list[np.ndarray]]) -> Image.Image:
    """The middle line of pixels of each film, a row for each frame, side by side."""
    planes = [np.stack([frame[frame.shape[0] // 2] for frame in frames]) for frames in films]
    return Image.fromarray(np.hstack(planes)).resize((WIDTH, 240), Image.Resampling.LANCZOS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures" / "film.jpg")
    arguments = parser.parse_args()
    films = [frames_of(arguments.before), frames_of(arguments.after)]
    parts = [*map(row, films), line(films)]
    sheet = Image.new("RGB", (WIDTH, sum(part.height + GAP for part in parts) - GAP), "white")
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height + GAP
    sheet.save(arguments.out, quality=85)


if __name__ == "__main__":
    main()
