"""Color networks with seeded random weights, none of them zero: where nothing is silent no fault can hide."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from instcolor.hints import Hints
from instcolor.inputs import Canvas, Inputs, Places, Sizes
from instcolor.networks.backbone import Backbone
from instcolor.networks.fusion import Fusion
from instcolor.networks.lite import Lite
from instcolor.objects import DetectedObject, Mask
from instcolor.runtime.model import Plane
from instcolor.runtime.preparing import prepare


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
    fusion = Fusion(backbone.taps)
    for predictor in (*fusion.full.values(), *fusion.instance.values()):
        assert isinstance(predictor, nn.Sequential)
        last = predictor[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.normal_(last.weight, std=0.3)  # shares that differ from place to place
    return fusion.eval()


def photo(count: int, height: int, width: int, seed: int, hinted: float = 0.1) -> Canvas[Tensor]:
    """Random photos, a share `hinted` of the pixels with a hint."""
    draw = torch.Generator().manual_seed(seed)
    L = 100 * torch.rand(count, 1, height, width, generator=draw)
    mask = (torch.rand(count, 1, height, width, generator=draw) < hinted).float()
    return Canvas(L, 60 * torch.randn(count, 2, height, width, generator=draw) * mask, mask)


def places(
    boxes: Tensor, crops: Tensor | None = None, coverage: Tensor | None = None, pixels: Tensor | None = None
) -> Places[Tensor]:
    """Places of objects at `boxes` (N, 4) in shares of the photo: their crops are their boxes, which they fill."""
    count = len(boxes)
    return Places(
        boxes if crops is None else crops,
        boxes,
        torch.full((count, 2), 6.0) if pixels is None else pixels,
        torch.ones(count, 1, 1, 1) if coverage is None else coverage,
    )


def with_objects(photo_planes: Canvas[Tensor], boxes: Tensor, side: int, seed: int) -> Inputs[Tensor]:
    """A photo with objects that show random noise, at `boxes` (N, 4) in shares of the photo."""
    pixels = 4 + 5 * torch.rand(len(boxes), 2, generator=torch.Generator().manual_seed(seed))
    return Inputs(photo_planes, photo(len(boxes), side, side, seed), places(boxes, pixels=pixels))


def objects_at(boxes: Plane, masks: Sequence[Mask | None] = ()) -> list[DetectedObject]:
    """Objects of no kind at `boxes` (N, 4), with `masks` or without any."""
    given = masks or [None] * len(boxes)
    return [DetectedObject(tuple(box), "", 1.0, mask) for box, mask in zip(boxes.tolist(), given, strict=True)]


def sizes_for(size: tuple[int, int], instance_size: int) -> Sizes:
    """The sizes by which a photo with the aspect of `size` (height, width) is brought to it; multiples of 8."""
    return Sizes(round(math.sqrt(size[0] * size[1])), instance_size, 8)


def random_boxes(count: int, seed: int) -> Tensor:
    """(count, 4) in shares of the photo, of all sizes and many of them over each other."""
    draw = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, 2, generator=draw).sort(dim=1).values  # (count, start or end, x or y)
    corners[:, 1] = torch.maximum(corners[:, 1], corners[:, 0] + 0.02)
    return corners.flatten(1).clamp(max=1)


def random_inputs(
    size: tuple[int, int], count: int, instance_size: int, seed: int, masked: bool = False
) -> Inputs[Plane]:
    """What the exported networks take: a random photo twice as high and wide as `size` (height, width), its objects
    and hints. `masked`: all objects but every third fill random parts of their boxes."""
    rng = np.random.default_rng(seed)
    height, width = 2 * size[0], 2 * size[1]
    L = rng.uniform(0, 100, (height, width)).astype(np.float32)
    boxes = random_boxes(count, seed).numpy() * np.array([width, height, width, height], np.float32)
    points = np.stack([rng.uniform(0, width, 40), rng.uniform(0, height, 40), *rng.normal(0, 50, (2, 40))], 1)
    planes = rng.random((count, 4, 4)).astype(np.float32).repeat(7, 1).repeat(7, 2)
    masks = [Mask(tuple(boxes[i].tolist()), planes[i]) if masked and i % 3 < 2 else None for i in range(count)]
    sizes, hints = sizes_for(size, instance_size), Hints(points.astype(np.float32))
    return prepare(L, objects_at(boxes, masks), sizes, hints)
