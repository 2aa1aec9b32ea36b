"""What all detectors in ONNX files have in common: grey picture in, scored boxes out, the best of them as objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..coco import COCO_NAMES
from ..errors import DetectorError
from ..objects import DetectedObject
from .onnx_file import OnnxFile
from .picture import grey_picture

LIMIT = 100  # objects that a detector hands out; which are colored is for objects.select
CANDIDATES = 1000  # boxes that enter the suppression of overlaps
COCO_80: Mapping[int, str] = dict(enumerate(COCO_NAMES))


class Findings(NamedTuple):
    """Raw findings in pixels of the photo: boxes (n, 4) as x0, y0, x1, y1, scores (n,) and class numbers (n,)."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.integer]


class OnnxDetector(ABC):
    """Base of the families: each says which files are its own and turns a grey picture into findings.

    `threshold` drops lower scores (default: the family's), `limit` keeps the best, `labels` maps class numbers to
    names (default: the 80 of COCO from 0; `coco.NAME_OF_ID` for detectors that count as the annotations do).
    """

    family: ClassVar[str]
    default_threshold: ClassVar[float]
    overlap: ClassVar[float] = 0.6  # above this IoU two boxes of one class are the same object

    def __init__(
        self,
        file: OnnxFile,
        *,
        threshold: float | None = None,
        limit: int = LIMIT,
        labels: Mapping[int, str] = COCO_80,
    ) -> None:
        self.file = file
        self.threshold = self.default_threshold if threshold is None else threshold
        self.limit = limit
        self.labels = labels

    @classmethod
    @abstractmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        """Whether the names and shapes of inputs and outputs are those of this family."""

    @abstractmethod
    def find(self, grey: Image.Image) -> Findings:
        """All findings of at least `self.threshold` in an 8-bit grey picture, in its pixels."""

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        """The objects in an (h, w) plane of L* 0..100, best first; boxes in its pixels. Raises DetectorError."""
        if L.size == 0:
            return []
        boxes, scores, classes = self.find(grey_picture(L))
        boxes = np.clip(boxes, 0, (L.shape[1], L.shape[0]) * 2)  # NaN stays NaN
        usable = np.isfinite(boxes).all(axis=1) & (scores >= self.threshold)
        usable &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        boxes, scores, classes = boxes[usable], scores[usable], classes[usable]
        return [
            DetectedObject(
                (float(boxes[i, 0]), float(boxes[i, 1]), float(boxes[i, 2]), float(boxes[i, 3])),
                self.labels.get(int(classes[i]), f"class {int(classes[i])}"),
                float(scores[i]),
            )
            for i in suppress(boxes, scores, classes, self.overlap)[: self.limit]
        ]

    def surprise(self, what: str) -> DetectorError:
        """The error for a file whose answer is not what its family gives."""
        return DetectorError(f"{self.file.path}: not a {self.family} detector ({what})")


def suppress(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.integer], overlap: float
) -> list[int]:
    """Places of the boxes that no better box of their class overlaps by more than `overlap`, best first."""
    order = np.argsort(-scores, kind="stable")[:CANDIDATES]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        size = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        shared = np.prod(np.clip(size, 0, None), axis=1)
        same = shared > overlap * (area[best] + area[rest] - shared)
        order = rest[~(same & (classes[rest] == classes[best]))]
    return kept
