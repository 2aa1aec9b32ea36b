"""The two networks and their fusion in torch, taking and giving what the exported files take and give."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..networks.backbone import Backbone, Prediction
from ..networks.fusion import Fusion, Instances, Places, predict
from ..runtime.inputs import SURROUNDINGS, Inputs
from ..runtime.model import Answer


def tensors(inputs: Inputs) -> tuple[Tensor, Tensor, Tensor, Instances]:
    """L, hint_ab and hint_mask of the whole photo, and its objects, as tensors."""
    t = Inputs(*(torch.from_numpy(plane) for plane in inputs))  # type: ignore[arg-type]
    places = Places(t.crop, t.box, t.coverage)  # type: ignore[arg-type]
    objects = Instances(t.object_L, t.object_hint_ab, t.object_hint_mask, places, t.pixels)  # type: ignore[arg-type]
    return t.L, t.hint_ab, t.hint_mask, objects  # type: ignore[return-value]


class TorchModel:
    """Full-image and instance networks and fusion; what `runtime.model.OnnxModel` is for exported files."""

    squash = False
    surroundings = SURROUNDINGS

    def __init__(self, full: Backbone, instance: Backbone, fusion: Fusion, *, side: int, instance_size: int):
        self.full, self.instance, self.fusion = full, instance, fusion
        self.side, self.instance_size, self.multiple = side, instance_size, full.multiple
        for network in (full, instance, fusion):
            assert isinstance(network, nn.Module)
            network.eval()

    @torch.no_grad()
    def answer(self, inputs: Inputs) -> Answer:
        L, hint_ab, hint_mask, objects = tensors(inputs)
        if len(objects.L):
            prediction = predict(self.full, self.instance, self.fusion, L, hint_ab, hint_mask, objects)
        else:
            prediction = Prediction(*self.full(L, hint_ab, hint_mask))
        return Answer(*(plane[0].permute(1, 2, 0).contiguous().numpy() for plane in prediction))
