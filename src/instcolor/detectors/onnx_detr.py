"""Real-time DETR and its kin: RT-DETR, D-FINE, DEIM and DEIMv2, as their authors export them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .findings import Findings
from .onnx_detector import OnnxDetector
from .onnx_file import OnnxFile
from .picture import IMAGENET_MEAN, IMAGENET_STD, gray_picture, resized, three_channels


class Detr(OnnxDetector):
    """`images` (RGB in 0..1, stretched) and `orig_target_sizes` (width, height) in; `labels`, `boxes` in pixels of
    the photo and `scores` out. The overlap is checked here too: these networks repeat objects at low scores."""

    family = "detr"
    default_threshold = 0.35
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (255.0, 255.0, 255.0)

    @classmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        return set(file.inputs) == {"images", "orig_target_sizes"} and {"labels", "boxes", "scores"} <= set(
            file.outputs
        )

    def find(self, L: NDArray[np.float32]) -> Findings:
        gray = gray_picture(L)
        picture = three_channels(resized(gray, self.file.picture_size("images", 640)), self.mean, self.std)
        size = np.array([[gray.width, gray.height]], np.int64)
        labels, boxes, scores = self.file.run(
            {"images": picture, "orig_target_sizes": size}, ["labels", "boxes", "scores"]
        )
        if boxes.ndim != 3 or boxes.shape[2] != 4 or not labels.shape == scores.shape == boxes.shape[:2]:
            raise self.surprise(f"labels {labels.shape}, boxes {boxes.shape}, scores {scores.shape}")
        return Findings(boxes[0], scores[0], labels[0])


class DinoDetr(Detr):
    """The same with ImageNet's normalization, as the DEIMv2 networks on a DINOv3 backbone want it (S to X). The file
    does not tell them apart: name them, `deim-dinov3:FILE`."""

    family = "deim-dinov3"
    mean, std = IMAGENET_MEAN, IMAGENET_STD

    @classmethod
    def recognizes(cls, file: OnnxFile) -> bool:
        return False
