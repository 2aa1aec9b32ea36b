"""The `siggraph17` color network, the backbone of the paper: ab at full size, a class head at stride 4.

"Real-Time User-Guided Image Colorization with Learned Deep Priors" (Zhang et al., SIGGRAPH 2017), which "Instance-aware
Image Colorization" (Su et al., CVPR 2020) uses three times: for photos without objects, for the crops of objects, and
for photos with objects. Parameter names are those of the published checkpoints, so these load as they are; every part
is one definition and the three uses differ in their weights alone.

Shapes below are for an input of (N, 1, H, W) with H and W multiples of 8.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bins import BIN_CENTERS, STEP
from .backbone import Blend, Prediction, Tap

AB_SCALE = 110  # ab in Lab units over ab as the network has it
GRID = 23  # cells a side of the class head's grid, -110..110 in steps of 10
TAPS = (
    Tap("conv1_2", 64, 1),
    Tap("conv2_2", 128, 2),
    Tap("conv3_3", 256, 4),
    Tap("conv4_3", 512, 8),
    Tap("conv5_3", 512, 8),
    Tap("conv6_3", 512, 8),
    Tap("conv7_3", 512, 8),
    Tap("conv8_up", 256, 4),
    Tap("conv8_3", 256, 4),
    Tap("conv9_up", 128, 2),
    Tap("conv9_3", 128, 2),
    Tap("conv10_up", 128, 1),
    Tap("conv10_2", 128, 1),
)


def convs(c_in: int, c_out: int, count: int, *, dilation: int = 1, stride: int = 1) -> list[nn.Module]:
    """3x3 convolutions, each with its ReLU; the last one takes the stride."""
    layers: list[nn.Module] = []
    for i in range(count):
        step = stride if i == count - 1 else 1
        layers += [nn.Conv2d(c_in if i == 0 else c_out, c_out, 3, step, dilation, dilation), nn.ReLU()]
    return layers


def block(c_in: int, c_out: int, count: int, *, dilation: int = 1, stride: int = 1) -> nn.Sequential:
    """Convolutions with ReLU, BatchNorm last: it normalizes what is already rectified."""
    return nn.Sequential(*convs(c_in, c_out, count, dilation=dilation, stride=stride), nn.BatchNorm2d(c_out))


def doubled(c_in: int, c_out: int) -> nn.Sequential:
    """A transposed convolution that doubles height and width."""
    return nn.Sequential(nn.ConvTranspose2d(c_in, c_out, 4, 2, 1))


def skip(c_in: int, c_out: int) -> nn.Sequential:
    """The convolution that a feature of the encoder passes on its way to the decoder."""
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1))


def in_gamut_cells() -> Tensor:
    """(BIN_COUNT,) index into the class head's 23 x 23 grid, a* slow, of every bin of `instcolor.bins`."""
    a, b = torch.from_numpy(BIN_CENTERS / STEP).round().long().T + GRID // 2
    answer: Tensor = a * GRID + b
    return answer


