"""The `lite` color network: EfficientNet-Lite2 encoder, light decoder with skips, answers at stride 4.

Encoder: "EfficientNet: Rethinking Model Scaling" (Tan & Le, ICML 2019) in the Lite variant (no squeeze-excite,
ReLU6); parameter names as in timm's `tf_efficientnet_lite2`, so its ImageNet weights load as they are.
Role of the network, its hints and its two outputs: "Real-Time User-Guided Image Colorization" (Zhang et al.,
SIGGRAPH 2017) and "Instance-aware Image Colorization" (Su et al., CVPR 2020, section 3).

Shapes below are for an input of (N, 1, H, W) with H and W multiples of 32.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..bins import BIN_COUNT
from .backbone import Blend, Prediction, Tap

# (blocks, kernel, stride of the first block, expansion, channels) of stages 0..6, width 1.1, depth 1.2
Stage = tuple[int, int, int, int, int]
STAGES: tuple[Stage, ...] = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)
STEM = 32
BN_EPS = 1e-3


class SameConv(nn.Conv2d):
    """Convolution without bias, padded as TensorFlow's SAME at even sizes: at stride 2 the odd pixel goes right and
    below."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(c_in, c_out, kernel, stride, (kernel - stride + 1) // 2, groups=groups, bias=False)
        self.before, self.after = (kernel - stride) // 2, (kernel - stride + 1) // 2

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H / stride, W / stride)."""
        if self.groups > 1 and torch.is_autocast_enabled("cpu"):  # bf16 depthwise is slower than float32 there
            with torch.autocast("cpu", enabled=False):
                return self._convolve(x.float())
        return self._convolve(x)

    def _convolve(self, x: Tensor) -> Tensor:
        if self.before == self.after:
            return super().forward(x)
        x = F.pad(x, (self.before, self.after, self.before, self.after))
        return F.conv2d(x, self.weight, None, self.stride, 0, 1, self.groups)


class DropPath(nn.Module):
    """In training leaves a residual branch out for a `rate` of the samples and enlarges it for the others, so that
    its mean stays ("Deep Networks with Stochastic Depth", Huang et al., ECCV 2016)."""

    rate = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """A branch (N, C, H, W), in training with some of its N samples silent; else as it is."""
        if not self.training or not self.rate:
            return x
        kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.rate
        return x * (kept / (1 - self.rate)).to(x.dtype)


class DepthwiseSeparable(nn.Module):
    """A convolution a channel, then one across channels: the block of the first stage, which does not expand."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int):
        super().__init__()
        self.conv_dw = SameConv(c_in, c_in, kernel, stride, groups=c_in)
        self.bn1 = nn.BatchNorm2d(c_in, eps=BN_EPS)
        self.conv_pw = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out, eps=BN_EPS)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H, W)."""
        y = F.relu6(self.bn1(self.conv_dw(x)))
        y = self.bn2(self.conv_pw(y))
        answer: Tensor = x + y if self.residual else y
        return answer


class InvertedResidual(nn.Module):
    """Expanded, convolved channel by channel, and narrowed again without an activation (MobileNetV2's block)."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        c = c_in * expansion
        self.conv_pw = nn.Conv2d(c_in, c, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c, eps=BN_EPS)
        self.conv_dw = SameConv(c, c, kernel, stride, groups=c)
        self.bn2 = nn.BatchNorm2d(c, eps=BN_EPS)
        self.conv_pwl = nn.Conv2d(c, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out, eps=BN_EPS)
        self.residual = stride == 1 and c_in == c_out
        self.drop_path = DropPath()

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H / stride, W / stride)."""
        y = F.relu6(self.bn1(self.conv_pw(x)))
        y = F.relu6(self.bn2(self.conv_dw(y)))
        y = self.bn3(self.conv_pwl(y))
        answer: Tensor = x + self.drop_path(y) if self.residual else y
        return answer


class Encoder(nn.Module):
    """L* to features of 24, 48, 120 and 352 channels at strides 4, 8, 16 and 32, one stage group at a time.

    With three `planes` it is ImageNet's own and takes sRGB, 0..100 as L* has it. Fewer `stages`, or shorter ones, are
    the beginning of it.
    """

    channels = (24, 48, 120, 352)
    groups = ((0, 1), (2,), (3, 4), (5, 6))  # stages that lead to each of the four features

    def __init__(self, planes: int = 1, stages: Sequence[Stage] = STAGES) -> None:
        super().__init__()
        self.conv_stem = SameConv(planes, STEM, 3, 2)
        self.bn1 = nn.BatchNorm2d(STEM, eps=BN_EPS)
        built, c_in = [], STEM
        for count, kernel, stride, expansion, c_out in stages:
            blocks: list[nn.Module] = []
            for i in range(count):
                s = stride if i == 0 else 1
                if expansion == 1:
                    blocks.append(DepthwiseSeparable(c_in, c_out, kernel, s))
                else:
                    blocks.append(InvertedResidual(c_in, c_out, kernel, s, expansion))
                c_in = c_out
            built.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*built)

    def stem(self, L: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 to the map that the first group takes; ImageNet's normalization makes it -1..1."""
        return F.relu6(self.bn1(self.conv_stem(L / 50 - 1)))  # (N, 32, H/2, W/2)

    def group(self, index: int, x: Tensor) -> Tensor:
        """Stem or feature `index - 1` to feature `index` (0..3): (N, channels[index], H/s, W/s), s 4, 8, 16 or 32."""
        for stage in self.groups[index]:
            if stage < len(self.blocks):
                x = self.blocks[stage](x)
        return x

    def load_imagenet(self, state: dict[str, Tensor]) -> None:
        """Takes timm's `tf_efficientnet_lite2` weights; where L* comes in, the stem's three colors become one plane.

        Raises ValueError where one is missing or is not among this encoder's; head and classifier are left out.
        """
        own = {k: v.float() for k, v in state.items() if not k.startswith(("conv_head", "bn2.", "classifier"))}
        own = {k: v for k, v in own.items() if not self._is_beyond(k)}
        if "conv_stem.weight" in own and self.conv_stem.in_channels == 1:
            own["conv_stem.weight"] = own["conv_stem.weight"].sum(1, keepdim=True)
        missing, unexpected = self.load_state_dict(own, strict=False)
        missing = [k for k in missing if not k.endswith("num_batches_tracked")]
        if missing or unexpected:
            raise ValueError(f"not tf_efficientnet_lite2 weights: missing {missing[:3]}, unexpected {unexpected[:3]}")

    def _is_beyond(self, key: str) -> bool:
        """Whether a tensor belongs to a block of the whole encoder that this one leaves out."""
        match = re.match(r"blocks\.(\d+)\.(\d+)\.", key)
        if match is None:
            return False
        stage, block = int(match[1]), int(match[2])
        own = [len(list(blocks.children())) for blocks in self.blocks.children()]
        return stage < len(STAGES) and (own[stage] if stage < len(own) else 0) <= block < STAGES[stage][0]


