"""Box paste: what fusion is compared with. Each object is coloured alone and pasted into its box."""

from __future__ import annotations

import torch
from torch import Tensor

from ..networks.backbone import Prediction
from ..networks.fusion import InstanceTap, Places, fuse
from ..runtime.inputs import Inputs
from ..runtime.model import Answer
from .model import TorchModel, tensors

ON_TOP = 1e4  # a logit so much higher takes the whole cell


class BoxPaste:
    """A colour model: the full-image network's answer, in each box the instance network's; small boxes lie on top."""

    def __init__(self, model: TorchModel):
        self.model = model
        self.side, self.instance_size, self.multiple = model.side, model.instance_size, model.multiple
        self.squash, self.surroundings = model.squash, model.surroundings

    @torch.no_grad()
    def answer(self, inputs: Inputs) -> Answer:
        L, hint_ab, hint_mask, objects = tensors(inputs)
        whole = Prediction(*self.model.full(L, hint_ab, hint_mask))
        if len(objects.L):
            alone = Prediction(*self.model.instance(objects.L, objects.hint_ab, objects.hint_mask))
            x0, y0, x1, y1 = objects.places.box.T
            smaller = ((x1 - x0) * (y1 - y0)).argsort(descending=True).argsort()  # place in the pile, largest first
            top = (ON_TOP * (1 + smaller)).view(-1, 1, 1, 1)
            pairs = zip(whole, alone, strict=True)  # ab and logits, each on its own grid
            whole = Prediction(*(self._pasted(under, over, top, objects.places) for under, over in pairs))
        return Answer(*(plane[0].permute(1, 2, 0).contiguous().numpy() for plane in whole))

    @staticmethod
    def _pasted(under: Tensor, over: Tensor, top: Tensor, places: Places) -> Tensor:
        logits = top.expand(-1, 1, *over.shape[2:])
        return fuse(under, torch.zeros_like(under[:, :1]), InstanceTap(over, logits), places)
