"""Box paste: what fusion is compared with. Each object is colored alone and pasted into its box."""

from __future__ import annotations

import torch
from torch import Tensor

from ..inputs import Inputs, Places
from ..networks.backbone import Prediction
from ..networks.fusion import InstanceTap, fuse
from ..runtime.model import Answer, Plane
from .model import TorchModel, answer_of, tensors

ON_TOP = 1e4  # a logit so much higher takes the whole cell


class BoxPaste:
    """A color model: the full-image network's answer, in each box the instance network's; small boxes lie on top."""

    def __init__(self, model: TorchModel) -> None:
        self.model, self.sizes = model, model.sizes

    @torch.no_grad()
    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """The full image's colors, in each box its object's own."""
        photo, objects, places = tensors(inputs)
        whole = Prediction(*self.model.full(*photo))
        if not len(objects.L):
            return answer_of(whole)
        x0, y0, x1, y1 = places.box.T
        smaller = ((x1 - x0) * (y1 - y0)).argsort(descending=True).argsort()  # place in the pile, largest first
        top = (ON_TOP * (1 + smaller)).view(-1, 1, 1, 1)
        pairs = zip(whole, self.model.instance(*objects), strict=True)  # ab and logits, each on its own grid
        return answer_of(Prediction(*(_pasted(under, over, top, places) for under, over in pairs)))


def _pasted(under: Tensor, over: Tensor, top: Tensor, places: Places[Tensor]) -> Tensor:
    logits = top.expand(-1, 1, *over.shape[2:])
    return fuse(under, torch.zeros_like(under[:, :1]), InstanceTap(over, logits), places)
