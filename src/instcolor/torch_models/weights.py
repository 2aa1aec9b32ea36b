"""Weights of a network from a safetensors file, checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import ModelError


def load_weights(network: nn.Module, path: str | Path, part: Mapping[str, Tensor] | None = None) -> None:
    """Loads a safetensors file, float16 or float32; only BatchNorm's step counters may be missing.

    `part` are those of the file's tensors that are this network's, where it has read more than one.
    Raises ModelError where the file is missing, damaged, or another network's.
    """
    state = read_weights(path) if part is None else part
    own = network.state_dict()
    wrong = [k for k, v in state.items() if k not in own or own[k].shape != v.shape]
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    if wrong or missing:
        raise ModelError(f"{path}: not weights of this network: missing {missing[:2]}, not fitting {wrong[:2]}")
    network.load_state_dict({k: v.to(own[k].dtype) for k, v in state.items()}, strict=False)


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. Raises ModelError where it is missing or damaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not readable weights ({str(error).splitlines()[0]})") from None
