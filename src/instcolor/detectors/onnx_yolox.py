"""YOLOX (Megvii): exports of release 0.1.1 and later, decoded in the graph or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .findings import Findings
from .onnx_detector import OnnxDetector
from .onnx_file import OnnxFile, grid
from .picture import gray_picture, letterboxed, three_channels

STRIDES = (8, 16, 32)
FILL = 114  # the gray of the empty part, as in training
LARGEST_LOG = 10.0  # e^10 strides: no size's logarithm is as large, but sizes in pixels are


class Yolox(OnnxDetector):
    """One BGR picture of 0..255 in its own aspect, upper left on gray; one output (1, cells, 5 + classes): center
    offset and log size in strides, or center and size in pixels; then objectness and class probabilities."""

    family = "yolox"
    default_threshold = 0.3
    overlap = 0.45

    @classmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        if len(file.inputs) != 1 or len(file.outputs) != 1:
            return False
        (picture,), (answer,) = file.inputs.values(), file.outputs.values()
        if len(picture) != 4 or picture[2] is None or picture[3] is None:
            return False
        cells = len(grid((picture[3], picture[2]), STRIDES))
        return picture[1] == 3 and len(answer) == 3 and answer[2] == 85 and answer[1] in (cells, None)

    def find(self, L: NDArray[np.float32]) -> Findings:
        gray = gray_picture(L)
        name = next(iter(self.file.inputs))
        size = self.file.picture_size(name, 640)
        picture, scale = letterboxed(gray, size, FILL)
        answer = self.file.run({name: three_channels(picture)})[0]
        cells = grid(size, STRIDES)
        if answer.ndim != 3 or answer.shape[:2] != (1, len(cells)) or answer.shape[2] < 6:
            raise self.surprise(f"its output is {answer.shape}")
        answer = answer[0]
        in_pixels = bool((answer[:, 2:4] > LARGEST_LOG).any())
        scores = answer[:, 4] * answer[:, 5:].max(axis=1)
        likely = scores >= self.threshold
        answer, cells = answer[likely], cells[likely]
        center, extent = answer[:, :2], answer[:, 2:4]
        if not in_pixels:
            center, extent = (center + cells[:, :2]) * cells[:, 2:], np.exp(extent) * cells[:, 2:]
        boxes = np.concatenate([center - extent / 2, center + extent / 2], axis=1)
        return Findings((boxes / scale).astype(np.float32), scores[likely], answer[:, 5:].argmax(axis=1))
