"""Weights between those that a fine-tuning began with and those it came to: the old skill kept, most of the new had.

"Robust fine-tuning of zero-shot models" (Wortsman et al., CVPR 2022).

`python -m instcolor.training.detection.blending START TRAINED SHARE OUT` writes them: SHARE 0 is START (an ONNX file of
NanoDet-Plus or safetensors), 1 is TRAINED.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from .stage import started

HALF_FROM = 256  # values; smaller tensors stay float32


def blended(start: str, trained: str, share: float) -> dict[str, Tensor]:
    """The state of a `Detector`; large tensors as float16. Raises ModelError for weights that are not a detector's."""
    first, second = started(start).state_dict(), started(trained).state_dict()
    state = {}
    for name, value in first.items():
        if value.is_floating_point():
            mixed = torch.lerp(value, second[name], share)
            state[name] = mixed.half() if mixed.numel() >= HALF_FROM and mixed.ndim > 1 else mixed
    return state


def write_blended(start: str, trained: str, share: float, out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(blended(start, trained, share), out)
    return out


if __name__ == "__main__":
    print(write_blended(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])))
