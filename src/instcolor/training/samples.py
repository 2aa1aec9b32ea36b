"""From stored photos to batches: crops, flips, lightness true or old, hints."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..colorspace import linear_to_lab, srgb_to_linear
from ..hints import Hints
from ..runtime.inputs import Inputs, crop_boxes, prepare
from .film import film_lightness
from .hints import sample_hints
from .photos import PhotoStore

LINEAR = torch.from_numpy(srgb_to_linear(np.arange(256, dtype=np.float32) / 255))
MIN_SCORE = 0.35  # of a box to learn from
MIN_OBJECT = 12.0  # pixels of the stored photo; smaller boxes teach nothing
INSIDE_WEIGHT, OUTSIDE_WEIGHT = 1.0, 0.3  # in the loss of an object's crop


class Batch(NamedTuple):
    L: Tensor  # (N, 1, H, W)
    hint_ab: Tensor  # (N, 2, H, W)
    hint_mask: Tensor  # (N, 1, H, W)
    ab: Tensor  # (N, 2, H, W), the truth
    weight: Tensor | None = None  # (N, 1, H, W), of each pixel in the loss


def lightness_and_color(rgb: Tensor, film_share: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(N, H, W, 3) sRGB bytes to L (N, 1, H, W) and true ab (N, 2, H, W); a `film_share` of L is as old film saw it."""
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

    def __len__(self) -> int:
        return len(self.store)

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> Batch:
        rgb = torch.from_numpy(np.stack([random_crop(self.store[i], size, rng) for i in indices]))
        L, ab = lightness_and_color(rgb, self.film_share, rng)
        hint_ab, hint_mask = sample_hints(ab, self.hint_share, rng)
        return Batch(L, hint_ab, hint_mask, ab)


def trusted(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of boxes (k, 5) x0, y0, x1, y1, score those that are likely right and large enough to learn from."""
    sides = rows[:, 2:4] - rows[:, :2]
    return rows[(rows[:, 4] >= MIN_SCORE) & (sides.min(1, initial=np.inf) >= MIN_OBJECT)]


class InstanceSamples:
    """Stage 2: one random object of a photo with its surroundings, squashed to a square."""

    def __init__(self, store: PhotoStore, film_share: float, hint_share: float):
        self.store, self.film_share, self.hint_share = store, film_share, hint_share
        self.boxes = [trusted(rows) for rows in store.boxes]
        self.photos = np.flatnonzero([len(rows) for rows in self.boxes])

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> Batch:
        pictures, weights = [], []
        for photo in self.photos[indices]:
            rgb = self.store[photo]
            rows = self.boxes[photo]
            box = rows[rng.integers(len(rows)), :4]
            box = box + rng.normal(0, 0.04, 4) * np.tile(box[2:] - box[:2], 2)
            box = np.clip(box, 0, np.tile(rgb.shape[1::-1], 2))
            crop = crop_boxes(box[None].astype(np.float32), (rgb.shape[1], rgb.shape[0]))[0]
            flip = rng.random() < 0.5
            pictures.append(_resize(rgb, tuple(crop), size, flip))
            weights.append(_inside(box, crop, size, flip))
        L, ab = lightness_and_color(torch.from_numpy(np.stack(pictures)), self.film_share, rng)
        hint_ab, hint_mask = sample_hints(ab, self.hint_share, rng)
        return Batch(L, hint_ab, hint_mask, ab, torch.from_numpy(np.stack(weights))[:, None])


def _inside(box: NDArray[np.floating], crop: NDArray[np.floating], size: int, flip: bool) -> NDArray[np.float32]:
    """(size, size) weight of each pixel of a crop: more inside the object's box."""
    start = (box[:2] - crop[:2]) / (crop[2:] - crop[:2]) * size
    end = (box[2:] - crop[:2]) / (crop[2:] - crop[:2]) * size
    x0, y0, x1, y1 = (int(np.clip(np.rint(v), 0, size)) for v in (*start, *end))
    plane = np.full((size, size), OUTSIDE_WEIGHT, np.float32)
    plane[y0:y1, x0:x1] = INSIDE_WEIGHT
    return plane[:, ::-1].copy() if flip else plane


class PhotoWithObjects(NamedTuple):
    """One photo, its objects and the truth, as stage 3 takes them."""

    inputs: Inputs
    ab: Tensor  # (1, 2, H, W), the truth


class FusionSamples:
    """Stage 3: whole photos with up to eight objects cropped from the stored size."""

    def __init__(self, store: PhotoStore, film_share: float, hint_share: float, instance_size: int, limit: int = 8):
        self.store, self.film_share, self.hint_share = store, film_share, hint_share
        self.instance_size, self.limit = instance_size, limit
        self.boxes = [trusted(rows) for rows in store.boxes]
        self.photos = np.flatnonzero([len(rows) for rows in self.boxes])

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[PhotoWithObjects]:
        return [self.photo(int(i), size, rng) for i in self.photos[indices]]

    def photo(self, index: int, size: int, rng: np.random.Generator) -> PhotoWithObjects:
        rgb, rows = self.store[index], self.boxes[index]
        height, width = rgb.shape[:2]
        if rng.random() < 0.5:
            rgb = rgb[:, ::-1]
            rows = np.concatenate([width - rows[:, [2]], rows[:, [1]], width - rows[:, [0]], rows[:, 3:]], 1)
        rows = rng.permutation(rows)[: rng.integers(1, self.limit + 1)]
        boxes = rows[:, :4] + rng.normal(0, 0.02, (len(rows), 4)) * np.tile(rows[:, 2:4] - rows[:, :2], 2)
        boxes = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
        L, ab = lightness_and_color(torch.from_numpy(rgb.copy())[None], self.film_share, rng)
        hint_ab, hint_mask = sample_hints(ab, self.hint_share, rng)
        inputs = prepare(L[0, 0].numpy(), boxes, (size, size), self.instance_size, _points(hint_ab, hint_mask))
        return PhotoWithObjects(inputs, F.interpolate(ab, (size, size), mode="bilinear", antialias=True))


def _points(hint_ab: Tensor, hint_mask: Tensor) -> Hints:
    """The hinted pixels of planes (1, 2, H, W) and (1, 1, H, W) as points."""
    y, x = torch.nonzero(hint_mask[0, 0], as_tuple=True)
    return Hints(torch.cat([x[:, None] + 0.5, y[:, None] + 0.5, hint_ab[0, :, y, x].T], 1).numpy())
