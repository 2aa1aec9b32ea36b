"""The two networks and their fusion in torch, taking and giving what the exported files take and give."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..inputs import Canvas, Inputs, Places, Sizes
from ..networks.backbone import Backbone, Prediction
from ..networks.fusion import Fusion, predict
from ..runtime.model import Answer, Plane


def tensors(inputs: Inputs[Plane]) -> Inputs[Tensor]:
    """The same inputs as tensors, which share their memory."""
    photo, objects, places = (map(torch.from_numpy, planes) for planes in inputs)
    return Inputs(Canvas(*photo), Canvas(*objects), Places(*places))


def answer_of(prediction: Prediction) -> Answer:
    """What a network says about one photo, (1, C, h, w) each, as arrays (h, w, C) in memory of their own."""
    ab, logits = (plane[0].permute(1, 2, 0).contiguous().numpy() for plane in prediction)
    return Answer(ab, logits)


class TorchModel:
    """Full-image and instance networks and fusion; what `runtime.model.OnnxModel` is for exported files."""

    def __init__(self, full: Backbone, instance: Backbone, fusion: Fusion, *, side: int, instance_size: int) -> None:
        self.full, self.instance, self.fusion = full, instance, fusion
        self.sizes = Sizes(side, instance_size, full.multiple)
        for network in (full, instance, fusion):
            assert isinstance(network, nn.Module)
            network.eval()

    @torch.no_grad()
    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """As the exported networks answer: without objects the full-image network, else fusion."""
        given = tensors(inputs)
        if not len(given.objects.L):
            return answer_of(self.full(*given.photo))
        return answer_of(predict(self.full, self.instance, self.fusion, given))
