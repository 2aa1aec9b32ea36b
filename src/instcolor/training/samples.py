"""From stored photos to batches: crops, flips, lightness true or old, hints."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..colorspace import linear_to_lab, srgb_to_linear
from .film import film_lightness
from .hints import sample_hints
from .photos import PhotoStore

LINEAR = torch.from_numpy(srgb_to_linear(np.arange(256, dtype=np.float32) / 255))
MIN_OBJECT = 12.0  # pixels of the stored photo; smaller boxes teach nothing
SURROUNDINGS = 0.25  # of the box, on each side, that an object's crop shows beside it
INSIDE_WEIGHT, OUTSIDE_WEIGHT = 1.0, 0.3  # in the loss of an object's crop


class Batch(NamedTuple):
    L: Tensor  # (N, 1, H, W)
    hint_ab: Tensor  # (N, 2, H, W)
    hint_mask: Tensor  # (N, 1, H, W)
    ab: Tensor  # (N, 2, H, W), the truth
    weight: Tensor | None = None  # (N, 1, H, W), of each pixel in the loss


def lightness_and_color(rgb: Tensor, film_share: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(N, H, W, 3) sRGB bytes to L (N, 1, H, W), a `film_share` of them as old film saw it, and true ab (N, 2, H, W)."""
    linear = LINEAR[rgb.long()]
    lab = linear_to_lab(linear).permute(0, 3, 1, 2).contiguous()
    L, ab = lab[:, :1], lab[:, 1:]
    old = torch.from_numpy(rng.random(len(rgb)) < film_share)
    if old.any():
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        L = L.clone()
        L[old] = film_lightness(linear[old].permute(0, 3, 1, 2), generator)
    return L, ab


def random_crop(rgb: NDArray[np.uint8], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A near-square part of 60 to 100 % of the short side, perhaps mirrored, brought to (size, size)."""
    h, w = rgb.shape[:2]
    side = min(h, w) * rng.uniform(0.6, 1.0)
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    crop_w, crop_h = min(w, side * stretch), min(h, side / stretch)
    x, y = rng.uniform(0, w - crop_w), rng.uniform(0, h - crop_h)
    return _resize(rgb, (x, y, x + crop_w, y + crop_h), size, rng.random() < 0.5)


def _resize(rgb: NDArray[np.uint8], box: tuple[float, float, float, float], size: int, flip: bool) -> NDArray[np.uint8]:
    # Pillow copies the whole array: hand it only the part that is needed
    x0, y0 = int(box[0]), int(box[1])
    part = rgb[y0 : int(np.ceil(box[3])), x0 : int(np.ceil(box[2]))]
    inner = (box[0] - x0, box[1] - y0, min(box[2] - x0, part.shape[1]), min(box[3] - y0, part.shape[0]))
    out = np.asarray(Image.fromarray(part).resize((size, size), Image.Resampling.BILINEAR, inner))
    return out[:, ::-1] if flip else out


class FullSamples:
    """Stage 1: parts of whole photos."""

    def __init__(self, store: PhotoStore, film_share: float, hint_share: float):
        self.store, self.film_share, self.hint_share = store, film_share, hint_share

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> Batch:
        rgb = torch.from_numpy(np.stack([random_crop(self.store[i], size, rng) for i in indices]))
        L, ab = lightness_and_color(rgb, self.film_share, rng)
        hint_ab, hint_mask = sample_hints(ab, self.hint_share, rng)
        return Batch(L, hint_ab, hint_mask, ab)


def with_surroundings(
    box: tuple[float, float, float, float], size: tuple[int, int], share: float = SURROUNDINGS
) -> tuple[float, float, float, float]:
    """The box grown by `share` of its sides each way, cut at a photo of `size` (width, height)."""
    x0, y0, x1, y1 = box
    dx, dy = share * (x1 - x0), share * (y1 - y0)
    return max(0.0, x0 - dx), max(0.0, y0 - dy), min(float(size[0]), x1 + dx), min(float(size[1]), y1 + dy)
