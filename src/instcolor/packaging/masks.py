"""A trained `MaskNetwork` to the ONNX file that the packaged mask finder runs.

`L` float32 (n, 1, S, S), 0..100, of crops, S a multiple of 32, to `mask` (n, 1, S/2, S/2), probabilities.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ..networks.masks import MaskNetwork
from ..torch_models.weights import load_weights
from .onnx import write_onnx

EXAMPLE_SIDE = 128


def export_masks(weights: str | Path, out: Path, *, half: bool = True) -> Path:
    """Writes the ONNX file of a mask network's weights (safetensors); `half` stores them as float16.

    Raises ModelError where the weights are missing, damaged or another network's.
    """
    network = MaskNetwork()
    load_weights(network, weights)
    out.parent.mkdir(parents=True, exist_ok=True)
    axes = {"L": {0: "n", 2: "height", 3: "width"}, "mask": {0: "n", 2: "rows", 3: "columns"}}
    example = (torch.zeros(2, 1, EXAMPLE_SIDE, EXAMPLE_SIDE),)
    return write_onnx(nn.Sequential(network, nn.Sigmoid()), example, out, ["L"], ["mask"], axes, half=half)
