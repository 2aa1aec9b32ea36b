"""The `eccv16` color network: lightness alone to a distribution over colors at stride 4, and its mean.

"Colorful Image Colorization" (Zhang et al., ECCV 2016), in the form in which its authors published it for PyTorch;
parameter names are those of their checkpoint. It takes no hints and has no skips.

Shapes below are for an input of (N, 1, H, W) with H and W multiples of 8.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bins import BIN_CENTERS, BIN_COUNT
from .backbone import Blend, Prediction, Tap
from .siggraph17 import AB_SCALE, block, convs

COLORS = 313
TAPS = (
    Tap("conv1_2", 64, 2),
    Tap("conv2_2", 128, 4),
    Tap("conv3_3", 256, 8),
    Tap("conv4_3", 512, 8),
    Tap("conv5_3", 512, 8),
    Tap("conv6_3", 512, 8),
    Tap("conv7_3", 512, 8),
    Tap("conv8_3", 256, 4),
)


class Eccv16(nn.Module):
    """`eccv16`: (N, 1, H, W) lightness to ab at (H, W) and bin logits at (H/4, W/4).

    `forward(L, hint_ab, hint_mask, blend=None)` as every backbone; L in 0..100, the hints change nothing.

    The network's 313 colors are in its weights (`model_out`), not in this code. `logits` are the logarithms of their
    shares, each given to the nearest bin of `instcolor.bins`; a bin that no color is next to gets a share near zero.
    """

    taps: tuple[Tap, ...] = TAPS
    multiple = 8
    stride = 1  # of ab
    logits_stride = 4
    centers: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.model1 = block(1, 64, 2, stride=2)
        self.model2 = block(64, 128, 2, stride=2)
        self.model3 = block(128, 256, 3, stride=2)
        self.model4 = block(256, 512, 3)
        self.model5 = block(512, 512, 3, dilation=2)
        self.model6 = block(512, 512, 3, dilation=2)
        self.model7 = block(512, 512, 3)
        up = nn.ConvTranspose2d(512, 256, 4, 2, 1)
        self.model8 = nn.Sequential(up, nn.ReLU(), *convs(256, 256, 2), nn.Conv2d(256, COLORS, 1))
        self.model_out = nn.Conv2d(COLORS, 2, 1, bias=False)  # ab / 110 of the 313 colors
        self.register_buffer("centers", torch.from_numpy(BIN_CENTERS.copy()), persistent=False)

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor, blend: Blend | None = None) -> Prediction:
        """ab (N, 2, H, W) in Lab units, the mean of the network's own colors, and logits (N, 261, H/4, W/4)."""
        share = self.colors(L, blend).softmax(1)
        ab = AB_SCALE * F.interpolate(self.model_out(share), scale_factor=4, mode="bilinear", align_corners=False)
        binned = F.conv2d(share, self.nearest_bin())  # (N, 261, H/4, W/4)
        return Prediction(ab=ab, logits=binned.clamp(min=1e-12).log())

    def colors(self, L: Tensor, blend: Blend | None = None) -> Tensor:
        """Logits over the network's own 313 colors, (N, 313, H/4, W/4)."""
        tap = blend or (lambda name, feature: feature)
        x = tap("conv1_2", self.model1((L - 50) / 100))  # (N, 64, H/2, W/2)
        x = tap("conv2_2", self.model2(x))  # (N, 128, H/4, W/4)
        x = tap("conv3_3", self.model3(x))  # (N, 256, H/8, W/8)
        x = tap("conv4_3", self.model4(x))  # (N, 512, H/8, W/8)
        x = tap("conv5_3", self.model5(x))  # (N, 512, H/8, W/8)
        x = tap("conv6_3", self.model6(x))  # (N, 512, H/8, W/8)
        x = tap("conv7_3", self.model7(x))  # (N, 512, H/8, W/8)
        x = tap("conv8_3", self.model8[:-1](x))  # (N, 256, H/4, W/4)
        answer: Tensor = self.model8[-1](x)
        return answer

    def nearest_bin(self) -> Tensor:
        """(BIN_COUNT, 313, 1, 1): 1 where a color of the network is nearest to a bin, as a 1x1 convolution."""
        colors = AB_SCALE * self.model_out.weight.flatten(1).T  # (313, 2)
        distance = (colors[:, None] - self.centers).square().sum(2)  # (313, 261)
        return F.one_hot(distance.argmin(1), BIN_COUNT).T.to(colors)[:, :, None, None]
