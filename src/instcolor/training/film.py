"""What old film and old paper do to lightness: random spectral mix, tone, fading, blur and grain.

Applies to the network's input only; the color target stays clean.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .draws import Draws

PANCHROMATIC = (0.2126, 0.7152, 0.0722)  # sees as we do
ORTHOCHROMATIC = (0.0, 0.55, 0.45)  # blind to red: lips and skin dark, skies white
BLUE_SENSITIVE = (0.0, 0.1, 0.9)  # the oldest plates
GRAIN_SIGMA = 0.7  # pixels, of the coarser grain


def lightness(luminance: Tensor) -> Tensor:
    """Relative luminance 0..1 to L* 0..100, any shape."""
    return torch.where(luminance > 0.008856, 116 * luminance.clamp(min=0.008856) ** (1 / 3) - 16, luminance * 903.3)


def film_lightness(linear: Tensor, draws: Draws) -> Tensor:
    """(N, 3, H, W) linear sRGB light to (N, 1, H, W) L* as an old photograph of it would have."""
    n, _, h, w = linear.shape
    plates = torch.where(draws.chance(0.8), torch.tensor(ORTHOCHROMATIC), torch.tensor(BLUE_SENSITIVE))
    t = draws.uniform(0, 1)
    mix = (1 - t) * torch.tensor(PANCHROMATIC) + t * plates  # (N, 1, 1, 3)
    mix = mix * draws.uniform(0.85, 1.15, 3)
    mix = (mix / mix.sum(-1, keepdim=True)).view(n, 3, 1, 1)
    L = lightness((linear * mix).sum(1, keepdim=True).clamp(0, 1))
    L = 100 * (L / 100).clamp(min=1e-4) ** draws.uniform(0.75, 1.35)
    black, white = draws.uniform(0, 18), draws.uniform(82, 100)
    L = black + L * (white - black) / 100
    L = blur(L, draws.uniform(0, 1.2))
    grain = draws.normal(1, h, w)
    # at this radius the blur keeps less than half of the noise's strength
    coarse = blur(grain, torch.full((n, 1, 1, 1), GRAIN_SIGMA)) * 2
    grain = torch.where(draws.chance(0.5), grain, coarse)
    return (L + grain * draws.uniform(0, 5)).clamp(0, 100)


def blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur of (N, 1, H, W) with one sigma (N, 1, 1, 1) a picture, in pixels; radius 2."""
    taps = torch.arange(-2, 3, dtype=x.dtype)
    kernel = torch.exp(-(taps**2) / (2 * sigma.view(-1, 1).clamp(min=0.05) ** 2))
    kernel = kernel / kernel.sum(1, keepdim=True)  # (N, 5)
    n = len(x)
    x = F.pad(x, (2, 2, 2, 2), mode="replicate").transpose(0, 1)  # (1, N, H + 4, W + 4)
    x = F.conv2d(x, kernel.view(n, 1, 5, 1), groups=n)
    return F.conv2d(x, kernel.view(n, 1, 1, 5), groups=n).transpose(0, 1)
