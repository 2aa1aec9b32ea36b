"""Generated photographs with objects, to try a training on: shape and surroundings say which color a thing has.

`python -m instcolor.training.scenes FOLDER [COUNT]` writes them with their boxes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..objects import DetectedObject, PhotoObjects, to_json

SIZE = (112, 96)  # width, height
SKY, GRASS = (120, 170, 230), (70, 150, 60)
THINGS = {"orange": (240, 140, 40), "kite": (215, 40, 60), "boat": (110, 60, 150)}  # label -> color
BOXES = "boxes.json"


def scene(seed: int, size: tuple[int, int] = SIZE) -> tuple[NDArray[np.uint8], list[DetectedObject]]:
    """(h, w, 3) sky over grass with one to three things on it, and where they are."""
    rng = np.random.default_rng((seed, 9))
    width, height = size
    horizon = int(height * rng.uniform(0.35, 0.65))
    image = Image.new("RGB", size, SKY)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, horizon, width, height), GRASS)
    objects = []
    for label in rng.permutation(list(THINGS))[: rng.integers(1, len(THINGS) + 1)]:
        side = int(min(size) * rng.uniform(0.22, 0.45))
        x, y = int(rng.uniform(0, width - side)), int(rng.uniform(0, height - side))
        box = (x, y, x + side, y + side)
        _draw(pen, str(label), box, THINGS[str(label)])
        objects.append(DetectedObject(tuple(map(float, box)), str(label), 1.0))  # type: ignore[arg-type]
    light = rng.uniform(0.75, 1.1) * np.linspace(1.1, 0.9, height)[:, None, None]
    rgb = np.asarray(image, np.float32) * light + rng.normal(0, 5, (height, width, 1))
    return rgb.clip(0, 255).astype(np.uint8), objects


def _draw(pen: ImageDraw.ImageDraw, label: str, box: tuple[int, int, int, int], color: tuple[int, int, int]) -> None:
    x0, y0, x1, y1 = box
    middle, last = (x0 + x1) // 2, y1 - 1
    if label == "orange":
        pen.ellipse((x0, y0, x1 - 1, last), color)
    elif label == "kite":
        pen.polygon([(middle, y0), (x1 - 1, (y0 + y1) // 2), (middle, last), (x0, (y0 + y1) // 2)], color)
    else:
        pen.polygon([(x0, (y0 + y1) // 2), (x1 - 1, (y0 + y1) // 2), (x1 - (x1 - x0) // 4, last), (x0, last)], color)
        pen.rectangle((middle, y0, middle + 2, (y0 + y1) // 2), color)


def write_scenes(folder: Path, count: int, first: int = 0, size: tuple[int, int] = SIZE) -> Path:
    """Writes scenes as PNG files and their boxes beside them; returns the boxes file."""
    folder.mkdir(parents=True, exist_ok=True)
    photos = []
    for seed in range(first, first + count):
        rgb, objects = scene(seed, size)
        name = f"scene-{seed:05}.png"
        Image.fromarray(rgb).save(folder / name)
        photos.append(PhotoObjects(name, size, tuple(objects)))
    path = folder / BOXES
    path.write_text(json.dumps(to_json(photos)), encoding="utf-8")
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    write_scenes(target / "train", count)
    print(f"{write_scenes(target / 'val', count // 10, first=1_000_000)}: scenes are in {target}")
