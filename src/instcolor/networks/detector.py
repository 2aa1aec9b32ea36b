"""The detector: lightness to objects of the 80 COCO classes, in one stage and without anchors.

Built as NanoDet-Plus-m-1.5x (RangiLyu, https://github.com/RangiLyu/nanodet, Apache-2.0): the encoder of "ShuffleNet V2:
Practical Guidelines for Efficient CNN Architecture Design" (Ma et al., ECCV 2018) at width 1.5, a feature pyramid of
the blocks of "GhostNet: More Features from Cheap Operations" (Han et al., CVPR 2020), and a light head for each stride
that answers as "Generalized Focal Loss" (Li et al., NeurIPS 2020) has it: an edge is a distribution over distances.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..colorspace import L_to_gray

STRIDES = (8, 16, 32, 64)
CLASSES, BINS = 80, 8
CHANNELS = 128  # of the pyramid
STEM, STAGES = 24, ((176, 4), (352, 8), (704, 4))  # channels and units of the encoder's stages
SLOPE = 0.1
RARE = -4.6  # logit of a class before any training: one cell in a hundred


class Detector(nn.Module):
    """`forward(L)`: (N, 1, H, W) lightness in 0..100 to (N, cells, 80 + 4 * 8); H and W are multiples of 32.

    Cells stand in the order of `cells`. A row is 80 class logits (no sigmoid), then, in strides, the distances from the
    cell's upper left corner to the left, top, right and bottom edge, each as 8 logits of a distribution over 0..7.
    """

    multiple = 32

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.pyramid = Pyramid([channels for channels, _ in STAGES])
        self.heads = nn.ModuleList(Head() for _ in STRIDES)

    def forward(self, L: Tensor) -> Tensor:
        """(N, 1, H, W) L* in 0..100 to (N, cells, 80 + 4 * 8) logits of classes and distances."""
        levels = zip(self.heads, self.pyramid(self.encoder(L)), strict=True)
        return torch.cat([head(feature).flatten(2) for head, feature in levels], 2).transpose(1, 2)


def cells(size: Sequence[int], device: torch.device | None = None) -> Tensor:
    """(cells, 3) column, row and stride of every cell of a picture of `size` (height, width).

    Stride after stride, each row by row.
    """
    height, width = size
    planes = []
    for stride in STRIDES:
        counts = -(-height // stride), -(-width // stride)  # the coarsest map may reach over the border
        y, x = torch.meshgrid(*(torch.arange(count, device=device) for count in counts), indexing="ij")
        planes.append(torch.stack([x.flatten(), y.flatten(), torch.full_like(x.flatten(), stride)], 1))
    return torch.cat(planes).float()


def boxes(distances: Tensor, places: Tensor) -> Tensor:
    """(..., cells, 32) logits of the distances at `places` (cells, 3) to (..., cells, 4) x0, y0, x1, y1 in pixels."""
    bins = torch.arange(BINS, dtype=distances.dtype, device=distances.device)
    reach = (distances.unflatten(-1, (4, BINS)).softmax(-1) * bins).sum(-1) * places[:, 2:]
    corner = places[:, :2] * places[:, 2:]
    return torch.cat([corner - reach[..., :2], corner + reach[..., 2:]], -1)


class Conv(nn.Module):
    """A convolution with BatchNorm and, where `active`, leaky ReLU.

    Where the statistics are frozen they go into the weights, which saves passes over the map and its gradient. A
    channelwise convolution stays float32 on a CPU, where bfloat16 is slower for it.
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, *, active: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(c_out)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H / stride, W / stride)."""
        if self.conv.groups > 1 and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                x = self._convolved(x.float())
        else:
            x = self._convolved(x)
        return F.leaky_relu(x, SLOPE, inplace=True) if self.active else x

    def _convolved(self, x: Tensor) -> Tensor:
        conv, norm = self.conv, self.norm
        if norm.training:
            answer: Tensor = norm(conv(x))
            return answer
        weight, bias = self.folded()
        return F.conv2d(x, weight, bias, conv.stride, conv.padding, 1, conv.groups)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias that do what convolution and BatchNorm do, with its statistics as they are."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        return self.conv.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


def pointwise(c_in: int, c_out: int, *, active: bool = True) -> Conv:
    """A 1 x 1 convolution across channels."""
    return Conv(c_in, c_out, 1, active=active)


def depthwise(channels: int, kernel: int, stride: int = 1, *, active: bool = False) -> Conv:
    """A convolution of each channel by itself; without an activation unless `active`."""
    return Conv(channels, channels, kernel, stride, channels, active=active)


def separable(channels: int, stride: int = 1) -> nn.Sequential:
    """5x5 channel by channel, then across channels."""
    return nn.Sequential(depthwise(channels, 5, stride, active=True), pointwise(channels, channels))


def _shuffled(first: Tensor, second: Tensor) -> Tensor:
    """Two maps as one, their channels in turn."""
    return torch.stack([first, second], 2).flatten(1, 2)


class Down(nn.Module):
    """Halves a map; both branches see all channels."""

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        c = c_out // 2
        self.short = nn.Sequential(depthwise(c_in, 3, 2), pointwise(c_in, c))
        self.long = nn.Sequential(pointwise(c_in, c), depthwise(c, 3, 2), pointwise(c, c))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H/2, W/2)."""
        return _shuffled(self.short(x), self.long(x))