class Siggraph17(nn.Module):
    """`siggraph17`: (N, 1, H, W) lightness to ab at (H, W) and bin logits at (H/4, W/4).

    `forward(L, hint_ab, hint_mask, blend=None)`: L in 0..100, hint_ab (N, 2, H, W) in Lab units, hint_mask
    (N, 1, H, W) 0 or 1. `blend(name, feature) -> feature` is called at every one of `taps`, in order.

    `mask_center` belongs to the weights: what was taken from the hint mask when they were trained. 0.5 for those of
    Su et al. and of the PyTorch retraining, 0 for those that come from Caffe. The wrong one gives other colors and
    no error, and nothing in a file says which it is.

    The class head has 529 cells, -110..110 in steps of 10. `logits` are those of the cells inside the sRGB gamut
    (`instcolor.bins`): colors of photos fall into no others, and softmax over a part of the logits is the
    distribution given that part. `ab` alone, without the class head, comes from `regression`.
    """

    taps: tuple[Tap, ...] = TAPS
    multiple = 8
    stride = 1  # of ab
    logits_stride = 4
    cells: Tensor

    def __init__(self, mask_center: float = 0.5) -> None:
        super().__init__()
        if mask_center not in (0, 0.5):
            raise ValueError(f"mask_center is 0 or 0.5, not {mask_center}")
        self.mask_center = mask_center
        self.model1 = block(4, 64, 2)
        self.model2 = block(64, 128, 2)
        self.model3 = block(128, 256, 3)
        self.model4 = block(256, 512, 3)
        self.model5 = block(512, 512, 3, dilation=2)
        self.model6 = block(512, 512, 3, dilation=2)
        self.model7 = block(512, 512, 3)
        self.model8up = doubled(512, 256)
        self.model3short8 = skip(256, 256)
        self.model8 = nn.Sequential(nn.ReLU(), *convs(256, 256, 2), nn.BatchNorm2d(256))
        self.model9up = doubled(256, 128)
        self.model2short9 = skip(128, 128)
        self.model9 = nn.Sequential(nn.ReLU(), *convs(128, 128, 1), nn.BatchNorm2d(128))
        self.model10up = doubled(128, 128)
        self.model1short10 = skip(64, 128)
        self.model10 = nn.Sequential(nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2))
        self.model_class = nn.Sequential(nn.Conv2d(256, GRID * GRID, 1))
        self.model_out = nn.Sequential(nn.Conv2d(128, 2, 1), nn.Tanh())
        self.register_buffer("cells", in_gamut_cells(), persistent=False)

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor, blend: Blend | None = None) -> Prediction:
        """ab (N, 2, H, W) in Lab units and bin logits (N, 261, H/4, W/4); H and W are multiples of 8."""
        ab, conv8_3 = self._pass(L, hint_ab, hint_mask, blend)
        weight, bias = self.model_class.parameters()
        # The cells in the gamut are chosen from the weights: half the work of choosing from the result.
        logits = F.conv2d(conv8_3, weight[self.cells], bias[self.cells])  # (N, 261, H/4, W/4)
        return Prediction(ab=ab, logits=logits)

    def regression(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor, blend: Blend | None = None) -> Tensor:
        """`ab` (N, 2, H, W) of `forward`, without running the class head."""
        return self._pass(L, hint_ab, hint_mask, blend)[0]

    def _pass(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor, blend: Blend | None) -> tuple[Tensor, Tensor]:
        tap = blend or (lambda name, feature: feature)
        hints = [hint_ab * hint_mask / AB_SCALE, hint_mask - self.mask_center]
        x = torch.cat([(L - 50) / 100, *hints], 1)  # (N, 4, H, W)
        conv1_2 = tap("conv1_2", self.model1(x))  # (N, 64, H, W)
        conv2_2 = tap("conv2_2", self.model2(conv1_2[:, :, ::2, ::2]))  # (N, 128, H/2, W/2)
        conv3_3 = tap("conv3_3", self.model3(conv2_2[:, :, ::2, ::2]))  # (N, 256, H/4, W/4)
        x = tap("conv4_3", self.model4(conv3_3[:, :, ::2, ::2]))  # (N, 512, H/8, W/8)
        x = tap("conv5_3", self.model5(x))  # (N, 512, H/8, W/8)
        x = tap("conv6_3", self.model6(x))  # (N, 512, H/8, W/8)
        x = tap("conv7_3", self.model7(x))  # (N, 512, H/8, W/8)
        x = tap("conv8_up", self.model8up(x) + self.model3short8(conv3_3))  # (N, 256, H/4, W/4)
        conv8_3 = tap("conv8_3", self.model8(x))  # (N, 256, H/4, W/4)
        x = tap("conv9_up", self.model9up(conv8_3) + self.model2short9(conv2_2))  # (N, 128, H/2, W/2)
        x = tap("conv9_3", self.model9(x))  # (N, 128, H/2, W/2)
        x = tap("conv10_up", self.model10up(x) + self.model1short10(conv1_2))  # (N, 128, H, W)
        x = tap("conv10_2", self.model10(x))  # (N, 128, H, W)
        return AB_SCALE * self.model_out(x), conv8_3
