"""Fusion of full-image and instance features at the taps of a backbone (Su et al. 2020).

At every tap three convolutions predict one weight plane for the full image's features and one for each object's.
The object's features and weights are resized into its box, a softmax over the full image and the objects that cover
a cell gives each its share, and the weighted sum replaces the full image's features for all that follows. Outside
every box, and where an object's mask says that it is not, the full image's share is exactly 1.

Boxes here are (x0, y0, x1, y1) as shares of the photo, 0..1. An object's crop may show surroundings: `crop` is what
the instance network saw, `box` the part of it that may be blended in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..inputs import Inputs, Places
from .backbone import Backbone, Blend, Prediction, Tap

HIDDEN = 16
NEARLY_ALL = 1e-5  # by rounding, a resized plane of ones is not quite 1


class InstanceTap(NamedTuple):
    """What the instance network says at one tap about N objects."""

    feature: Tensor  # (N, C, h, w)
    weight: Tensor  # (N, 1, h, w), logits


def weight_predictor(channels: int) -> nn.Sequential:
    """Three 3x3 convolutions to one plane of logits."""
    return nn.Sequential(
        nn.Conv2d(channels, HIDDEN, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(HIDDEN, 1, 3, padding=1),
    )


def resize_matrix(start: Tensor, end: Tensor, cells_in: int, cells_out: int) -> Tensor:
    """(N, cells_out, cells_in): each row brings a crop's cells to one cell of the photo's grid.

    The crop lies between `start` and `end` (N,), shares of the axis. Bilinear, half-pixel centers, edge cells
    repeated; where the crop shrinks, the triangle widens so that no cell is skipped.
    """
    scale = cells_in / ((end - start) * cells_out)  # crop cells per photo cell
    centers = torch.arange(cells_out, device=start.device, dtype=start.dtype) + 0.5
    source = (centers - start[:, None] * cells_out) * scale[:, None] - 0.5
    source = source.clamp(0, cells_in - 1)  # (N, cells_out)
    columns = torch.arange(cells_in, device=start.device, dtype=start.dtype)
    width = scale.clamp(min=1)[:, None, None]
    weight = (1 - (source[:, :, None] - columns).abs() / width).clamp(min=0)
    return weight / weight.sum(2, keepdim=True)


def resize_matrices(crop: Tensor, cells_in: Sequence[int], cells_out: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Rows (N, 1, H, h) and columns (N, 1, w, W): `rows @ planes @ columns` brings planes (N, C, h, w) of crops (N, 4)
    to the photo's grid. Sizes are (height, width)."""
    rows = resize_matrix(crop[:, 1], crop[:, 3], cells_in[0], cells_out[0])
    columns = resize_matrix(crop[:, 0], crop[:, 2], cells_in[1], cells_out[1])
    return rows[:, None], columns[:, None].transpose(2, 3)


def resized_coverage(coverage: Tensor, crop: Tensor, cells: Sequence[int]) -> Tensor:
    """(N, 1, H, W): coverage (N, 1, h, w) of crops on a photo's grid of `cells` (height, width); 0 and 1 stay exact."""
    rows, columns = resize_matrices(crop, coverage.shape[2:], cells)
    return (rows @ coverage @ columns * (1 + NEARLY_ALL)).clamp(max=1)


def covered(start: Tensor, end: Tensor, cells: int) -> Tensor:
    """(N, cells) whether a cell's center lies between `start` and `end`; at least one cell does."""
    index = torch.arange(cells, device=start.device, dtype=start.dtype)
    inside = (index + 0.5 >= start[:, None] * cells) & (index + 0.5 < end[:, None] * cells)
    middle = ((start + end) / 2 * cells).floor().clamp(0, cells - 1)
    return inside | (index == middle[:, None])


def fuse(feature: Tensor, weight: Tensor, tap: InstanceTap, places: Places[Tensor]) -> Tensor:
    """Blends the N objects' features into those of one photo.

    feature (1, C, H, W) and weight (1, 1, H, W) are the photo's; N may be 0, which changes nothing.
    """
    height, width = feature.shape[2:]
    rows, columns = resize_matrices(places.crop, tap.feature.shape[2:], (height, width))
    inside_y = covered(places.box[:, 1], places.box[:, 3], height)
    inside_x = covered(places.box[:, 0], places.box[:, 2], width)
    inside = (inside_y[:, :, None] & inside_x[:, None, :])[:, None]  # (N, 1, H, W)
    pasted = rows @ tap.feature @ columns  # (N, C, H, W)
    logits = torch.where(inside, rows @ tap.weight @ columns, -torch.inf)
    logits = logits + resized_coverage(places.coverage, places.crop, (height, width)).log()  # a factor on exp(logits)
    share = torch.cat([weight, logits]).softmax(0)  # (N + 1, 1, H, W)
    return share[:1] * feature + (share[1:] * pasted).sum(0, keepdim=True)


class Fusion(nn.Module):
    """The weight predictors of all taps of a backbone.

    An object's logits also depend on its size: a crop enlarged from a few pixels deserves less trust.
    """

    def __init__(self, taps: Sequence[Tap]) -> None:
        super().__init__()
        self.taps = tuple(taps)
        self.full = nn.ModuleDict({tap.name: weight_predictor(tap.channels) for tap in taps})
        self.instance = nn.ModuleDict({tap.name: weight_predictor(tap.channels) for tap in taps})
        self.size = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(self.taps)))

    def instance_taps(self, features: Mapping[str, Tensor]) -> dict[str, InstanceTap]:
        """The objects' features (N, C, h, w) by tap, with their weights, before they know their place in the photo."""
        return {name: InstanceTap(feature, self.instance[name](feature)) for name, feature in features.items()}

    def blend(self, taps: Mapping[str, InstanceTap], places: Places[Tensor]) -> Blend:
        """The function that a backbone calls at its taps for one photo with these objects."""
        biases = self.size(places.pixels / 4 - 1.5)  # (N, taps); about -1..1 goes in for crops of 16 to 1024 pixels
        bias = dict(zip((tap.name for tap in self.taps), biases.unbind(1), strict=True))

        def at_tap(name: str, feature: Tensor) -> Tensor:
            tap = taps[name]
            weight = tap.weight + bias[name].view(-1, 1, 1, 1)
            return fuse(feature, self.full[name](feature), InstanceTap(tap.feature, weight), places)

        return at_tap


def record(features: dict[str, Tensor]) -> Blend:
    """A `blend` that changes nothing and keeps every feature in `features`."""

    def at_tap(name: str, feature: Tensor) -> Tensor:
        features[name] = feature
        return feature

    return at_tap


def predict(full: Backbone, instance: Backbone, fusion: Fusion, inputs: Inputs[Tensor]) -> Prediction:
    """Colors one photo with its objects: both networks and the fusion between them (Su et al. 2020, section 4.3).

    `inputs` has one photo (1, ., H, W) and the crops of its N objects (N, ., S, S), N may be 0; height, width and S are
    multiples of the backbone's `multiple`. The answer is the full-image network's for the photo: ab (1, 2, h, w) in
    Lab units and logits (1, bins, h', w'). `full`, `instance` and `fusion` have the same taps.
    """
    features: dict[str, Tensor] = {}
    instance(*inputs.objects, record(features))
    return Prediction(*full(*inputs.photo, fusion.blend(fusion.instance_taps(features), inputs.places)))
