"""Trained `lite` networks to the two ONNX files that `runtime.model.OnnxModel` runs, and to a model of the registry.

On the way the networks get the form that runs fastest on a CPU and answers the same: every BatchNorm goes into the
convolutions around it, and SAME padding becomes the convolution's own instead of a copy of the padded plane.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..inputs import Canvas, Places
from ..models import registry
from ..networks.backbone import Tap
from ..networks.fusion import Fusion, InstanceTap, record
from ..networks.lite import Lite, SameConv, Up
from ..torch_models.weights import load_weights
from .facts import checksums, write_facts
from .onnx import write_onnx

EXAMPLE_SIDE = 128
EXAMPLE_OBJECTS = 2


class _UnevenConv(torch.autograd.Function):
    """A convolution with more padding below and right than above and left, as ONNX has it and torch has not."""

    @staticmethod
    def forward(_: Any, x: Tensor, weight: Tensor, stride: int, groups: int, before: int, after: int) -> Tensor:
        x = F.pad(x, (before, after, before, after))
        return F.conv2d(x, weight, None, stride, 0, 1, groups)

    @staticmethod
    def symbolic(g: Any, x: Any, weight: Any, stride: int, groups: int, before: int, after: int) -> Any:
        pads = [before, before, after, after]
        return g.op("Conv", x, weight, strides_i=[stride, stride], pads_i=pads, group_i=groups)


class _Same(nn.Module):
    """A `SameConv` in whose exported form the padding is the convolution's own."""

    def __init__(self, conv: SameConv):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        answer: Tensor = _UnevenConv.apply(x, conv.weight, conv.stride[0], conv.groups, conv.before, conv.after)  # type: ignore[no-untyped-call]
        return answer


class _Objects(nn.Module):
    """Crops of objects to the features and weights of every tap."""

    def __init__(self, instance: Lite, fusion: Fusion):
        super().__init__()
        self.instance, self.fusion = instance, fusion

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> list[Tensor]:
        features: dict[str, Tensor] = {}
        self.instance(L, hint_ab, hint_mask, record(features))
        return [plane for tap in self.fusion.instance_taps(features).values() for plane in tap]


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
        coverage: Tensor,
        planes: list[Tensor],
    ) -> tuple[Tensor, ...]:
        taps = {tap.name: InstanceTap(*planes[2 * i : 2 * i + 2]) for i, tap in enumerate(self.full.taps)}
        places = Places(crop, box, pixels, coverage)
        return tuple(self.full(L, hint_ab, hint_mask, self.fusion.blend(taps, places)))


def tap_planes(taps: Sequence[Tap]) -> list[str]:
    """Names of the planes that pass from one graph to the other."""
    return [f"{tap.name}.{part}" for tap in taps for part in InstanceTap._fields]


def export_lite(full: Lite, instance: Lite, fusion: Fusion, folder: Path, *, half: bool = True) -> tuple[Path, Path]:
    """Writes photo.onnx and objects.onnx into `folder`; `half` stores weights as float16 (computed in float32)."""
    side, n = EXAMPLE_SIDE, EXAMPLE_OBJECTS
    full, instance = for_export(full), for_export(instance)
    planes = tap_planes(full.taps)
    crops = (torch.rand(n, 1, side, side), torch.zeros(n, 2, side, side), torch.zeros(n, 1, side, side))
    whole = tuple(plane[:1] for plane in crops)
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.2, 0.3, 0.9, 1.0]])
    batch, spatial = {0: "objects"}, {2: "height", 3: "width"}
    with torch.no_grad():
        taps = _Objects(instance, fusion)(*crops)
    objects = write_onnx(
        _Objects(instance, fusion),
        crops,
        folder / "objects.onnx",
        [*Canvas._fields],
        planes,
        {name: batch | spatial for name in Canvas._fields}
        | {name: batch | {2: f"{name}.h", 3: f"{name}.w"} for name in planes},
        half=half,
    )
    photo = write_onnx(
        _Photo(full, fusion),
        (*whole, boxes, boxes, torch.full((n, 2), 6.0), torch.rand(n, 1, *2 * (side // 4,)), taps),
        folder / "photo.onnx",
        [*Canvas._fields, *Places._fields, *planes],
        ["ab", "logits"],
        {name: spatial for name in Canvas._fields}
        | {name: batch for name in Places._fields}
        | {name: batch | {2: f"{name}.h", 3: f"{name}.w"} for name in ("coverage", *planes)}
        | {name: {2: "h", 3: "w"} for name in ("ab", "logits")},
        half=half,
    )
    return photo, objects


def for_export(network: Lite) -> Lite:
    """A copy that answers the same (to rounding) and exports without BatchNorm and Pad nodes."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        if isinstance(module, Up):
            _fold_sum(module)
        for name, child in list(module.named_children()):
            if isinstance(child, SameConv) and child.before != child.after:
                setattr(module, name, _Same(child))
    return network


@torch.no_grad()
def _fold_sum(up: Up) -> None:
    """Takes the BatchNorm behind the sum of a decoder step into both of its terms; doubling a map is linear.

    The other BatchNorms follow a convolution each, and the exporter folds them by itself.
    """
    bn = up.bn
    assert bn.running_mean is not None
    assert bn.running_var is not None
    scale = bn.weight / (bn.running_var + bn.eps).sqrt()
    up.coarse.weight *= scale.view(-1, 1, 1, 1)
    up.skip.weight *= scale.view(-1, 1, 1, 1)
    up.skip.bias = nn.Parameter(bn.bias - bn.running_mean * scale)
    up.add_module("bn", nn.Identity())


def package_lite(
    weights: Mapping[str, Path],
    folder: Path,
    *,
    name: str,
    summary: str,
    license: str,
    side: int = 256,
    instance_size: int = 192,
) -> None:
    """Makes a registry folder from the safetensors of the three stages ("full", "instance", "fusion").

    Writes photo.onnx, objects.onnx and model.toml; the card is written by hand.
    """
    full, instance = Lite(), Lite()
    fusion = Fusion(full.taps)
    for stage, network in (("full", full), ("instance", instance), ("fusion", fusion)):
        load_weights(network, weights[stage])
    folder.mkdir(parents=True, exist_ok=True)
    files = export_lite(full, instance, fusion, folder)
    facts = {
        "name": name,
        "summary": summary,
        "license": license,
        "side": side,
        "instance_size": instance_size,
        "multiple": full.multiple,
    }
    write_facts(folder / registry.FACTS, facts | {"sha256": checksums(files)})
