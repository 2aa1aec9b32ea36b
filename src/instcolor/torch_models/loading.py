"""Torch weights, also those of a training that still runs, in the place of an exported model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ..errors import ModelError
from ..networks.fusion import Fusion
from ..networks.lite import Lite
from .model import TorchModel
from .weights import load_weights


def load_torch_model(
    paths: Sequence[str | Path], *, side: int = 256, instance_size: int = 192, threads: int | None = None
) -> TorchModel:
    """`lite` from safetensors files: full; or full, instance and fusion.

    `instance_size` is what the fusion was trained with. With the full-image network alone the other two have no
    weights: such a model must be asked without objects.
    Raises ModelError.
    """
    if len(paths) not in (1, 3):
        raise ModelError(f"{len(paths)} files of weights: full, or full, instance and fusion are needed")
    if threads is not None:
        torch.set_num_threads(threads)
    full, instance, fusion = Lite(), Lite(), Fusion(Lite.taps)
    for network, path in zip((full, instance, fusion), paths, strict=False):
        load_weights(network, path)
    return TorchModel(full, instance, fusion, side=side, instance_size=instance_size)
