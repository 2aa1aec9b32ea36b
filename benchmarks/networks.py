"""Times a model's networks on ONNX Runtime by the number of objects, and prints a Markdown table.

    python benchmarks/networks.py [--model lite | --folder FOLDER] [--threads 2] [--repeats 10]

The photo's inputs are cut beforehand: only the networks are timed, best of several runs. "Photo" is the full-image
network with the fusion in it, "crops" the instance network on all objects as one batch. A folder holds photo.onnx and
objects.onnx and needs no facts beside them: `--side` and `--instance-size` say them. They may also differ from what a
model of the registry has.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from instcolor.inputs import Inputs, Sizes
from instcolor.models import registry
from instcolor.objects import DetectedObject
from instcolor.runtime.model import OnnxModel, Plane
from instcolor.runtime.preparing import prepare

COUNTS = (0, 1, 4, 8, 16, 24)  # as many small ones are colored at most
PHOTO = (1024, 1024)
MULTIPLE = 32


def open_model(arguments: argparse.Namespace) -> OnnxModel:
    folder, side, instance_size, multiple = arguments.folder, arguments.side, arguments.instance_size, MULTIPLE
    if folder is None:
        entry = registry.find(arguments.model)
        folder, multiple = entry.folder, entry.multiple
        side, instance_size = side or entry.side, instance_size or entry.instance_size
    return OnnxModel(
        folder / "photo.onnx",
        folder / "objects.onnx",
        Sizes(side or 256, instance_size or 192, multiple),
        threads=arguments.threads,
    )


def example(model: OnnxModel, count: int) -> Inputs[Plane]:
    """A photo of noise with objects in four rows of six."""
    width, height = PHOTO
    L = np.random.default_rng(0).uniform(0, 100, (height, width)).astype(np.float32)
    corners = [(column * width / 6, row * height / 4) for row in range(4) for column in range(6)]
    objects = [DetectedObject((x, y, x + width / 6, y + height / 4), "", 1.0) for x, y in corners[:count]]
    return prepare(L, objects, model.sizes)


def best(work: Callable[[], object], repeats: int) -> float:
    """Milliseconds of the fastest of several runs, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=registry.DEFAULT, help="a model of the registry")
    parser.add_argument("--folder", type=Path, help="instead of a model: where its two files are")
    parser.add_argument("--side", type=int, help="of the whole photo at the network")
    parser.add_argument("--instance-size", type=int, help="side of the crops")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    model = open_model(arguments)
    threads = f"{arguments.threads} thread{'s' if arguments.threads > 1 else ''}"
    side, crop = model.sizes.side, model.sizes.instance_size
    print(f"Photo at {side} x {side}, crops at {crop} x {crop}, {threads}\n")
    print("| objects | photo, ms | crops, ms | together, ms | to no objects |")
    print("|--:|--:|--:|--:|--:|")
    alone = 0.0
    for count in COUNTS:
        inputs = example(model, count)
        together = best(partial(model.answer, inputs), arguments.repeats)
        crops = best(partial(model.instance_taps, inputs.objects), arguments.repeats)
        alone = alone or together
        figures = f"{max(together - crops, 0):.0f} | {crops:.0f} | {together:.0f} | {together / alone:.1f}"
        print(f"| {count} | {figures} |")


if __name__ == "__main__":
    main()
