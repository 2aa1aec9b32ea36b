"""NanoDet-Plus (RangiLyu/nanodet): small and quick, made for phones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .findings import Findings
from .onnx_detector import OnnxDetector
from .onnx_file import OnnxFile, distances, grid
from .picture import IMAGENET_MEAN, IMAGENET_STD, gray_picture, resized, three_channels

STRIDES = (8, 16, 32, 64)
CLASSES, BINS = 80, 8


class NanoDet(OnnxDetector):
    """One BGR picture in, stretched and normalized; one output (1, cells, 80 + 4 * 8): class probabilities and the
    distributions of the distances from a cell's upper left corner to the left, top, right and bottom edge."""

    family = "nanodet"
    default_threshold = 0.35

    @classmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        shapes = list(file.outputs.values())
        return len(file.inputs) == len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][2] == CLASSES + 4 * BINS

    def find(self, L: NDArray[np.float32]) -> Findings:
        gray = gray_picture(L)
        name = next(iter(self.file.inputs))
        size = self.file.picture_size(name, 416)
        picture = three_channels(resized(gray, size), IMAGENET_MEAN[::-1], IMAGENET_STD[::-1])
        return self.read(self.file.run({name: picture})[0], size, (gray.width, gray.height))

    def read(self, answer: NDArray[np.float32], size: tuple[int, int], photo: tuple[int, int]) -> Findings:
        """The findings in a photo of `photo` (width, height) that the network saw at `size`; in the photo's pixels."""
        cells = grid(size, STRIDES)
        if answer.shape != (1, len(cells), CLASSES + 4 * BINS):
            raise self.surprise(f"its output is {answer.shape}")
        scores = self.scores(answer[0, :, :CLASSES].max(axis=1))
        likely = scores >= self.threshold
        answer, cells = answer[0, likely], cells[likely]
        corner, reach = cells[:, :2] * cells[:, 2:], distances(answer[:, CLASSES:]) * cells[:, 2:]
        boxes = np.concatenate([corner - reach[:, :2], corner + reach[:, 2:]], axis=1)
        boxes *= np.array((photo[0] / size[0], photo[1] / size[1]) * 2, np.float32)
        return Findings(boxes, scores[likely], answer[:, :CLASSES].argmax(axis=1))

    def scores(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores of cells whose likeliest classes have these probabilities."""
        return probabilities