class Hints(nn.Module):
    """Sparse colors, averaged over the hinted pixels of each cell, as features to add at a stride."""

    def __init__(self, stride: int, c_out: int):
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, c_out, 1)
        for parameter in self.conv2.parameters():  # without training, hints change nothing
            nn.init.zeros_(parameter)

    def forward(self, ab: Tensor, mask: Tensor) -> Tensor:
        """`ab` (N, 2, H, W) in Lab units and `mask` (N, 1, H, W) to features (N, C, H / stride, W / stride)."""
        count = F.avg_pool2d(mask, self.stride)
        mean = F.avg_pool2d(ab * mask, self.stride) / (count + 1e-6)
        cells = torch.cat([mean / 110, (count > 0).to(mean)], 1)  # (N, 3, H/stride, W/stride)
        answer: Tensor = self.conv2(F.relu(self.conv1(cells)))
        return answer


class Up(nn.Module):
    """One decoder step: the coarse map doubled plus the skip, then 3x3 convolutions."""

    def __init__(self, c_in: int, c_skip: int, c_out: int, convs: int):
        super().__init__()
        self.coarse = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.skip = nn.Conv2d(c_skip, c_out, 1, bias=False)
        self.bn = nn.BatchNorm2d(c_out)
        self.convs = nn.ModuleList(nn.Conv2d(c_out, c_out, 3, padding=1, bias=False) for _ in range(convs))
        self.bns = nn.ModuleList(nn.BatchNorm2d(c_out) for _ in range(convs))
        self.drop_path = DropPath()

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """A map (N, c_in, h, w) and the skip (N, c_skip, 2h, 2w) to (N, c_out, 2h, 2w)."""
        x = F.interpolate(self.coarse(x), scale_factor=2, mode="bilinear", align_corners=False)
        x = F.relu(self.bn(x + self.skip(skip)))
        for i, (conv, bn) in enumerate(zip(self.convs, self.bns, strict=True)):
            y = bn(conv(x))
            x = F.relu(x + self.drop_path(y) if i else y)
        return x


