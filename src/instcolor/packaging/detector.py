"""A trained `Detector` to the ONNX file that the packaged detector runs.

`L` float32 (1, 1, H, W), 0..100, H and W multiples of 32, to `output` (1, cells, 80 + 4 * 8): the cells of strides 8,
16, 32 and 64 in this order, each stride row by row; a row is 80 class probabilities and 4 x 8 logits of the distances
to the left, top, right and bottom edge, as `networks.detector` has them.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..networks.detector import CLASSES, Detector
from ..torch_models.weights import load_weights
from .onnx import write_onnx

EXAMPLE_SIDE = 128


class _Probabilities(nn.Module):
    """The network with its class logits as probabilities."""

    def __init__(self, detector: Detector):
        super().__init__()
        self.detector = detector

    def forward(self, L: Tensor) -> Tensor:
        answer = self.detector(L)
        return torch.cat([answer[..., :CLASSES].sigmoid(), answer[..., CLASSES:]], -1)


def export_detector(weights: str | Path, out: Path, *, half: bool = True) -> Path:
    """Writes the ONNX file of a detector's weights (safetensors); `half` stores them as float16 (computed in float32).

    Raises ModelError where the weights are missing, damaged or another network's.
    """
    detector = Detector()
    load_weights(detector, weights)
    out.parent.mkdir(parents=True, exist_ok=True)
    axes = {"L": {2: "height", 3: "width"}, "output": {1: "cells"}}
    example = (torch.zeros(1, 1, EXAMPLE_SIDE, EXAMPLE_SIDE),)
    return write_onnx(_Probabilities(detector), example, out, ["L"], ["output"], axes, half=half)
