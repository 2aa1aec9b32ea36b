"""The detector that comes with the package, and others of its kind: one plane of L* in, scores that mean something."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..models import registry
from .findings import Findings
from .onnx_file import OnnxFile
from .onnx_nanodet import NanoDet
from .packaged import number, open_packaged

SIDE = 416
REDUCING_GAP = 2.0  # a large photo is shrunk by means first, to so many times the side
LEAST, MOST = 1e-6, 1 - 1e-6  # probabilities whose logits are still finite in float32


class BuiltinDetector(NanoDet):
    """`L` (1, 1, height, width) in 0..100 in; the same answer as NanoDet-Plus out.

    `calibration` (a, b) turns a probability p into a score: sigmoid(a logit(p) + b), Platt scaling (1999). A score of
    0.4 then means that four of ten such findings are objects.
    """

    family = "builtin"
    default_threshold = 0.3

    def __init__(self, file: OnnxFile, *, calibration: tuple[float, float] = (1.0, 0.0), **options: Any) -> None:
        super().__init__(file, **options)
        self.calibration = calibration

    @classmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        return list(file.inputs) == ["L"] and [len(shape) for shape in file.outputs.values()] == [3]

    def find(self, L: NDArray[np.float32]) -> Findings:
        size = self.file.picture_size("L", SIDE)
        plane = Image.fromarray(L.astype(np.float32, copy=False))
        small = np.asarray(plane.resize(size, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP))
        return self.read(self.file.run({"L": small[None, None]})[0], size, (L.shape[1], L.shape[0]))

    def scores(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.calibration == (1.0, 0.0):
            return probabilities
        a, b = self.calibration
        return (1 / (1 + np.exp(-(a * logit(probabilities) + b)))).astype(np.float32)


def logit(p: NDArray[Any]) -> NDArray[Any]:
    """log(p / (1 - p)), finite for 0 and 1 too."""
    p = p.clip(LEAST, MOST)
    answer: NDArray[Any] = np.log(p / (1 - p))
    return answer


def load_builtin(*, threads: int | None = None, threshold: float | None = None, **options: Any) -> BuiltinDetector:
    """The packaged detector with its calibration and threshold, its file checked. Raises DetectorError."""
    file, entry = open_packaged(registry.DETECTOR, threads)
    a, b, least = (number(entry, key) for key in ("slope", "offset", "threshold"))
    threshold = least if threshold is None else threshold
    return BuiltinDetector(file, calibration=(a, b), threshold=threshold, **options)
