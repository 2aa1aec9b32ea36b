"""`siggraph17`, `eccv16` and the three networks of Su et al. 2020 to ONNX; imported weights to networks.

A single network is one graph, `photo.onnx`: L, hint_ab, hint_mask to ab and logits. The three networks are
`full.onnx`, which is the same and for photos without objects; `objects.onnx`, from L, hint_ab, hint_mask of N crops to
`<tap>.feature` (N, C, h, w) and `<tap>.weight` (N, 1, h, w); and `photo.onnx`, which takes `<tap>.feature`
(1, C, h, w) and `<tap>.logit` (1, 1, h, w) of all objects merged (`networks.siggraph17_fusion.Merger`) beside L,
hint_ab and hint_mask of the photo.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ..inputs import Canvas
from ..networks.eccv16 import Eccv16
from ..networks.siggraph17 import Siggraph17
from ..networks.siggraph17_fusion import InstColorization, Merged, Mode, Siggraph17Fusion, instance_features
from .importing import Weights

OPSET = 18
EXAMPLE_SIDE = 64
TAPS = tuple(tap.name for tap in Siggraph17.taps)
INPUTS = Canvas._fields

Axes = Mapping[str, Mapping[int, str]]


class _Objects(nn.Module):
    """Crops to the features and weights of every tap."""

    def __init__(self, instance: Siggraph17, fusion: Siggraph17Fusion) -> None:
        super().__init__()
        self.instance, self.fusion = instance, fusion

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> list[Tensor]:
        features = instance_features(self.instance, L, hint_ab, hint_mask)
        return [plane for tap in TAPS for plane in (features[tap], self.fusion.instance_weight(tap, features[tap]))]


class _Photo(nn.Module):
    """The photo with all objects merged into it."""

    def __init__(self, trunk: Siggraph17, fusion: Siggraph17Fusion) -> None:
        super().__init__()
        self.trunk, self.fusion = trunk, fusion

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor, planes: list[Tensor]) -> tuple[Tensor, ...]:
        merged = {tap: Merged(*planes[2 * i : 2 * i + 2]) for i, tap in enumerate(TAPS)}

        def blend(name: str, feature: Tensor) -> Tensor:  # as the fusion's, whose `lerp` would become seven nodes
            share = self.fusion.share(name, feature, merged[name])
            return feature + share * (merged[name].feature - feature)

        return tuple(self.trunk(L, hint_ab, hint_mask, blend))


class _Lightness(nn.Module):
    """A network that takes no hints, with the inputs of those that do."""

    def __init__(self, network: Eccv16) -> None:
        super().__init__()
        self.network = network

    def forward(self, L: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(L, L, L))


def load_networks(weights: Weights, mode: Mode = "reference") -> Siggraph17 | Eccv16 | InstColorization:
    """The networks of imported weights, ready to color; `mode` is that of the fusion, if there is one."""
    states = {part.stem: load_file(part) for part in sorted(weights.folder.glob("*.safetensors"))}
    network: Siggraph17 | Eccv16 | InstColorization
    if weights.kind == "instcolorization":
        network = InstColorization(mode, weights.mask_center)
        network.full.load_state_dict(states["full"])
        network.instance.load_state_dict(states["instance"])
        predictors = {key: value for key, value in states["fusion"].items() if key.startswith("weight_layer")}
        network.trunk.load_state_dict({k: v for k, v in states["fusion"].items() if k not in predictors})
        network.fusion.load_state_dict(predictors)
    else:
        network = Eccv16() if weights.kind == "eccv16" else Siggraph17(weights.mask_center)
        network.load_state_dict(states["full"])
    return network.eval()


def export_network(network: Siggraph17 | Eccv16, path: Path) -> Path:
    """Writes a single network; `eccv16` has the input L alone."""
    inputs = INPUTS[:1] if isinstance(network, Eccv16) else INPUTS
    graph = _Lightness(network) if isinstance(network, Eccv16) else network
    return _export(graph, _planes(1)[: len(inputs)], path, inputs, ("ab", "logits"), _axes(inputs))


def export_instcolorization(networks: InstColorization, folder: Path) -> tuple[Path, Path, Path]:
    """Writes full.onnx, objects.onnx and photo.onnx into `folder`."""
    features = [f"{tap}.feature" for tap in TAPS]
    weights = [f"{tap}.weight" for tap in TAPS]
    logits = [f"{tap}.logit" for tap in TAPS]
    outputs = [name for pair in zip(features, weights, strict=True) for name in pair]
    merged = [name for pair in zip(features, logits, strict=True) for name in pair]
    graph = _Objects(networks.instance, networks.fusion)
    with torch.no_grad():
        example = graph(*_planes(1))
    full = export_network(networks.full, folder / "full.onnx")
    objects = _export(graph, _planes(2), folder / "objects.onnx", INPUTS, outputs, _axes((*INPUTS, *outputs)))
    photo = _export(
        _Photo(networks.trunk, networks.fusion),
        (*_planes(1), example),
        folder / "photo.onnx",
        (*INPUTS, *merged),
        ("ab", "logits"),
        _axes((*INPUTS, *merged)),
    )
    return full, objects, photo


def _planes(count: int) -> tuple[Tensor, Tensor, Tensor]:
    side = EXAMPLE_SIDE
    return 100 * torch.rand(count, 1, side, side), torch.zeros(count, 2, side, side), torch.zeros(count, 1, side, side)


def _axes(names: tuple[str, ...]) -> Axes:
    """Count and sides are free. Those of the inputs proper share their names; each tap has a size of its own."""
    own = {
        name: ("height", "width") if name in INPUTS else (f"{name}.h", f"{name}.w") for name in (*names, "ab", "logits")
    }
    return {name: {0: "count", 2: height, 3: width} for name, (height, width) in own.items()}


def _export(
    graph: nn.Module,
    example: tuple,
    path: Path,
    inputs: tuple[str, ...],
    outputs: list[str] | tuple[str, ...],
    axes: Axes,
) -> Path:
    graph = graph.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks; the tests compare the results
        torch.onnx.export(
            graph,
            example,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes[name]) for name in (*inputs, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(str(path))
    return path
