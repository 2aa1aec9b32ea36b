"""What the tests of the command line share: photos to color, looks at what became of them, and boxes files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import Result

from support import fixtures, stand_in

Run = Callable[..., Result]
Start = Callable[..., subprocess.Popen[bytes]]
MODEL = ("--model", stand_in.NAME)
JPEG = fixtures.encoded(fixtures.image("L"), "JPEG", quality=90)
PNG = fixtures.encoded(fixtures.image("L"), "PNG")


def put(path: str | Path, data: bytes = JPEG) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def files(folder: str | Path = ".") -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if not path.is_dir())


def is_color(path: str | Path) -> bool:
    with Image.open(path) as image:
        return bool(np.ptp(np.asarray(image.convert("RGB")).astype(int), axis=2).mean() > 5)


def size(path: str | Path) -> tuple[int, int]:
    with Image.open(path) as image:
        image.load()
        return image.size


def errors(result: Result) -> list[str]:
    return [line.removeprefix("error: ") for line in result.stderr.splitlines() if line.startswith("error: ")]


def write_boxes(path: str | Path, **photos: list[list[float]]) -> Path:
    """A boxes file; keys are file stems."""
    listed = [
        {"file": f"{stem}.jpg", "objects": [{"box": box, "label": "dog", "score": 0.9} for box in boxes]}
        for stem, boxes in photos.items()
    ]
    return put(path, json.dumps({"photos": listed}).encode())


def bright_spot(x: int, y: int) -> bytes:
    """A dark photo with one bright square of a cell of the detector's coarsest grid."""
    pixels = np.full((64, 64), 20, np.uint8)
    pixels[y : y + 16, x : x + 16] = 250
    return fixtures.encoded(Image.fromarray(pixels), "PNG")
