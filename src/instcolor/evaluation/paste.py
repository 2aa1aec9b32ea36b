"""Box paste: what fusion is compared with. Each object is coloured alone and pasted into its box."""

from __future__ import annotations

import torch

from ..networks.fusion import InstanceTap, fuse
from ..networks.torch_model import TorchModel, tensors
from ..runtime.inputs import Inputs
from ..runtime.model import Answer

ON_TOP = 1e4  # a logit so much higher takes the whole cell


class BoxPaste:
    """A colour model: the full-image network's answer, in each box the instance network's; small boxes lie on top."""

    def __init__(self, model: TorchModel):
        self.model = model
        self.side, self.instance_size, self.multiple = model.side, model.instance_size, model.multiple

    @torch.no_grad()
    def answer(self, inputs: Inputs) -> Answer:
        L, hint_ab, hint_mask, objects = tensors(inputs)
        whole = torch.cat(tuple(self.model.full(L, hint_ab, hint_mask)), 1)  # (1, 2 + bins, h, w)
        if len(objects.L):
            alone = torch.cat(tuple(self.model.instance(objects.L, objects.hint_ab, objects.hint_mask)), 1)
            x0, y0, x1, y1 = objects.places.box.T
            smaller = ((x1 - x0) * (y1 - y0)).argsort(descending=True).argsort()  # place in the pile, largest first
            logits = (ON_TOP * (1 + smaller)).view(-1, 1, 1, 1).expand(-1, 1, *alone.shape[2:])
            whole = fuse(whole, torch.zeros_like(whole[:, :1]), InstanceTap(alone, logits), objects.places)
        answer = whole[0].permute(1, 2, 0).contiguous().numpy()
        return Answer(answer[..., :2], answer[..., 2:])
