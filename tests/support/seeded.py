"""Parameters that follow from a network's name and its parameters' names and shapes alone.

The rule under which `tests/data/golden/golden.npz` was made: every parameter has a random stream of its own, seeded
with the SHA-256 of "network/parameter", so that no order and no network code plays a part.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]


def fill(shapes: Mapping[str, Shape], network: str) -> dict[str, NDArray[Any]]:
    """Values of all parameters of a network ("GComp", "G", "GF" or "eccv16")."""
    return {key: _values(key, tuple(shapes[key]), network, shapes) for key in shapes}


def sha256(parameters: Mapping[str, NDArray[Any]]) -> str:
    """Of all values, in the order of the sorted names."""
    digest = hashlib.sha256()
    for key in sorted(parameters):
        digest.update(np.ascontiguousarray(parameters[key]).data)
    return digest.hexdigest()


def _values(key: str, shape: Shape, network: str, shapes: Mapping[str, Shape]) -> NDArray[Any]:
    layer, kind = key.rsplit(".", 1)
    if kind == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    seed = hashlib.sha256(f"{network}/{key}".encode()).digest()[:8]
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "little")))
    if len(shape) == 4:
        values = _deviation(layer, shape, network) * rng.standard_normal(shape)
    elif kind == "running_mean":
        values = 0.1 * rng.standard_normal(shape)
    else:
        values = rng.uniform(*_bounds(layer, kind, shape, shapes), shape)
    return values.astype(np.float32)


def _deviation(layer: str, shape: Shape, network: str) -> float:
    """Standard deviation of a convolution's weights."""
    if (network, layer) == ("eccv16", "model_out"):
        return 5.0  # not a layer but a list of colors
    c_out, c_in, height, width = shape
    transposed = height == 4  # stored as (in, out, 4, 4); at stride 2 each output cell sums 4 weights a channel
    inputs = c_out * 4 if transposed else c_in * height * width
    gain = 0.6 if layer.startswith("model_out.") else 2.0 if c_out == 1 else 1.0
    return gain * math.sqrt(2 / inputs)


def _bounds(layer: str, kind: str, shape: Shape, shapes: Mapping[str, Shape]) -> tuple[float, float]:
    if kind == "running_var" or (kind == "bias" and shape == (1,)):
        return 0.5, 1.5
    if kind == "weight":
        return 0.8, 1.2
    return (-0.1, 0.1) if f"{layer}.running_var" in shapes else (-0.05, 0.05)
