"""How well detectors find objects in gray photos: COCO's average precision and recall, computed by pycocotools.

Lin et al., "Microsoft COCO: Common Objects in Context" (ECCV 2014), and the definitions at cocodataset.org.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...colorspace import srgb8_to_L
from ...detectors import Detector
from ...errors import InstcolorError
from ...objects import Boxes, DetectedObject, select
from ..data import MIN_SCORE
from ..photos import PhotoFile

Objects = Sequence[DetectedObject]
Row = dict[str, Any]

MOST = (1, 8, 100)  # boxes of a photo that count; 8 is how many `select` leaves to be colored by themselves
AREAS = ("all", "small", "medium", "large")  # COCO's: up to 32 x 32 pixels, up to 96 x 96, larger
LEAST_SCORE = 0.01  # of the findings that are measured: the whole curve, whatever threshold is used elsewhere
BY_LABEL, ANY_LABEL = "the same label", "any label"


@dataclass
class DetectionEvaluation:
    """What an evaluation of detectors has found."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # one line each

    def as_json(self) -> dict[str, Any]:
        """Protocol, failures and rows, as the file of results holds them."""
        return {"protocol": protocol_lines(), "failures": self.failures, "rows": self.rows}


def protocol_lines() -> list[str]:
    """What is measured, in words, to be printed with every table."""
    return [
        "input: the photo's own L*, at the size at which it is stored",
        f"to be found: boxes with a score of at least {MIN_SCORE:g}; findings with a score of at least {LEAST_SCORE:g}",
        "AP, AR: as COCO defines them, by pycocotools: mean over IoU 0.50 to 0.95; AP50 and AP75 at that IoU; AR and "
        "recall at most so many boxes a photo (with labels: a photo and label)",
        "recall: share of the boxes found with an IoU of at least 0.5; small is up to 32 x 32 pixels of the photo, "
        "medium up to 96 x 96",
        f"{BY_LABEL}: mean over labels that are to be found; {ANY_LABEL}: labels are ignored, and findings that "
        "repeat a better one are dropped, as before coloring",
        "ms: median of all photos, from L* to objects",
    ]


def evaluate_detectors(
    photos: Sequence[PhotoFile],
    boxes: Boxes,
    detectors: Mapping[str, Detector],
    watch: Callable[[], None] | None = None,
) -> DetectionEvaluation:
    """Two rows for each detector, with and without labels. Photos without boxes count: what is found there is wrong.

    A photo that cannot be used is a line in `failures`; `watch` is called after each photo. Raises InstcolorError where
    none could be used, or pycocotools is missing.
    """
    _load_pycocotools()
    evaluation = DetectionEvaluation()
    truth: list[Objects] = []
    found: dict[str, list[list[DetectedObject]]] = {name: [] for name in detectors}
    times: dict[str, list[float]] = {name: [] for name in detectors}
    sizes = []
    for photo in photos:
        try:
            L = srgb8_to_L(photo.read())
            size = L.shape[1], L.shape[0]
            wanted = [o for o in boxes.for_photo(photo.name, size) if o.score >= MIN_SCORE]
            timed = {name: _timed(detector, L) for name, detector in detectors.items()}
        except InstcolorError as error:
            evaluation.failures.append(str(error))
            continue
        truth.append(wanted)
        sizes.append(size)
        for name, (objects, seconds) in timed.items():
            found[name].append(objects)
            times[name].append(seconds)
        if watch:
            watch()
    if not truth:
        raise InstcolorError(evaluation.failures[0] if evaluation.failures else "no photos to evaluate")
    for name in detectors:
        facts = {"detector": name, "photos": len(truth), "boxes": sum(map(len, truth))}
        milliseconds = statistics.median(times[name]) * 1000
        single = [
            select(objects, size, limit=max(MOST), min_area=0) for objects, size in zip(found[name], sizes, strict=True)
        ]
        for match, by_label, answers in ((BY_LABEL, True, found[name]), (ANY_LABEL, False, single)):
            evaluation.rows.append({**facts, "match": match, **score(truth, answers, by_label), "ms": milliseconds})
    return evaluation


def score(truth: Sequence[Objects], found: Sequence[Objects], by_label: bool = True) -> Row:
    """COCO's figures for the objects of photos and what was found there, both photo by photo; boxes in pixels.

    Shares in 0..1; None where nothing was to be found. Raises InstcolorError where pycocotools is missing.
    """
    COCO, COCOeval = _load_pycocotools()
    numbers = {label: i for i, label in enumerate(sorted({o.label for part in (*truth, *found) for o in part}), 1)}
    if not any(truth):
        numbers.setdefault("nothing", 1)  # pycocotools wants a category
    with redirect_stdout(io.StringIO()):  # it prints as it goes
        sides = []
        for objects in (truth, found):
            side = COCO()
            side.dataset = _dataset(objects, numbers)
            side.createIndex()
            sides.append(side)
        judge = COCOeval(*sides, "bbox")
        judge.params.useCats = int(by_label)
        judge.params.maxDets = list(MOST)
        judge.evaluate()
        judge.accumulate()
    precision, recall = judge.eval["precision"], judge.eval["recall"]  # IoU, (recall,) label, area, most
    row: Row = {
        "AP": _mean(precision[..., 0, -1]),
        "AP50": _mean(precision[0, ..., 0, -1]),
        "AP75": _mean(precision[5, ..., 0, -1]),
        **{f"AP {area}": _mean(precision[..., i, -1]) for i, area in enumerate(AREAS) if i},
        **{f"AR{most}": _mean(recall[..., 0, i]) for i, most in enumerate(MOST)},
        **{f"recall of {most}": _mean(recall[0, :, 0, i]) for i, most in enumerate(MOST) if i},
    }
    return row | {f"recall of 8, {area}": _mean(recall[0, :, i, 1]) for i, area in enumerate(AREAS) if i}


def _timed(detector: Detector, L: Any) -> tuple[list[DetectedObject], float]:
    start = time.perf_counter()
    return detector.detect(L), time.perf_counter() - start


def _dataset(photos: Sequence[Objects], numbers: Mapping[str, int]) -> dict[str, Any]:
    annotations = [
        {
            "id": 0,
            "image_id": place,
            "category_id": numbers[item.label],
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": (x1 - x0) * (y1 - y0),
            "iscrowd": 0,
            "score": item.score,
        }
        for place, objects in enumerate(photos, 1)
        for item in objects
        for x0, y0, x1, y1 in [item.box]
    ]
    for number, annotation in enumerate(annotations, 1):  # 0 would count as "not matched"
        annotation["id"] = number
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    return {
        "images": [{"id": i} for i in range(1, len(photos) + 1)],
        "annotations": annotations,
        "categories": categories,
    }


def _mean(values: Any) -> float | None:
    known = values[values > -1]  # -1 stands where nothing was to be found
    return float(np.mean(known)) if known.size else None


def _load_pycocotools() -> tuple[Any, Any]:
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise InstcolorError(f"measuring detectors needs {error.name}: pip install instcolor[evaluate]") from None
    return COCO, COCOeval
