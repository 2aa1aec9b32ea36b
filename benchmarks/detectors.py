"""Recall and time of detectors on photos made grey, as a Markdown table.

    python benchmarks/detectors.py PHOTOS.zip --boxes boxes.json DETECTOR... [--threshold X] [--threads 1]

A box of the boxes file counts as found where the detector has a box of the same label that overlaps it with an IoU of
0.5 or more, at the detector's own threshold unless one is given. "of the best 8" looks only among what `select` leaves
of the findings: what is colored by itself. Detectors see L* alone; the time is that of `detect`, from L* to objects,
median of all photos.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from instcolor.colorspace import srgb8_to_L
from instcolor.detectors import Detector, load_detector
from instcolor.objects import Boxes, DetectedObject, iou, read_boxes, select

IOU = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("detectors", nargs="+", help="files, or whatever load_detector takes")
    parser.add_argument("--boxes", type=Path, required=True, help="JSON with what there is to find")
    parser.add_argument("--min-score", type=float, default=0.5, help="of the boxes to find")
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    boxes = read_boxes(given.boxes)
    columns = (
        "detector",
        "threshold",
        "boxes to find",
        "recall",
        "with any label",
        "of the best 8",
        "objects a photo",
        "ms",
    )
    print(f"| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    for name in given.detectors:
        detector = load_detector(name, threshold=given.threshold, threads=given.threads)
        assert detector is not None
        print(f"| {Path(name).stem} | {row(detector, given.photos, boxes, given.min_score)} |", flush=True)


def row(detector: Detector, photos: Path, boxes: Boxes, min_score: float) -> str:
    """All figures of one detector."""
    total = named = placed = chosen = objects = 0
    times = []
    for file, L in read_photos(photos):
        size = (L.shape[1], L.shape[0])
        start = time.perf_counter()
        found = detector.detect(L)
        times.append(time.perf_counter() - start)
        objects += len(found)
        best = select(found, size)
        for item in boxes.for_photo(file, size):
            if item.score >= min_score:
                total += 1
                named += hit(item, found, same_label=True)
                placed += hit(item, found, same_label=False)
                chosen += hit(item, best, same_label=True)
    threshold = getattr(detector, "threshold", "")
    shares = " | ".join(f"{hits / max(1, total):.3f}" for hits in (named, placed, chosen))
    milliseconds = statistics.median(times) * 1000
    return f"{threshold} | {total} | {shares} | {objects / max(1, len(times)):.1f} | {milliseconds:.0f}"


def hit(item: DetectedObject, found: list[DetectedObject], *, same_label: bool) -> bool:
    """Whether an object is among those found."""
    return any(iou(item.box, o.box) >= IOU and (o.label == item.label or not same_label) for o in found)


def read_photos(path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Names and L* of the photos of a zip file."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith("/"):
                with Image.open(io.BytesIO(archive.read(name))) as image:
                    yield name, srgb8_to_L(np.asarray(image.convert("RGB")))


if __name__ == "__main__":
    main()
