"""Makes the packaged detector's scores mean something: fits slope and offset in its model.toml, and its checksum.

    python tools/calibrate_detector.py PHOTOS... --boxes boxes.json [--count 500]

To be run whenever `detector.onnx` is another one, on photos that it will not be judged by (training photos, never those
of the validation). A finding is right where its box overlaps one of the boxes file (score 0.35 and more) with an IoU
of 0.5 or more. "Probabilistic Outputs for Support Vector Machines" (Platt 1999): the share of right findings is taken
for sigmoid(slope * logit(p) + offset) of the network's probability p. Prints how well that holds.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instcolor.colorspace import srgb8_to_L
from instcolor.detectors.builtin import BuiltinDetector, logit
from instcolor.detectors.onnx_file import OnnxFile
from instcolor.evaluation.data import MIN_SCORE, spread
from instcolor.evaluation.photos import find_photos
from instcolor.models import registry
from instcolor.objects import iou, read_boxes

FOLDER = registry.PACKAGED / registry.DETECTOR
LEAST = 0.02  # probability of a finding that is looked at
MATTERS = 0.1  # score from which findings take part: the many weakest alone would decide the curve
IOU = 0.5
ROUNDS, STEPS = 12, 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path, help="folders or zip files")
    parser.add_argument("--boxes", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500, help="photos, spread over all")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    graph = FOLDER / "detector.onnx"
    detector = BuiltinDetector(OnnxFile(graph, given.threads), threshold=LEAST)
    p, right = findings(detector, given.photos, given.boxes, given.count)
    slope, offset = 1.0, 0.0
    for _ in range(ROUNDS):  # what takes part depends on the curve
        part = scored(p, slope, offset) >= MATTERS
        slope, offset = fit(logit(p[part]), right[part])
    print(f"{given.count} photos, {part.sum()} findings, {right[part].mean():.3f} right: {slope=:.4f} {offset=:.4f}")
    print_reliability(scored(p[part], slope, offset), right[part])
    facts = FOLDER / registry.FACTS
    text = facts.read_text(encoding="utf-8")
    digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    for key, value in (("slope", f"{slope:.4f}"), ("offset", f"{offset:.4f}"), ('"detector.onnx"', f'"{digest}"')):
        text = re.sub(rf"^{re.escape(key)} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    facts.write_text(text, encoding="utf-8")


def findings(
    detector: BuiltinDetector, photos: Sequence[Path], boxes: Path, count: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probability of each finding, and whether it is right."""
    known = read_boxes(boxes)
    p, right = [], []
    for photo in spread([photo for source in photos for photo in find_photos(source)], count):
        L = srgb8_to_L(photo.read())
        truth = [o for o in known.for_photo(photo.name, (L.shape[1], L.shape[0])) if o.score >= MIN_SCORE]
        for item in detector.detect(L):
            p.append(item.score)
            right.append(any(iou(item.box, o.box) >= IOU for o in truth))
    return np.array(p), np.array(right)


def fit(x: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the likeliest sigmoid(slope * x + offset), by Newton's method."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-design @ weights))
        curvature = design.T @ (design * (share * (1 - share))[:, None])
        weights += np.linalg.solve(curvature, design.T @ (right - share))
    return float(weights[0]), float(weights[1])


def scored(p: NDArray[np.float64], slope: float, offset: float) -> NDArray[np.float64]:
    """Scores of probabilities."""
    return np.asarray(1 / (1 + np.exp(-(slope * logit(p) + offset))))


def print_reliability(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> None:
    """What scores say and what is so, in tenths."""
    tenths = np.minimum((scores * 10).astype(int), 9)
    off = 0.0
    print(f"{'scores':>10} {'findings':>8} {'mean':>6} {'right':>6}")
    for tenth in np.unique(tenths):
        part = tenths == tenth
        said, so = scores[part].mean(), right[part].mean()
        off += part.mean() * abs(said - so)
        print(f"{tenth / 10:.1f} to {tenth / 10 + 0.1:.1f} {part.sum():8} {said:6.3f} {so:6.3f}")
    print(f"expected calibration error {off:.3f}")


if __name__ == "__main__":
    main()
