"""The fusion of Su et al. 2020 as their published weights need it: the weight predictors, whole cells.

All objects of a photo are first merged into one map and one plane of logits a tap: the softmax over the photo and N
objects is one over the objects, then one between the photo and what they came to. The merged maps do not depend on the
photo's own features, so the network that colors the photo takes the same 26 tensors however many objects there are,
and objects can be merged one after the other, each only inside its box.

Two modes. `masked`: at a cell, those objects take part that cover it, as far as their masks do. `reference`: what the
published code computes, and what the published weights were trained with: an object also takes part in the cells that
only others cover, with weight exp(0) and features of zero, and there are no masks. With one object and no mask both are
the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..inputs import CellBox, Inputs, Places, cell_box
from .backbone import Blend, Prediction
from .fusion import resized_coverage
from .siggraph17 import Siggraph17

Mode = Literal["masked", "reference"]
HIDDEN = 16
WHOLE = (0.0, 0.0, 1.0, 1.0)
PREDICTORS = {  # of each tap, as the checkpoint names them
    "conv1_2": "weight_layer",
    "conv2_2": "weight_layer2",
    "conv3_3": "weight_layer3",
    "conv4_3": "weight_layer4",
    "conv5_3": "weight_layer5",
    "conv6_3": "weight_layer6",
    "conv7_3": "weight_layer7",
    "conv8_up": "weight_layer8_1",
    "conv8_3": "weight_layer8_2",
    "conv9_up": "weight_layer9_1",
    "conv9_3": "weight_layer9_2",
    "conv10_up": "weight_layer10_1",
    "conv10_2": "weight_layer10_2",
}
RECTIFIED = ("conv8_up", "conv9_up", "conv10_up")
"""Taps at which an object's features are those after the ReLU that follows, while the photo's are those before it: the
published code keeps the objects' maps and then rectifies them in place."""


