"""A teacher that sees the colors: from the lightness, the network learns to foretell its features too.

"FitNets: Hints for Thin Deep Nets" (Romero et al., ICLR 2015). What a classifier of a million photos knows about
colored things says more than a photo's colors alone, and is harder to learn by heart.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..colorspace import lab_to_linear, linear_to_srgb
from ..networks.lite import Encoder

TAUGHT = {"e16": 2, "e32": 3}  # taps of `lite`, and the groups of the encoder that end there


class ColorTeacher:
    """Compares the features of a `lite` network in training with those of the ImageNet encoder on the color photo.

    `scaffold` holds what learns on the way between the two and is of no use afterwards.
    """

    def __init__(self, encoder: Encoder, device: torch.device):
        self.encoder = encoder.to(device).eval().requires_grad_(False)
        self.encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        bridges = {name: _Bridge(Encoder.channels[group]) for name, group in TAUGHT.items()}
        self.scaffold = nn.ModuleDict(bridges).to(device)

    def loss(self, features: Mapping[str, Tensor], L: Tensor, ab: Tensor) -> Tensor:
        """How far `features`, by tap, are from foretelling the teacher's: sum over the taps of the mean squared error,
        in standard deviations of each channel. L (N, 1, H, W) and the true ab (N, 2, H, W) are the color photo."""
        seen = self._features(L, ab)
        misses = []
        for name, bridge in self.scaffold.items():
            standard, foretold = bridge(seen[name].float(), features[name])
            misses.append(F.mse_loss(foretold.float(), standard))
        return torch.stack(misses).sum()

    @torch.no_grad()
    def _features(self, L: Tensor, ab: Tensor) -> dict[str, Tensor]:
        light = lab_to_linear(torch.cat([L, ab], 1).permute(0, 2, 3, 1)).clamp(0, 1)
        rgb = linear_to_srgb(light).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        x, groups = self.encoder.stem(100 * rgb), []
        for group in range(len(Encoder.groups)):
            x = self.encoder.group(group, x)
            groups.append(x)
        return {name: groups[group] for name, group in TAUGHT.items()}


class _Bridge(nn.Module):
    """Brings the teacher's feature to mean 0 and deviation 1 by channel, and the pupil's to it by one convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.standard = nn.BatchNorm2d(channels).requires_grad_(False)
        self.norm = nn.BatchNorm2d(channels)
        self.convolution = nn.Conv2d(channels, channels, 1)
        nn.init.eye_(self.convolution.weight.data[:, :, 0, 0])  # both come from the same weights

    def forward(self, seen: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
        return self.standard(seen), self.convolution(self.norm(feature))
