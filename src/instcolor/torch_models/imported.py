"""Others' networks, brought in by `packaging.importing`, as rows beside ours."""

from __future__ import annotations

import torch

from ..inputs import Inputs, Sizes
from ..networks.backbone import Backbone
from ..networks.siggraph17_fusion import InstColorization
from ..runtime.model import Answer, Plane
from .model import answer_of, tensors

SIDE = 256  # that they were trained at


class WholePhoto:
    """A color model of one network that sees the whole photo; objects change nothing."""

    def __init__(self, network: Backbone, side: int = SIDE) -> None:
        self.network = network
        self.sizes = Sizes(side, side, network.multiple, squash=True, surroundings=0.0)

    @torch.no_grad()
    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """What the network says of the photo; objects are not asked for."""
        return answer_of(self.network(*tensors(inputs).photo))


class ThreeNetworks:
    """The networks of Su et al. 2020 as a color model: what `runtime.instcolorization` is for exported files."""

    def __init__(self, networks: InstColorization, side: int = SIDE) -> None:
        self.networks = networks
        self.sizes = Sizes(side, side, networks.full.multiple, squash=True, surroundings=0.0)

    @torch.no_grad()
    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """As `runtime.instcolorization` answers: without objects the full-image network, else the fused one."""
        return answer_of(self.networks(tensors(inputs)))
