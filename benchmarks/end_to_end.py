"""Time and memory of `instcolor colorize` on a photo of 12 megapixels, as a user meets them: a fresh process a run.

    python benchmarks/end_to_end.py [--runs 3]

Prints wall time (median of the runs) and peak memory (worst of the runs) without objects, with eight that are given,
and with what the packaged detector finds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "raccoon.jpg"
SIZE = (4000, 3000)
COMMAND = Path(sys.executable).with_name("instcolor")


def prepare(folder: Path) -> tuple[Path, Path]:
    """A photo of `SIZE` and a boxes file with eight objects on it, two rows of four."""
    photo, boxes = folder / "photo.jpg", folder / "boxes.json"
    with Image.open(PHOTO) as image:
        image.resize(SIZE, Image.Resampling.LANCZOS).save(photo, quality=92)
    width, height = SIZE[0] / 4, SIZE[1] / 2
    corners = [(column * width, row * height) for row in range(2) for column in range(4)]
    objects = [
        {"box": [x + 100, y + 200, x + width - 100, y + height - 200], "label": "object", "score": 0.9}
        for x, y in corners
    ]
    boxes.write_text(json.dumps({"photos": [{"file": photo.name, "size": SIZE, "objects": objects}]}))
    return photo, boxes


def measure(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds and peak MB of one `instcolor` process; ends the benchmark where that fails."""
    start = time.perf_counter()
    process = subprocess.Popen([COMMAND, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"instcolor {' '.join(arguments)} ended with {process.returncode}")
    peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)  # macOS counts bytes, Linux KB
    return seconds, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo, boxes = prepare(folder)
        print(f"{SIZE[0]} x {SIZE[1]} JPEG, {runs} runs, {os.cpu_count()} cores")
        print(f"{'':12} {'seconds':>8} {'peak MB':>8}")
        for title, options in (
            ("no objects", ["--detector", "none"]),
            ("8 objects", ["--boxes", str(boxes)]),
            ("detector", []),
        ):
            figures = [
                measure(["colorize", str(photo), "--out", str(folder / f"{title}-{run}.jpg"), *options])
                for run in range(runs)
            ]
            print(f"{title:12} {statistics.median(f[0] for f in figures):8.2f} {max(f[1] for f in figures):8.0f}")


if __name__ == "__main__":
    main()
