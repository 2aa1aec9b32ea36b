"""Recall and time of detectors on photos made gray, as a Markdown table.

    python benchmarks/detectors.py PHOTOS.zip --boxes boxes.json DETECTOR... [--threshold X] [--threads 1 2] [--count N]

A box of the boxes file counts as found where the detector has a box of the same label that overlaps it with an IoU of
0.5 or more, at the detector's own threshold unless one is given. "of the best 8" looks only among what `select` leaves
of the findings: what is colored by itself. Detectors see L* alone; the times are those of `detect`, from L* to objects,
median of all photos, one for each number of threads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from instcolor.colorspace import srgb8_to_L
from instcolor.detectors import Detector, load_detector
from instcolor.evaluation.data import spread
from instcolor.evaluation.photos import PhotoFile, find_photos
from instcolor.objects import Boxes, DetectedObject, iou, read_boxes, select

IOU = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("detectors", nargs="+", help="files, or whatever load_detector takes")
    parser.add_argument("--boxes", type=Path, required=True, help="JSON with what there is to find")
    parser.add_argument("--min-score", type=float, default=0.5, help="of the boxes to find")
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--count", type=int, help="only so many photos, spread over all")
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
        *(f"ms, {n} thread{'s' * (n > 1)}" for n in given.threads),
    )
    print(f"| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    for name in given.detectors:
        detectors = [load_detector(name, threshold=given.threshold, threads=threads) for threads in given.threads]
        photos = spread(find_photos(given.photos), given.count)
        cells = row([detector for detector in detectors if detector], photos, boxes, given.min_score)
        print(f"| {Path(name).stem} | {cells} |", flush=True)


def row(detectors: Sequence[Detector], photos: Sequence[PhotoFile], boxes: Boxes, min_score: float) -> str:
    """All figures of one detector, which is there once for each number of threads."""
    total = named = placed = chosen = objects = 0
    times: list[list[float]] = [[] for _ in detectors]
    for photo in photos:
        L = srgb8_to_L(photo.read())
        size = (L.shape[1], L.shape[0])
        for detector, taken in zip(detectors, times, strict=True):
            start = time.perf_counter()
            found = detector.detect(L)
            taken.append(time.perf_counter() - start)
        objects += len(found)
        best = select(found, size)
        for item in boxes.for_photo(photo.name, size):
            if item.score >= min_score:
                total += 1
                named += hit(item, found, same_label=True)
                placed += hit(item, found, same_label=False)
                chosen += hit(item, best, same_label=True)
    threshold = getattr(detectors[0], "threshold", "")
    shares = " | ".join(f"{hits / max(1, total):.3f}" for hits in (named, placed, chosen))
    milliseconds = " | ".join(f"{statistics.median(taken) * 1000:.0f}" for taken in times)
    return f"{threshold} | {total} | {shares} | {objects / max(1, len(photos)):.1f} | {milliseconds}"


def hit(item: DetectedObject, found: list[DetectedObject], *, same_label: bool) -> bool:
    """Whether an object is among those found."""
    return any(iou(item.box, o.box) >= IOU and (o.label == item.label or not same_label) for o in found)


if __name__ == "__main__":
    main()
