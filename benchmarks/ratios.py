"""What coloring costs beside Pillow's decoding and encoding of the same file: CPU seconds of one thread, in one run.

    OMP_NUM_THREADS=1 python benchmarks/ratios.py [--megapixels 1 3 6 12] [--objects 0 1 4 8] [--repeats 5]

Prints a row for each size without objects, and for each number of objects (boxes that are given, with masks found) at
the largest size. Coloring and Pillow take turns, so that both meet the same load; the ratio is the median of pairs.
The slope is that of a straight line through the medians; "off" is how far the worst of them is from it.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from instcolor import Colorizer, DetectedObject
from instcolor.cores import use_cores

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "raccoon.jpg"
SAVING = {"quality": 92, "subsampling": 0}


def jpeg(megapixels: float) -> bytes:
    """A 4:3 color JPEG of that size."""
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4))
    stream = io.BytesIO()
    with Image.open(PHOTO) as image:
        resized = image.convert("RGB").resize((round(height * 4 / 3), height), Image.Resampling.BICUBIC)
    resized.save(stream, "JPEG", **SAVING)
    return stream.getvalue()


def boxes(size: tuple[int, int], count: int) -> list[DetectedObject]:
    """So many objects in two rows."""
    columns = max(1, math.ceil(count / 2))
    width, height = size[0] / columns, size[1] / 2
    corners = [(number % columns * width, number // columns * height) for number in range(count)]
    return [DetectedObject((x, y, x + 0.9 * width, y + 0.9 * height), "object", 0.9) for x, y in corners]


def pillow(data: bytes) -> None:
    """Decodes and encodes as the result is."""
    Image.open(io.BytesIO(data)).save(io.BytesIO(), "JPEG", **SAVING)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(colorizer: Colorizer, megapixels: float, count: int, repeats: int) -> float:
    """Prints a row; the median seconds of coloring."""
    data = jpeg(megapixels)
    objects = boxes(Image.open(io.BytesIO(data)).size, count)

    def color() -> None:
        colorizer.colorize(data, objects=objects).encode("JPEG", quality=92)

    color()  # loads what is needed
    pairs = [(seconds(color), seconds(lambda: pillow(data))) for _ in range(repeats)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(mine / other for mine, other in pairs)
    print(f"| {megapixels:g} | {count} | {ours:.2f} | {theirs:.2f} | {ratio:.1f} |", flush=True)
    return float(ours)


def line(name: str, places: list[float], found: list[float]) -> None:
    """Prints the straight line through what was found."""
    slope, start = np.polyfit(places, found, 1)
    off = max(abs(start + slope * place - value) / value for place, value in zip(places, found, strict=True))
    print(f"{name}: {start:.3f} s + {slope:.3f} s each, off by {off:.0%} at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 3, 6, 12])
    parser.add_argument("--objects", type=int, nargs="+", default=[0, 1, 4, 8])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    use_cores(1)
    colorizer = Colorizer(detector="none", threads=1)
    print("| megapixels | objects | CPU s | Pillow's CPU s | ratio |\n|---:|---:|---:|---:|---:|")
    sizes = [measure(colorizer, megapixels, 0, given.repeats) for megapixels in given.megapixels]
    counts = [measure(colorizer, max(given.megapixels), count, given.repeats) for count in given.objects]
    line("a megapixel", given.megapixels, sizes)
    line("an object", given.objects, counts)


if __name__ == "__main__":
    main()
