"""Trained `lite` networks to the two ONNX files that `runtime.model.OnnxModel` runs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from ..networks.fusion import Fusion, InstanceTap, Places, record
from ..networks.lite import Lite

OPSET = 18
HALF_FROM = 256  # values; smaller constants stay float32
EXAMPLE_SIDE = 128
EXAMPLE_OBJECTS = 2


class _Objects(nn.Module):
    """Crops of objects to the features and weights of every tap."""

    def __init__(self, instance: Lite, fusion: Fusion):
        super().__init__()
        self.instance, self.fusion = instance, fusion

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> list[Tensor]:
        features: dict[str, Tensor] = {}
        self.instance(L, hint_ab, hint_mask, record(features))
        taps = self.fusion.instance_taps(tuple(features), tuple(features.values()))
        return [plane for tap in taps for plane in tap]


class _Photo(nn.Module):
    """The whole photo with the objects' taps blended in."""

    def __init__(self, full: Lite, fusion: Fusion):
        super().__init__()
        self.full, self.fusion = full, fusion

    def forward(
        self,
        L: Tensor,
        hint_ab: Tensor,
        hint_mask: Tensor,
        crop: Tensor,
        box: Tensor,
        pixels: Tensor,
        planes: list[Tensor],
    ) -> tuple[Tensor, ...]:
        pairs = [InstanceTap(*planes[i : i + 2]) for i in range(0, len(planes), 2)]
        taps = dict(zip(self.full.tap_names, pairs, strict=True))
        return tuple(self.full(L, hint_ab, hint_mask, self.fusion.blend(taps, Places(crop, box), pixels)))


def tap_planes(names: tuple[str, ...]) -> list[str]:
    """Names of the planes that pass from one graph to the other."""
    return [f"{name}.{part}" for name in names for part in ("feature", "weight")]


def export_lite(full: Lite, instance: Lite, fusion: Fusion, folder: Path, *, half: bool = True) -> tuple[Path, Path]:
    """Writes photo.onnx and objects.onnx into `folder`; `half` stores weights as float16 (computed in float32)."""
    side, n = EXAMPLE_SIDE, EXAMPLE_OBJECTS
    planes = tap_planes(full.tap_names)
    crops = (torch.rand(n, 1, side, side), torch.zeros(n, 2, side, side), torch.zeros(n, 1, side, side))
    whole = tuple(plane[:1] for plane in crops)
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.2, 0.3, 0.9, 1.0]])
    batch, spatial = {0: "objects"}, {2: "height", 3: "width"}
    with torch.no_grad():
        taps = _Objects(instance, fusion)(*crops)
    objects = _export(
        _Objects(instance, fusion),
        crops,
        folder / "objects.onnx",
        ["L", "hint_ab", "hint_mask"],
        planes,
        {name: batch | spatial for name in ("L", "hint_ab", "hint_mask")}
        | {name: batch | {2: f"{name}.h", 3: f"{name}.w"} for name in planes},
        half,
    )
    photo = _export(
        _Photo(full, fusion),
        (*whole, boxes, boxes, torch.full((n, 2), 6.0), taps),
        folder / "photo.onnx",
        ["L", "hint_ab", "hint_mask", "crop", "box", "pixels", *planes],
        ["ab", "logits"],
        {name: spatial for name in ("L", "hint_ab", "hint_mask")}
        | {name: batch for name in ("crop", "box", "pixels")}
        | {name: batch | {2: f"{name}.h", 3: f"{name}.w"} for name in planes}
        | {name: {2: "h", 3: "w"} for name in ("ab", "logits")},
        half,
    )
    return photo, objects


def _export(
    network: nn.Module,
    example: tuple[Any, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    axes: Mapping[str, Mapping[int, str]],
    half: bool,
) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes; the tests compare the results
        torch.onnx.export(
            network.eval(),
            example,
            str(path),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    if half:
        halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
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