class Unit(nn.Module):
    """Half of the channels pass, the other half is worked on."""

    def __init__(self, channels: int):
        super().__init__()
        c = channels // 2
        self.long = nn.Sequential(pointwise(c, c), depthwise(c, 3), pointwise(c, c))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c, H, W) to the same shape, its channels shuffled so that the halves meet in the next unit."""
        passing, worked = x.split(x.shape[1] // 2, 1)
        return _shuffled(passing, self.long(worked))


class Encoder(nn.Module):
    """(N, 1, H, W) L* to maps of 176, 352 and 704 channels at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        # the second plane is one everywhere: beyond the border, where both are zero, is thus not a gray of its own
        self.stem = Conv(2, STEM, 3, 2)
        stages, c_in = [], STEM
        for channels, units in STAGES:
            stages.append(nn.Sequential(Down(c_in, channels), *(Unit(channels) for _ in range(units - 1))))
            c_in = channels
        self.stages = nn.ModuleList(stages)

    def forward(self, L: Tensor) -> list[Tensor]:
        """The maps, finest first."""
        gray = 2 * L_to_gray(L) - 1
        x = F.max_pool2d(self.stem(torch.cat([gray, torch.ones_like(gray)], 1)), 3, 2, 1)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class Ghost(nn.Module):
    """Half of the channels computed, the other half derived from each of those alone."""

    def __init__(self, c_in: int, c_out: int, *, active: bool):
        super().__init__()
        self.primary = pointwise(c_in, c_out // 2, active=active)
        self.cheap = depthwise(c_out // 2, 3, active=active)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H, W)."""
        x = self.primary(x)
        return torch.cat([x, self.cheap(x)], 1)


class Merge(nn.Module):
    """Two maps of the pyramid to one."""

    def __init__(self) -> None:
        super().__init__()
        c = 2 * CHANNELS
        self.ghosts = nn.Sequential(Ghost(c, CHANNELS, active=True), Ghost(CHANNELS, CHANNELS, active=False))
        self.short = nn.Sequential(depthwise(c, 5), pointwise(c, CHANNELS, active=False))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Two maps of one shape (N, c, H, W) to one of the same shape."""
        x = torch.cat([first, second], 1)
        answer: Tensor = self.ghosts(x) + self.short(x)
        return answer


class Pyramid(nn.Module):
    """The encoder's maps to 128 channels at strides 8, 16, 32 and 64, each informed by all others."""

    def __init__(self, channels: list[int]):
        super().__init__()
        self.reduce = nn.ModuleList(pointwise(c, CHANNELS) for c in channels)
        steps = len(channels) - 1
        self.top_down, self.bottom_up = (nn.ModuleList(Merge() for _ in range(steps)) for _ in range(2))
        self.down = nn.ModuleList(separable(CHANNELS, 2) for _ in range(steps))
        self.extra = nn.ModuleList(separable(CHANNELS, 2) for _ in range(2))  # to stride 64

    def forward(self, maps: list[Tensor]) -> Iterator[Tensor]:
        """The four maps (N, 128, H/s, W/s), finest first."""
        x = coarsest = self.reduce[-1](maps[-1])
        inner = [x]
        for merge, reduce, feature in zip(self.top_down, self.reduce[-2::-1], maps[-2::-1], strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = merge(x, reduce(feature))
            inner.append(x)
        yield inner.pop()
        for merge, down in zip(self.bottom_up, self.down, strict=True):
            x = merge(down(x), inner.pop())
            yield x
        yield self.extra[0](coarsest) + self.extra[1](x)


class Head(nn.Sequential):
    """One stride's answers."""

    def __init__(self) -> None:
        answer = nn.Conv2d(CHANNELS, CLASSES + 4 * BINS, 1)
        nn.init.normal_(answer.weight, std=0.01)
        assert answer.bias is not None
        nn.init.zeros_(answer.bias)
        nn.init.constant_(answer.bias[:CLASSES], RARE)
        super().__init__(separable(CHANNELS), separable(CHANNELS), answer)
