"""What years, printing presses and scanners do to lightness. Applies to the network's input only.

Every function takes L (N, 1, H, W), 0..100, and gives the same; the color to be learned stays the clean photo's.
"""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

from .config import Augmentation
from .draws import Draws
from .film import film_lightness


def aged(L: Tensor, linear: Tensor, augmentation: Augmentation, draws: Draws) -> Tensor:
    """L of some photos of a batch as it would be in an old print; `linear` (N, H, W, 3) is their light.

    Whether a photo gets something is drawn for each photo and each thing, in the order of a print's life.
    """
    steps = (
        (augmentation.lightness, scanned),
        (augmentation.film, lambda _, d, chosen: film_lightness(linear[chosen].permute(0, 3, 1, 2), d)),
        (augmentation.vignette, vignetted),
        (augmentation.coarse, enlarged),
        (augmentation.halftone, halftone),
        (augmentation.scratches, scratched),
        (augmentation.jpeg, compressed),
    )
    for share, step in steps:
        chosen = draws.chance(share).flatten()
        if chosen.any():
            L = L.clone()
            some = Draws([rng for rng, is_chosen in zip(draws.rngs, chosen.tolist(), strict=True) if is_chosen])
            L[chosen] = step(L[chosen], some, chosen)
    return L


def scanned(L: Tensor, draws: Draws, _: Tensor) -> Tensor:
    """Gamma and the two ends of the scale a little off."""
    L = 100 * (L / 100).clamp(min=1e-4) ** torch.exp(draws.uniform(-0.25, 0.25))
    black, white = draws.uniform(-6, 10), draws.uniform(90, 106)
    return (black + L * (white - black) / 100).clamp(0, 100)


def vignetted(L: Tensor, draws: Draws, _: Tensor) -> Tensor:
    """Darker towards the edges, as lenses have it, or fading into the pale paper, as portraits were printed."""
    h, w = L.shape[2:]
    y, x = torch.linspace(-1, 1, h)[:, None], torch.linspace(-1, 1, w)
    x0, y0 = draws.uniform(-0.2, 0.2), draws.uniform(-0.2, 0.2)
    distance = ((x - x0).square() + (y - y0).square()).sqrt()
    share = ((distance - draws.uniform(0.3, 0.9)) / draws.uniform(0.4, 1.2)).clamp(0, 1)
    tone = torch.where(draws.chance(0.6), draws.uniform(0, 20), draws.uniform(85, 100))
    return L.lerp(tone.expand_as(L), share.square() * draws.uniform(0.2, 0.9))


def enlarged(L: Tensor, draws: Draws, _: Tensor) -> Tensor:
    """Made small, to a half or a fifth of its sides, and large again."""
    out = []
    for plane, share in zip(L, draws.uniform(0.2, 0.5).flatten().tolist(), strict=True):
        size = [max(1, round(side * share)) for side in plane.shape[1:]]
        small = F.interpolate(plane[None], size, mode="bilinear", antialias=True)
        out.append(F.interpolate(small, plane.shape[1:], mode="bilinear")[0])
    return torch.stack(out)


def halftone(L: Tensor, draws: Draws, _: Tensor) -> Tensor:
    """Printed in dots on a turned grid, more or less visible, as newspapers and postcards were."""
    h, w = L.shape[2:]
    y, x = torch.arange(h, dtype=L.dtype)[:, None], torch.arange(w, dtype=L.dtype)
    frequency, angle = 2 * torch.pi / draws.uniform(2.5, 5), draws.uniform(0.2, 1.4)
    u, v = frequency * (x * angle.cos() + y * angle.sin()), frequency * (y * angle.cos() - x * angle.sin())
    dots = 100 * torch.sigmoid(draws.uniform(2, 6) * (L / 50 - 1 + u.cos() * v.cos()))
    return L.lerp(dots, draws.uniform(0.1, 0.4))


def scratched(L: Tensor, draws: Draws, _: Tensor) -> Tensor:
    """Long scratches, hairs and dust, light or dark."""
    planes = np.stack([_marks(rng, L.shape[2], L.shape[3]) for rng in draws.rngs])
    tone = torch.where(draws.chance(0.7), draws.uniform(85, 100), draws.uniform(0, 15))
    return L.lerp(tone, torch.from_numpy(planes)[:, None] * draws.uniform(0.4, 1))


def _marks(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """(height, width) 0..1, where a print is damaged."""
    plane = Image.new("L", (width, height))
    pen = ImageDraw.Draw(plane)
    for _ in range(rng.integers(0, 4)):  # scratches: long, nearly upright
        x, lean = rng.uniform(0, width), rng.normal(0, 0.05) * height
        y0, y1 = np.sort(rng.uniform(-0.3, 1.3, 2)) * height
        pen.line([(x, y0), (x + lean, y1)], int(rng.integers(120, 256)))
    for _ in range(rng.integers(0, 4)):  # hairs: short, bent
        start, turn = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, 2 * np.pi)
        angles = turn + np.cumsum(rng.normal(0, 0.35, 8))
        steps = np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(0.01, 0.04) * max(width, height)
        pen.line([tuple(point) for point in start + np.cumsum(steps, 0)], int(rng.integers(120, 256)))
    for x, y in rng.uniform(0, 1, (rng.integers(0, 30), 2)) * (width, height):  # dust
        r = rng.exponential(0.6)
        pen.ellipse((x - r, y - r, x + r, y + r), int(rng.integers(120, 256)))
    plane = plane.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.6)))
    return np.asarray(plane, np.float32) / np.float32(255)


def compressed(L: Tensor, draws: Draws, _: Tensor) -> Tensor:
    """Through a JPEG of low quality."""
    out = []
    for plane, rng in zip((L * 2.55).round().clamp(0, 255).byte().numpy(), draws.rngs, strict=True):
        file = io.BytesIO()
        Image.fromarray(plane[0]).save(file, "JPEG", quality=int(rng.integers(8, 45)))
        out.append(np.asarray(Image.open(file, formats=("JPEG",)), np.float32)[None] / 2.55)
    return torch.from_numpy(np.stack(out))
