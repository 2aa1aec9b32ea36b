"""Which score a finding of a detector should have to be colored by itself: the colors decide.

    python tools/detector_threshold.py PHOTOS --boxes boxes.json [--count 125] [--detector builtin]

Prints the mean PSNR of `lite` fused with what the detector finds, for a range of thresholds, beside the full image
alone and fusion with the boxes of the file; as `instcolor evaluate` measures it at 256 x 256 in the style faithful.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from instcolor.colorizer import load_model
from instcolor.colorspace import srgb8_to_L
from instcolor.detectors import BUILTIN, load_detector
from instcolor.evaluation.color.protocol import Case, Protocol
from instcolor.evaluation.data import spread
from instcolor.evaluation.metrics import psnr
from instcolor.evaluation.photos import find_photos
from instcolor.objects import DetectedObject, read_boxes, select
from instcolor.runtime.model import ColorModel

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)
PROTOCOL = Protocol()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--boxes", type=Path, required=True)
    parser.add_argument("--count", type=int, help="only so many photos, spread over all")
    parser.add_argument("--detector", default=BUILTIN)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    detector = load_detector(given.detector, threshold=THRESHOLDS[0], threads=given.threads)
    model = load_model("lite", given.threads)
    boxes = read_boxes(given.boxes)
    values, counts = defaultdict(list), defaultdict(list)
    for photo in spread(find_photos(given.photos), given.count):
        rgb = photo.read()
        size = rgb.shape[1], rgb.shape[0]
        case = PROTOCOL.case(photo.name, rgb, boxes.for_photo(photo.name, size))
        found = detector.detect(srgb8_to_L(rgb)) if detector else []
        rows = {"full image": (), "boxes of the file": case.chosen}
        rows |= {f"from {least:.2f}": tuple(select(found, size, min_score=least)) for least in THRESHOLDS}
        known: dict[Sequence[DetectedObject], float] = {}
        for name, objects in rows.items():
            if objects not in known:
                known[objects] = quality(case, model, objects)
            values[name].append(known[objects])
            counts[name].append(len(objects))
    full = mean(values["full image"])
    print(f"{len(values['full image'])} photos\n{'':18} {'PSNR':>8} {'over full':>9} {'objects a photo':>16}")
    for name, row in values.items():
        print(f"{name:18} {mean(row):8.3f} {mean(row) - full:+9.4f} {mean(counts[name]):16.2f}")


def quality(case: Case, model: ColorModel, objects: Sequence[DetectedObject]) -> float:
    """PSNR of the photo colored with these objects."""
    rgb = PROTOCOL.look(case, model, objects).color("faithful").rgb()
    return psnr(rgb, case.truth)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
