"""The mask network: which part of its box an object fills, from the lightness of a crop around it.

The first stages of EfficientNet-Lite2 ("EfficientNet: Rethinking Model Scaling", Tan & Le, ICML 2019, Lite variant; see
`lite`) and a decoder of depthwise separable convolutions with skips, as in "U-Net" (Ronneberger et al., MICCAI 2015).

The object's box always lies in the same place of the crop (`objects.crops`), so that the network knows which
of two people side by side is meant.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .lite import STAGES, STEM, Encoder

COARSEST = (1, 5, 2, 6, 208)  # of the sixth stage's five blocks the first is enough: 4 x 4 cells see the whole crop
CHANNELS = (64, 48, 32, 24)  # of the decoder at strides 16, 8, 4 and 2


class LightUp(nn.Module):
    """One decoder step: the coarse map doubled plus the skip, then a 5 x 5 neighborhood of each channel, mixed."""

    def __init__(self, c_in: int, c_skip: int, c_out: int):
        super().__init__()
        self.coarse = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.skip = nn.Conv2d(c_skip, c_out, 1, bias=False)
        self.bn = nn.BatchNorm2d(c_out)
        self.near = nn.Conv2d(c_out, c_out, 5, padding=2, groups=c_out, bias=False)
        self.bn_near = nn.BatchNorm2d(c_out)
        self.mix = nn.Conv2d(c_out, c_out, 1, bias=False)
        self.bn_mix = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """A map (N, c_in, h, w) and the skip (N, c_skip, 2h, 2w) to (N, c_out, 2h, 2w)."""
        x = F.interpolate(self.coarse(x), scale_factor=2, mode="bilinear", align_corners=False)
        x = F.relu(self.bn(x + self.skip(skip)))
        y = F.relu(self.bn_near(self.near(x)))
        return F.relu(x + self.bn_mix(self.mix(y)))


class MaskNetwork(nn.Module):
    """`forward(L)`: (N, 1, S, S) lightness in 0..100 of crops, S a multiple of 32, to (N, 1, S/2, S/2) logits.

    Their sigmoid is the probability that a cell is the object's.
    """

    multiple = 32
    stride = 2

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(stages=(*STAGES[:5], COARSEST))
        c4, c8, c16, _ = Encoder.channels
        sizes = zip((COARSEST[-1], *CHANNELS[:-1]), (c16, c8, c4, STEM), CHANNELS, strict=True)
        self.ups = nn.ModuleList(LightUp(*channels) for channels in sizes)
        self.head = nn.Conv2d(CHANNELS[-1], 1, 1)

    def forward(self, L: Tensor) -> Tensor:
        """Lightness (N, 1, S, S) in 0..100 of square crops to logits (N, 1, S/2, S/2)."""
        maps = [self.encoder.stem(L)]  # (N, 32, S/2, S/2)
        for index in range(4):  # (N, 24, 48, 120, 208 channels, at strides 4, 8, 16, 32)
            maps.append(self.encoder.group(index, maps[-1]))
        x = maps.pop()
        for up in self.ups:
            x = up(x, maps.pop())
        answer: Tensor = self.head(x)
        return answer
