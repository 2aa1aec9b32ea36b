"""Color networks with seeded random weights, none of them zero: where nothing is silent no fault can hide."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from instcolor.hints import Hints
from instcolor.networks.backbone import Backbone
from instcolor.networks.fusion import Fusion, Instances, Places
from instcolor.networks.lite import Lite
from instcolor.objects import Mask
from instcolor.runtime.inputs import Inputs, prepare


def random_lite(seed: int) -> Lite:
    """`lite` in evaluation mode: weights, hints and heads at random, BatchNorm as after a look at random photos."""
    torch.manual_seed(seed)
    network = Lite()
    hints = (network.hints32, network.hints16, network.hints8, network.hints4)
    for silent in (*(h.conv2 for h in hints), network.head_ab):
        silent.reset_parameters()
    nn.init.normal_(network.head_ab.weight, std=0.1)  # ab of some tens
    return settled(network)


def settled(network: Lite) -> Lite:
    """The network with BatchNorm statistics that fit its weights, and scales and shifts that are not 1 and 0."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        nn.init.uniform_(norm.weight, 0.7, 1.3)
        nn.init.uniform_(norm.bias, -0.3, 0.3)
    with torch.no_grad():
        network.train()(*photo(2, 96, 96, seed=0))
    return network.eval()


def random_fusion(backbone: Backbone, seed: int) -> Fusion:
    torch.manual_seed(seed)
    fusion = Fusion(backbone.tap_names, backbone.tap_channels)
    for predictor in (*fusion.full.values(), *fusion.instance.values()):
        nn.init.normal_(predictor[-1].weight, std=0.3)  # shares that differ from place to place
    return fusion.eval()


def photo(count: int, height: int, width: int, seed: int, hinted: float = 0.1) -> tuple[Tensor, Tensor, Tensor]:
    """L, hint_ab, hint_mask of random photos, a share `hinted` of the pixels with a hint."""
    draw = torch.Generator().manual_seed(seed)
    L = 100 * torch.rand(count, 1, height, width, generator=draw)
    mask = (torch.rand(count, 1, height, width, generator=draw) < hinted).float()
    return L, 60 * torch.randn(count, 2, height, width, generator=draw) * mask, mask


def objects(boxes: Tensor, side: int, seed: int, crops: Tensor | None = None) -> Instances:
    """Objects that show random noise, at `boxes` (N, 4) in shares of the photo."""
    pixels = 4 + 5 * torch.rand(len(boxes), 2, generator=torch.Generator().manual_seed(seed))
    places = Places(boxes if crops is None else crops, boxes)
    return Instances(*photo(len(boxes), side, side, seed), places, pixels)


def random_boxes(count: int, seed: int) -> Tensor:
    """(count, 4) in shares of the photo, of all sizes and many of them over each other."""
    draw = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, 2, generator=draw).sort(dim=1).values  # (count, start or end, x or y)
    corners[:, 1] = torch.maximum(corners[:, 1], corners[:, 0] + 0.02)
    return corners.flatten(1).clamp(max=1)


def random_inputs(size: tuple[int, int], count: int, instance_size: int, seed: int, masked: bool = False) -> Inputs:
    """What the exported networks take: a random photo of 150 x 200 pixels, its objects and hints. `masked`: all objects
    but every third fill random parts of their boxes."""
    rng = np.random.default_rng(seed)
    L = rng.uniform(0, 100, (150, 200)).astype(np.float32)
    boxes = random_boxes(count, seed).numpy() * np.array([200, 150, 200, 150], np.float32)
    points = np.stack([rng.uniform(0, 200, 40), rng.uniform(0, 150, 40), *rng.normal(0, 50, (2, 40))], 1)
    planes = rng.random((count, 4, 4)).astype(np.float32).repeat(7, 1).repeat(7, 2)
    masks = [Mask(tuple(boxes[i].tolist()), planes[i]) if masked and i % 3 < 2 else None for i in range(count)]
    return prepare(L, boxes, size, instance_size, Hints(points.astype(np.float32)), masks=masks)
