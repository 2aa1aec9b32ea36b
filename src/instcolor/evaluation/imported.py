"""Others' networks, brought in by `models.importing`, as rows beside ours."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F

from ..errors import ModelError
from ..models.importing import read_weights
from ..networks.backbone import Backbone
from ..networks.eccv16 import Eccv16
from ..networks.siggraph17 import Siggraph17
from ..networks.torch_model import tensors
from ..networks.weights import load_weights
from ..runtime.inputs import Inputs
from ..runtime.model import Answer


class WholePhoto:
    """A color model of one network that sees the whole photo; objects change nothing."""

    def __init__(self, network: Backbone, side: int = 256):
        self.network, self.side, self.instance_size, self.multiple = network, side, side, network.multiple

    @torch.no_grad()
    def answer(self, inputs: Inputs) -> Answer:
        L, hint_ab, hint_mask, _ = tensors(inputs)
        ab, logits = self.network(L, hint_ab, hint_mask)
        logits = F.interpolate(logits, ab.shape[2:], mode="bilinear", align_corners=False)  # on the grid of ab
        return Answer(*(plane[0].permute(1, 2, 0).contiguous().numpy() for plane in (ab, logits)))


def load_imported(folder: Path) -> WholePhoto:
    """The network of a folder of imported weights. Raises ModelError, also for kinds of several networks."""
    weights = read_weights(folder)
    if weights.kind == "siggraph17":
        network: Siggraph17 | Eccv16 = Siggraph17(weights.mask_center)
    elif weights.kind == "eccv16":
        network = Eccv16()
    else:
        raise ModelError(f"{folder}: {weights.kind} cannot be measured, only single networks can")
    load_weights(network, weights.path("full"))
    return WholePhoto(network.eval())
