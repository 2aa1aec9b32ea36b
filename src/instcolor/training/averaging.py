"""One set of weights from several of the same network: their mean, which knows what all of them do and errs less.

"Model soups" (Wortsman et al., ICML 2022) of several runs from the same start; of the start and the end of one run:
"Robust fine-tuning of zero-shot models" (Wortsman et al., CVPR 2022).

`python -m instcolor.training.averaging OUT WEIGHTS SHARE [WEIGHTS SHARE ...]`
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..errors import InstcolorError, ModelError
from ..packaging.nanodet import load_nanodet
from ..torch_models.weights import read_weights

HALF_FROM = 256  # values; smaller tensors stay float32


def average(parts: Sequence[tuple[str, float]]) -> dict[str, Tensor]:
    """The mean of weights (safetensors, or a NanoDet-Plus as ONNX), each with its share; large tensors as float16.

    A tensor that only some of them have is the mean of those. Raises ModelError where a file is not readable or a
    tensor has two shapes.
    """
    states = [(_state(path), share) for path, share in parts]
    mixed = {}
    for name in dict.fromkeys(name for state, _ in states for name in state):
        given = [(state[name].float(), share) for state, share in states if name in state]
        if len({value.shape for value, _ in given}) > 1:
            raise ModelError(f"{parts[-1][0]}: {name} has another shape than in {parts[0][0]}")
        value = torch.stack([value * share for value, share in given]).sum(0) / sum(share for _, share in given)
        mixed[name] = value.half() if value.numel() >= HALF_FROM and value.ndim > 1 else value
    return mixed


def _state(path: str) -> dict[str, Tensor]:
    state = load_nanodet(path).state_dict() if path.endswith(".onnx") else read_weights(path)
    return {name: value for name, value in state.items() if value.is_floating_point()}


def main(arguments: Sequence[str]) -> None:
    """OUT FILE SHARE [FILE SHARE ...]: writes the mean of the files to OUT.

    Raises ModelError, and ValueError for shares that are missing or no numbers.
    """
    out, *rest = arguments
    parts = [(path, float(share)) for path, share in zip(rest[::2], rest[1::2], strict=True)]
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    save_file(average(parts), out)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InstcolorError as error:
        sys.exit(str(error))
    except ValueError:
        sys.exit("usage: python -m instcolor.training.averaging OUT WEIGHTS SHARE [WEIGHTS SHARE ...]")
