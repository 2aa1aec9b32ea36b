"""Torch networks to ONNX files: the one place that writes them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

OPSET = 18
HALF_FROM = 256  # values; smaller constants stay float32

Axes = Mapping[str, Mapping[int, str]]


def write_onnx(
    network: nn.Module,
    example: tuple[Any, ...],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: Axes,
    *,
    half: bool = False,
) -> Path:
    """Writes a network's graph into a file, checked.

    Args:
        example: what the network is traced with.
        inputs, outputs: names, in the order of the network's own.
        axes: the open sides of inputs and outputs, by name and place.
        half: large weights are stored as float16; the graph computes in float32 all the same.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes; the tests compare the results
        torch.onnx.export(
            network.eval(),
            example,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(sides) for name, sides in axes.items()},
            opset_version=OPSET,
            dynamo=False,
        )
    if half:
        model = onnx.load(str(path))
        halve(model)
        onnx.save(model, str(path))
    onnx.checker.check_model(str(path))
    return path


def halve(model: onnx.ModelProto) -> None:
    """Stores large float32 constants as float16 with a Cast behind each; a runtime folds the casts on loading."""
    casts = []
    for constant in model.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < HALF_FROM:
            continue
        name = constant.name
        constant.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), name + ".half"))
        casts.append(onnx.helper.make_node("Cast", [name + ".half"], [name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
