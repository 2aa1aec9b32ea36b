"""Mask R-CNN R-50-FPN (maskrcnn-benchmark) as the ONNX model zoo has it: objects with masks, slow on a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..coco import COCO_NAMES
from .findings import Findings
from .onnx_detector import OnnxDetector
from .onnx_file import OnnxFile
from .picture import gray_picture, resized, three_channels

BGR_MEAN = (102.9801, 115.9465, 122.7717)
SHORT_SIDE, LONG_SIDE = 800, 1333  # of the picture, as in training
MULTIPLE = 32


class MaskRcnn(OnnxDetector):
    """One BGR picture without a batch axis (3, height, width), of 0..255 minus the mean, sides filled up with zeros to
    multiples of 32; out come boxes (n, 4) in its pixels, labels from 1, scores, and masks (n, 1, 28, 28), each
    stretched over its box. Threshold and number of objects are those of Su et al. 2020."""

    family = "mask-rcnn"
    default_threshold = 0.7
    default_limit = 8
    default_labels: ClassVar[Mapping[int, str]] = dict(enumerate(COCO_NAMES, 1))  # 0 is the background

    @classmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        if len(file.inputs) != 1 or len(file.outputs) != 4:
            return False
        (picture,) = file.inputs.values()
        ranks = zip(map(len, file.outputs.values()), (2, 1, 1, 4), strict=True)
        known = all(rank in (0, wanted) for rank, wanted in ranks)  # a file may leave the shapes of its outputs open
        return len(picture) == 3 and picture[0] in (3, None) and known

    def find(self, L: NDArray[np.float32]) -> Findings:
        gray = gray_picture(L)
        scale = min(SHORT_SIDE / min(gray.size), LONG_SIDE / max(gray.size))
        width, height = (max(1, round(side * scale)) for side in gray.size)
        sides = (-(-side // MULTIPLE) * MULTIPLE for side in (height, width))
        picture = np.zeros((3, *sides), np.float32)
        picture[:, :height, :width] = three_channels(resized(gray, (width, height)), BGR_MEAN)[0]
        answers = self.file.run({next(iter(self.file.inputs)): picture})
        if len(answers) != 4:
            raise self.surprise(f"it has {len(answers)} outputs")
        boxes, labels, scores, masks = answers
        n = len(scores) if scores.ndim else -1
        if boxes.shape != (n, 4) or labels.shape != (n,) or masks.ndim != 4 or masks.shape[:2] != (n, 1):
            raise self.surprise(f"its outputs are {', '.join(str(answer.shape) for answer in answers)}")
        boxes = boxes + np.array((0, 0, 1, 1), np.float32)  # its boxes include their last pixels
        boxes *= np.array((gray.width / width, gray.height / height) * 2, np.float32)
        return Findings(boxes, scores, labels, masks[:, 0])
