"""Parts of photos with the objects on them, looking old more often than not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...colorspace import linear_to_lab
from ..config import Augmentation, Config
from ..damage import aged
from ..draws import Draws, Rngs
from ..photos import PhotoStore
from ..samples import LINEAR, MIN_SCORE

LEAST_VISIBLE = 0.3  # of an object's area; one that a crop leaves less of is neither learned nor held to be nothing
LEAST_SIDE = 4.0  # pixels of the network's input; the same holds for smaller objects


class DetectionBatch(NamedTuple):
    """N parts of photos, S x S pixels, lightness in 0..100."""

    L: Tensor  # (N, 1, S, S), some of it aged
    clean: Tensor  # (N, 1, S, S)
    objects: list[Tensor]  # N x (k, 6): x0, y0, x1, y1 in pixels of the input, score, class
    doubtful: list[Tensor]  # as above: what may be there


class DetectionSamples:
    """Photos, squashed to a square, with all that was found on them."""

    def __init__(self, store: PhotoStore, config: Config):
        self.store, self.augmentation = store, config.augmentation

    def __len__(self) -> int:
        return len(self.store)

    def batch(self, indices: NDArray[np.int64], size: int, rngs: Rngs) -> DetectionBatch:
        pictures, objects, doubtful = [], [], []
        for index, rng in zip(indices, rngs, strict=True):
            picture, rows, is_sure = self._part(index, size, rng)
            pictures.append(picture)
            objects.append(torch.from_numpy(rows[is_sure]))
            doubtful.append(torch.from_numpy(rows[~is_sure]))
        linear = LINEAR[torch.from_numpy(np.stack(pictures)).long()]
        clean = linear_to_lab(linear)[..., :1].permute(0, 3, 1, 2).contiguous()
        return DetectionBatch(aged(clean, linear, self.augmentation, Draws(rngs)), clean, objects, doubtful)

    def _part(
        self, index: int, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
        """(size, size, 3) part of a photo, the (k, 6) rows on it, and which of them to learn from."""
        rgb, rows = self.store[index], self.store.boxes[index]
        crop = random_part((rgb.shape[1], rgb.shape[0]), self.augmentation, rng)
        rows, is_sure = cropped(rows[rows[:, 5] >= 0], crop, size)
        picture = np.asarray(Image.fromarray(rgb).resize((size, size), Image.Resampling.BILINEAR, crop))
        if self.augmentation.flip and rng.random() < 0.5:
            picture = picture[:, ::-1]
            rows[:, [0, 2]] = size - rows[:, [2, 0]]
        return picture, rows, is_sure


def random_part(
    size: tuple[int, int], augmentation: Augmentation, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of a part of a photo of `size` (width, height); `crop` holds for each side on its own photo's."""
    width, height = size
    share = rng.uniform(*augmentation.crop) if augmentation.crop[1] else 1.0
    stretch = np.exp(rng.uniform(-augmentation.stretch, augmentation.stretch) / 2)
    w, h = width * min(1.0, share * stretch), height * min(1.0, share / stretch)
    x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
    return float(x), float(y), float(x + w), float(y + h)


def cropped(
    rows: NDArray[np.float32], crop: tuple[float, float, float, float], size: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Rows of a photo as they are on a part of it that becomes (size, size): what shows of them, and which are sure."""
    start, scale = np.array(crop[:2] * 2), size / np.array([crop[2] - crop[0], crop[3] - crop[1]] * 2)
    whole = (rows[:, :4] - start) * scale
    shown = np.clip(whole, 0, size)
    sides, all_sides = shown[:, 2:] - shown[:, :2], whole[:, 2:] - whole[:, :2]
    visible = sides.prod(1) / np.maximum(all_sides.prod(1), 1e-6)
    is_sure = (rows[:, 4] >= MIN_SCORE) & (visible >= LEAST_VISIBLE) & (sides.min(1, initial=np.inf) >= LEAST_SIDE)
    there = sides.min(1, initial=np.inf) > 0
    return np.concatenate([shown, rows[:, 4:]], 1).astype(np.float32)[there], is_sure[there]
