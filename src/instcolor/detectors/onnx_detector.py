"""What all detectors in ONNX files have in common: lightness in, scored boxes out, the best of them as objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DetectorError
from ..objects import DetectedObject
from .findings import COCO_80, LIMIT, Findings, best
from .onnx_file import OnnxFile


class OnnxDetector(ABC):
    """Base of the families: each says which files are its own and turns lightness into findings.

    `threshold` drops lower scores, `limit` keeps the best, `labels` maps class numbers to names (`coco.NAME_OF_ID` for
    detectors that count as the annotations do); without them the family's own hold.
    """

    family: ClassVar[str]
    default_threshold: ClassVar[float]
    default_limit: ClassVar[int] = LIMIT
    default_labels: ClassVar[Mapping[int, str]] = COCO_80
    overlap: ClassVar[float] = 0.6  # above this IoU two boxes of one class are the same object

    def __init__(
        self,
        file: OnnxFile,
        *,
        threshold: float | None = None,
        limit: int | None = None,
        labels: Mapping[int, str] | None = None,
    ) -> None:
        self.file = file
        self.threshold = self.default_threshold if threshold is None else threshold
        self.limit = self.default_limit if limit is None else limit
        self.labels = self.default_labels if labels is None else labels

    @classmethod
    @abstractmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        """Whether the names and shapes of inputs and outputs are those of this family."""

    @abstractmethod
    def find(self, L: NDArray[np.float32]) -> Findings:
        """All findings of at least `self.threshold` in an (h, w) plane of L* 0..100, in its pixels."""

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        """The objects in an (h, w) plane of L* 0..100, best first; boxes in its pixels. Raises DetectorError."""
        if L.size == 0:
            return []
        return best(
            self.find(L),
            (L.shape[1], L.shape[0]),
            threshold=self.threshold,
            limit=self.limit,
            labels=self.labels,
            overlap=self.overlap,
        )

    def surprise(self, what: str) -> DetectorError:
        """The error for a file whose answer is not what its family gives."""
        return DetectorError(f"{self.file.path}: not a {self.family} detector ({what})")
