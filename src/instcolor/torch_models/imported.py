"""Others' networks, brought in by `models.importing`, as rows beside ours."""

from __future__ import annotations

import numpy as np
import torch

from ..networks.backbone import Backbone
from ..networks.siggraph17_fusion import InstColorization, Objects
from ..runtime.inputs import Inputs
from ..runtime.model import Answer
from .model import tensors

SIDE = 256
PIXELS = 1 << 20  # a side of the photo for `Objects`, which counts in whole pixels; far finer than any grid


class WholePhoto:
    """A color model of one network that sees the whole photo; objects change nothing."""

    squash = True
    surroundings = 0.0

    def __init__(self, network: Backbone, side: int = SIDE):
        self.network, self.side, self.instance_size, self.multiple = network, side, side, network.multiple

    @torch.no_grad()
    def answer(self, inputs: Inputs) -> Answer:
        L, hint_ab, hint_mask, _ = tensors(inputs)
        return Answer(
            *(plane[0].permute(1, 2, 0).contiguous().numpy() for plane in self.network(L, hint_ab, hint_mask))
        )


class ThreeNetworks:
    """The networks of Su et al. 2020 as a color model: what `runtime.instcolorization` is for exported files."""

    squash = True
    surroundings = 0.0

    def __init__(self, networks: InstColorization, side: int = SIDE):
        self.networks, self.side, self.instance_size, self.multiple = networks, side, side, networks.full.multiple

    @torch.no_grad()
    def answer(self, inputs: Inputs) -> Answer:
        L, hint_ab, hint_mask, found = tensors(inputs)
        boxes = (inputs.box * np.float32(PIXELS)).tolist()
        objects = Objects(found.L, found.hint_ab, found.hint_mask, boxes, (PIXELS, PIXELS), found.places.coverage)
        prediction = self.networks(L, hint_ab, hint_mask, objects)
        return Answer(*(plane[0].permute(1, 2, 0).contiguous().numpy() for plane in prediction))
