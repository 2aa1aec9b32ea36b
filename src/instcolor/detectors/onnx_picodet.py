"""PicoDet (PaddleDetection): the published exports with post-processing, without suppression, and bare."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .findings import Findings
from .onnx_detector import OnnxDetector
from .onnx_file import OnnxFile, Shape, distances, grid
from .picture import IMAGENET_MEAN, IMAGENET_STD, gray_picture, resized, three_channels

STRIDES = (8, 16, 32, 64)
CLASSES, BINS = 80, 8


class PicoDet(OnnxDetector):
    """`image` in, RGB, stretched and normalized. With post-processing also `scale_factor` (height, width: network
    over photo) in, and rows of class, score, box in pixels of the photo out. Without, pairs of outputs for each
    stride: scores (1, cells, 80) and either boxes in pixels of the network's picture (1, cells, 4) or the
    distributions of the distances from a cell's center to the box's edges (1, cells, 4 * 8)."""

    family = "picodet"
    default_threshold = 0.4

    @classmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        shapes = list(file.outputs.values())
        if set(file.inputs) == {"image", "scale_factor"}:
            return len(shapes[0]) == 2 and shapes[0][1] in (6, None)
        scores, boxes = _pairs(shapes)
        return len(file.inputs) == 1 and 0 < len(scores) == len(boxes) and 2 * len(scores) == len(shapes)

    def find(self, L: NDArray[np.float32]) -> Findings:
        gray = gray_picture(L)
        name = "image" if "image" in self.file.inputs else next(iter(self.file.inputs))
        size = self.file.picture_size(name, 320)
        feed: dict[str, NDArray[Any]] = {name: three_channels(resized(gray, size), IMAGENET_MEAN, IMAGENET_STD)}
        if "scale_factor" in self.file.inputs:
            feed["scale_factor"] = np.array([[size[1] / gray.height, size[0] / gray.width]], np.float32)
            return self._ready(self.file.run(feed)[0])
        findings = self._decoded(self.file.run(feed), size)
        findings.boxes[:] *= np.array((gray.width / size[0], gray.height / size[1]) * 2, np.float32)
        return findings

    def _ready(self, rows: NDArray[np.float32]) -> Findings:
        if rows.ndim != 2 or rows.shape[1] != 6:
            raise self.surprise(f"its output is {rows.shape}")
        rows = rows[rows[:, 0] >= 0]  # "nothing found" is one row of -1
        return Findings(rows[:, 2:], rows[:, 1], rows[:, 0].astype(np.int64))

    def _decoded(self, answers: list[NDArray[np.float32]], size: tuple[int, int]) -> Findings:
        score_places, box_places = _pairs([answer.shape for answer in answers])
        if not score_places or not box_places:
            raise self.surprise(f"its outputs are {', '.join(str(answer.shape) for answer in answers)}")
        probabilities = np.concatenate([answers[i][0] for i in score_places])
        edges = np.concatenate([answers[i][0] for i in box_places])
        cells = grid(size, STRIDES)
        if not len(cells) == len(probabilities) == len(edges):
            raise self.surprise(f"{len(probabilities)} scores and {len(edges)} boxes for {len(cells)} cells")
        scores = probabilities.max(axis=1)
        likely = scores >= self.threshold
        edges, cells = edges[likely], cells[likely]
        if edges.shape[1] == 4 * BINS:
            center, reach = (cells[:, :2] + 0.5) * cells[:, 2:], distances(edges) * cells[:, 2:]
            edges = np.concatenate([center - reach[:, :2], center + reach[:, 2:]], axis=1)
        return Findings(edges, scores[likely], probabilities[likely].argmax(axis=1))


def _pairs(shapes: list[Shape]) -> tuple[list[int], list[int]]:
    """Places of the outputs that are scores, and of those that are boxes, in the file's order."""
    cells = [i for i, shape in enumerate(shapes) if len(shape) == 3]
    return [i for i in cells if shapes[i][2] == CLASSES], [i for i in cells if shapes[i][2] in (4, 4 * BINS)]
