"""`siggraph17`, `eccv16` and the three networks of Su et al. 2020 to ONNX.

A single network is one graph, `photo.onnx`: L, hint_ab, hint_mask to ab and logits. The three networks are
`full.onnx`, which is the same and for photos without objects; `objects.onnx`, from L, hint_ab, hint_mask of N crops to
`<tap>.feature` (N, C, h, w) and `<tap>.weight` (N, 1, h, w); and `photo.onnx`, which takes `<tap>.feature`
(1, C, h, w) and `<tap>.logit` (1, 1, h, w) of all objects merged (`networks.siggraph17_fusion.Merger`) beside L,
hint_ab and hint_mask of the photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ..inputs import Canvas
from ..networks.eccv16 import Eccv16
from ..networks.siggraph17 import Siggraph17
from ..networks.siggraph17_fusion import InstColorization, Merged, Siggraph17Fusion, instance_features
from .onnx import Axes, write_onnx

EXAMPLE_SIDE = 64
TAPS = tuple(tap.name for tap in Siggraph17.taps)
INPUTS = Canvas._fields
OUTPUTS = ("ab", "logits")


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


def export_network(network: Siggraph17 | Eccv16, path: Path) -> Path:
    """Writes a single network; `eccv16` has the input L alone."""
    inputs = INPUTS[:1] if isinstance(network, Eccv16) else INPUTS
    graph = _Lightness(network) if isinstance(network, Eccv16) else network
    return write_onnx(graph, _planes(1)[: len(inputs)], path, inputs, OUTPUTS, _axes((*inputs, *OUTPUTS)))


def export_instcolorization(networks: InstColorization, folder: Path) -> tuple[Path, Path, Path]:
    """Writes full.onnx, objects.onnx and photo.onnx into `folder`."""
    outputs = [f"{tap}.{part}" for tap in TAPS for part in ("feature", "weight")]
    merged = [f"{tap}.{part}" for tap in TAPS for part in Merged._fields]
    graph = _Objects(networks.instance, networks.fusion)
    with torch.no_grad():
        example = graph(*_planes(1))
    full = export_network(networks.full, folder / "full.onnx")
    objects = write_onnx(graph, _planes(2), folder / "objects.onnx", INPUTS, outputs, _axes((*INPUTS, *outputs)))
    inputs = (*INPUTS, *merged)
    blended = _Photo(networks.trunk, networks.fusion)
    axes = _axes((*inputs, *OUTPUTS))
    photo = write_onnx(blended, (*_planes(1), example), folder / "photo.onnx", inputs, OUTPUTS, axes)
    return full, objects, photo


def _planes(count: int) -> tuple[Tensor, Tensor, Tensor]:
    side = EXAMPLE_SIDE
    return 100 * torch.rand(count, 1, side, side), torch.zeros(count, 2, side, side), torch.zeros(count, 1, side, side)


def _axes(names: Sequence[str]) -> Axes:
    """Count and sides are free. Those of the inputs proper share their names; each tap has a size of its own."""
    sides = {name: ("height", "width") if name in INPUTS else (f"{name}.h", f"{name}.w") for name in names}
    return {name: {0: "count", 2: height, 3: width} for name, (height, width) in sides.items()}