def predictor(channels: int) -> nn.Sequential:
    """Three 3x3 convolutions to one plane of weights; the last ReLU keeps them at 0 or above."""
    return nn.Sequential(
        nn.Conv2d(channels, HIDDEN, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(HIDDEN, 1, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class WeightLayer(nn.Module):
    """The two predictors of a tap."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.simple_instance_conv = predictor(channels)
        self.simple_bg_conv = predictor(channels)


class Merged(NamedTuple):
    """All objects of a photo at one tap."""

    feature: Tensor  # (1, C, h, w), their mean by their shares; 0 where no box is
    logit: Tensor  # (1, 1, h, w), of all of them together against the photo's; -inf where no box is


class Merger:
    """Collects objects at one tap of a photo, one after the other, each inside its box.

    A softmax over all objects with a running maximum: `feature` and `total` are sums of exp(weight - peak).
    """

    def __init__(self, channels: int, grid: tuple[int, int], mode: Mode, like: Tensor) -> None:
        if mode not in get_args(Mode):
            raise ValueError(f"mode is one of {get_args(Mode)}, not {mode!r}")
        self.grid, self.mode = grid, mode
        self.count = 0
        self.feature = like.new_zeros(1, channels, *grid).contiguous(memory_format=torch.channels_last)
        self.total = like.new_zeros(1, 1, *grid)
        self.peak = like.new_zeros(1, 1, *grid)  # never under 0, nor is any weight
        self.covering = like.new_zeros(1, 1, *grid)  # how many objects are at a cell
        self.covered = torch.zeros(1, 1, *grid, dtype=torch.bool, device=like.device)

    def add(self, feature: Tensor, weight: Tensor, box: CellBox, coverage: Tensor | None = None) -> None:
        """One object's features (1, C, h, w) and weights (1, 1, h, w), resized into its box.

        `coverage` (1, 1, h, w) over the box, 0..1, is what its weight is multiplied with in `masked`; None is 1.
        """
        self.count += 1
        rows, columns = box.inside(self.grid)
        # As published, a box that begins left of or above the photo counts from the far end and so covers nothing as a
        # rule: its features then only show where another box covers. Read in `reference` alone.
        self.covered[..., box.top : box.top + box.height, box.left : box.left + box.width] = True
        if rows.start == rows.stop or columns.start == columns.stop:
            return
        part_rows = slice(rows.start - box.top, rows.stop - box.top)
        part_columns = slice(columns.start - box.left, columns.stop - box.left)
        size = (box.height, box.width)
        feature = F.interpolate(feature, size, mode="bilinear", align_corners=False)[..., part_rows, part_columns]
        weight = F.interpolate(weight, size, mode="bilinear", align_corners=False)[..., part_rows, part_columns]
        part: Tensor | None = None
        if coverage is not None and self.mode == "masked":
            part = resized_coverage(coverage, coverage.new_tensor([WHOLE]), size)[..., part_rows, part_columns]
            weight = torch.where(part > 0, weight, 0)  # what does not count must not be the highest
        sums, total, peak = (plane[..., rows, columns] for plane in (self.feature, self.total, self.peak))
        highest = torch.maximum(peak, weight.detach())
        fade, share = (peak - highest).exp(), (weight - highest).exp()
        if part is not None:
            share = share * part
        sums.mul_(fade).addcmul_(feature, share)
        total.mul_(fade).add_(share)
        peak.copy_(highest)
        self.covering[..., rows, columns] += 1

    def merged(self) -> Merged:
        """What was collected; the merger is of no use afterwards."""
        total, covered = self.total, self.total > 0
        if self.mode == "reference":
            total, covered = total + (self.count - self.covering) * (-self.peak).exp(), self.covered
        total = torch.where(covered, total, torch.inf)
        return Merged(self.feature.div_(total), torch.where(covered, self.peak + total.log(), -torch.inf))


class Siggraph17Fusion(nn.Module):
    """The weight predictors of the 13 taps of `siggraph17`, with the names that a checkpoint gives them.

    A checkpoint's fusion network holds these beside its own `siggraph17` weights, and `weight_layerout.*`, which
    nothing ever reads.
    """

    def __init__(self, mode: Mode = "reference") -> None:
        super().__init__()
        self.mode: Mode = mode
        for tap in Siggraph17.taps:
            self.add_module(PREDICTORS[tap.name], WeightLayer(tap.channels))

    def layer(self, tap: str) -> WeightLayer:
        """The weight predictors of a tap: one for the photo, one for objects."""
        layer = self.get_submodule(PREDICTORS[tap])
        assert isinstance(layer, WeightLayer)
        return layer

    def instance_weight(self, tap: str, feature: Tensor) -> Tensor:
        """(N, 1, h, w) weights of N objects' features at a tap, before they are resized."""
        answer: Tensor = self.layer(tap).simple_instance_conv(feature)
        return answer

    def merge(
        self, batches: Iterable[tuple[Mapping[str, Tensor], Places[Tensor]]], grid: tuple[int, int]
    ) -> dict[str, Merged]:
        """All objects of one photo at every tap, for a photo's network input of `grid` (height, width).

        A batch is the `instance_features` of some objects and their places; no more than one is needed at a time, and
        each may have crops of its own side. A crop is its box.
        """
        like = next(self.parameters())
        mergers = {
            name: Merger(channels, (grid[0] // stride, grid[1] // stride), self.mode, like)
            for name, channels, stride in Siggraph17.taps
        }
        for features, places in batches:
            boxes = places.box.tolist()
            for name, merger in mergers.items():
                for i, box in enumerate(boxes):
                    feature = features[name][i : i + 1]
                    weight = self.instance_weight(name, feature)
                    merger.add(feature, weight, cell_box(box, merger.grid), places.coverage[i : i + 1])
        return {name: merger.merged() for name, merger in mergers.items()}

    def share(self, tap: str, feature: Tensor, objects: Merged) -> Tensor:
        """(1, 1, h, w) what the objects have in the blend with the photo's features; 0 outside all boxes."""
        weight = self.layer(tap).simple_bg_conv(feature)
        return torch.cat([weight, objects.logit], 1).softmax(1)[:, 1:]

    def blend(self, merged: Mapping[str, Merged]) -> Blend:
        """The function that `siggraph17` calls at its taps for one photo."""

        def at_tap(name: str, feature: Tensor) -> Tensor:
            return torch.lerp(feature, merged[name].feature, self.share(name, feature, merged[name]))

        return at_tap


def instance_features(network: Siggraph17, L: Tensor, hint_ab: Tensor, hint_mask: Tensor) -> dict[str, Tensor]:
    """What the instance network says about N objects, as the fusion takes it: at every tap (N, C, S/s, S/s).

    `L` (N, 1, S, S) in 0..100, `hint_ab` (N, 2, S, S) in Lab units, `hint_mask` (N, 1, S, S).
    """
    features: dict[str, Tensor] = {}

    def keep(name: str, feature: Tensor) -> Tensor:
        features[name] = feature.relu() if name in RECTIFIED else feature
        return feature

    network.regression(L, hint_ab, hint_mask, keep)
    return features


class InstColorization(nn.Module):
    """The three networks of Su et al. with their fusion: `full` for photos without objects, `instance` for the crops
    of objects, `fusion` (trunk and predictors) for photos with objects."""

    def __init__(self, mode: Mode = "reference", mask_center: float = 0.5) -> None:
        super().__init__()
        self.full = Siggraph17(mask_center)
        self.instance = Siggraph17(mask_center)
        self.trunk = Siggraph17(mask_center)
        self.fusion = Siggraph17Fusion(mode)
        for parameter in self.parameters():
            if parameter.ndim == 4:  # with channels last, predictors and resizing take about half the time
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, inputs: Inputs[Tensor]) -> Prediction:
        """Colors one photo (1, ., H, W) with its objects, whose crops (N, ., S, S) are their boxes; N may be 0.

        ab (1, 2, H, W) in Lab units and logits (1, bins, H/4, W/4). Su et al. 2020, sections 4.2 and 4.3.
        """
        answer: Prediction
        if not len(inputs.objects.L):
            answer = self.full(*inputs.photo)
            return answer
        features = instance_features(self.instance, *inputs.objects)
        height, width = inputs.photo.L.shape[2:]
        merged = self.fusion.merge([(features, inputs.places)], (height, width))
        answer = self.trunk(*inputs.photo, self.fusion.blend(merged))
        return answer