class Lite(nn.Module):
    """`lite`: (N, 1, H, W) lightness to ab and bin logits at (H/4, W/4).

    `forward(L, hint_ab, hint_mask, blend=None)`: L in 0..100, hint_ab (N, 2, H, W) in Lab units, hint_mask
    (N, 1, H, W) 0 or 1. `blend(name, feature) -> feature` is called at every one of `taps`, in order.
    """

    taps: tuple[Tap, ...] = (
        Tap("e4", 24, 4),
        Tap("e8", 48, 8),
        Tap("e16", 120, 16),
        Tap("e32", 352, 32),
        Tap("d16", 256, 16),
        Tap("d8", 160, 8),
        Tap("d4", 96, 4),
    )
    multiple = 32
    stride = 4
    logits_stride = 4

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.hints32 = Hints(32, 352)  # the coarser the map, the further a hint reaches
        self.hints16 = Hints(16, 120)
        self.hints8 = Hints(8, 48)
        self.hints4 = Hints(4, 96)
        self.up16 = Up(352, 120, 256, convs=2)
        self.up8 = Up(256, 48, 160, convs=2)
        self.up4 = Up(160, 24, 96, convs=1)
        self.head_ab = nn.Conv2d(96, 2, 1)
        self.head_bins = nn.Conv2d(96, BIN_COUNT, 1)
        for parameter in self.head_ab.parameters():  # starts from gray
            nn.init.normal_(parameter, std=1e-3)

    def forward(self, L: Tensor, hint_ab: Tensor, hint_mask: Tensor, blend: Blend | None = None) -> Prediction:
        """ab (N, 2, H/4, W/4) in Lab units and bin logits (N, 261, H/4, W/4); H and W are multiples of 32."""
        tap = blend or (lambda name, feature: feature)
        e4 = tap("e4", self.encoder.group(0, self.encoder.stem(L)))  # (N, 24, H/4, W/4)
        e8 = self.encoder.group(1, e4) + self.hints8(hint_ab, hint_mask)
        e8 = tap("e8", e8)  # (N, 48, H/8, W/8)
        e16 = self.encoder.group(2, e8) + self.hints16(hint_ab, hint_mask)
        e16 = tap("e16", e16)  # (N, 120, H/16, W/16)
        e32 = self.encoder.group(3, e16) + self.hints32(hint_ab, hint_mask)
        e32 = tap("e32", e32)  # (N, 352, H/32, W/32)
        d16 = tap("d16", self.up16(e32, e16))  # (N, 256, H/16, W/16)
        d8 = tap("d8", self.up8(d16, e8))  # (N, 160, H/8, W/8)
        d4 = self.up4(d8, e4) + self.hints4(hint_ab, hint_mask)
        d4 = tap("d4", d4)  # (N, 96, H/4, W/4)
        return Prediction(ab=110 * torch.tanh(self.head_ab(d4)), logits=self.head_bins(d4))
