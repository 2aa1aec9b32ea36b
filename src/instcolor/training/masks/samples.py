"""Crops of objects: people whose true outline is known, alone or composed anew, and things that have a box alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...coco import COCO_NAMES
from ...colorspace import linear_to_lab
from ...objects import iou
from ...objects.crops import OUTSIDE, surrounded, window
from ...sources.kinds import expand
from ..config import Config
from ..damage import aged
from ..draws import Draws, Rngs
from ..photos import PhotoStore
from ..samples import LINEAR, trusted
from .truth import true_masks

PERSON, OTHER = COCO_NAMES.index("person"), -1
HEADS = 0.25  # share of the samples with a true mask that are crops of a head
REPEATED = 6  # photos with true masks are fewer and worth more
SWAPPED, JOINED = 0.3, 0.35  # shares of them that stand before another photo, and that get a neighbor
MIN_OVERLAP = 0.5  # IoU of a found box with its true mask's, to be that person's

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]


class MaskBatch(NamedTuple):
    """N crops of S x S pixels; lightness in 0..100, what is known at half their size."""

    L: Tensor  # (N, 1, S, S), some of it aged
    truth: Tensor  # (N, 1, S/2, S/2) 0..1, the object; where no truth is known, its box
    known: Tensor  # (N, 1, S/2, S/2) 1 where the photo is
    lab: Tensor  # (N, 3, S/2, S/2), the clean colors
    is_true: Tensor  # (N,) 1 where the truth is one


class Crop(NamedTuple):
    """One object. `inside` (S, S) 0..1 is its mask, or its box; `known` where the crop shows the photo."""

    rgb: Picture  # (S, S, 3)
    inside: Plane
    known: Plane


class MaskSamples:
    """Photos with true masks, several times an epoch, and photos with boxes of things."""

    def __init__(self, store: PhotoStore, config: Config):
        self.store, self.config = store, config
        masks = true_masks(expand(config.data.photos))
        self.masks = {
            i: mask
            for i, name in enumerate(store.names)
            if (mask := masks.get(PurePosixPath(name).stem)) is not None and mask.any()
        }
        self.rows = [rows if i in self.masks else rows[rows[:, 5] != OTHER] for i, rows in enumerate(trusted(store))]
        self.true = np.array(sorted(self.masks), np.int64)
        weak = [i for i, rows in enumerate(self.rows) if len(rows) and i not in self.masks]
        self.photos = np.concatenate([np.repeat(self.true, REPEATED), np.array(weak, np.int64)])

    def __len__(self) -> int:
        return len(self.photos)

    def batch(self, indices: NDArray[np.int64], size: int, rngs: Rngs) -> MaskBatch:
        photos = self.photos[indices].tolist()
        crops = [self._crop(photo, size, rng) for photo, rng in zip(photos, rngs, strict=True)]
        linear = LINEAR[torch.from_numpy(np.stack([crop.rgb for crop in crops])).long()]
        lab = linear_to_lab(linear).permute(0, 3, 1, 2).contiguous()
        known = torch.from_numpy(np.stack([crop.known for crop in crops]))[:, None]
        L = aged(lab[:, :1], linear, self.config.augmentation, Draws(rngs)).lerp(torch.tensor(OUTSIDE), 1 - known)
        truth = torch.from_numpy(np.stack([crop.inside for crop in crops]))[:, None]
        is_true = torch.tensor([float(photo in self.masks) for photo in photos])
        return MaskBatch(L, F.avg_pool2d(truth, 2), F.avg_pool2d(known, 2), F.avg_pool2d(lab, 2), is_true)

    def _crop(self, photo: int, size: int, rng: np.random.Generator) -> Crop:
        if photo not in self.masks:
            rows = self.rows[photo]
            return self._mirrored(
                self._cut(photo, self._jittered(rows[rng.integers(len(rows)), :4], photo, rng), size), rng
            )
        crop = self._person(photo, size, rng)
        if rng.random() < SWAPPED:
            crop = _before(crop, self._background(size, rng))
        if rng.random() < JOINED:
            other = self._person(int(rng.choice(self.true)), size, rng)
            crop = _joined(crop, other, rng)
        return crop

    def _person(self, photo: int, size: int, rng: np.random.Generator) -> Crop:
        rows = self.rows[photo]
        heads = rows[rows[:, 5] == OTHER]
        if len(heads) and rng.random() < HEADS:
            box = heads[rng.integers(len(heads)), :4]
        else:
            box = outline = _bounds(self.masks[photo], self.store.sizes[photo])
            found = [row[:4] for row in rows if row[5] == PERSON and iou(tuple(row[:4]), tuple(outline)) > MIN_OVERLAP]
            if found and rng.random() < 0.5:
                box = found[rng.integers(len(found))]
        return self._mirrored(self._cut(photo, self._jittered(box, photo, rng), size), rng)

    def _jittered(self, box: Plane, photo: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
        height, width = self.store.sizes[photo].tolist()
        moved = box + rng.normal(0, self.config.augmentation.boxes, 4) * np.tile(box[2:] - box[:2], 2)
        x0, y0, x1, y1 = np.clip(moved, 0, [width, height, width, height]).tolist()
        return (x0, y0, x1, y1) if x1 - x0 >= 1 and y1 - y0 >= 1 else tuple(box.tolist())

    def _cut(self, photo: int, box: tuple[float, float, float, float], size: int) -> Crop:
        rgb = self.store[photo]
        region = surrounded(box)
        part = window(region, (rgb.shape[1], rgb.shape[0]), size)
        shape = (part.columns.stop - part.columns.start, part.rows.stop - part.rows.start)
        crop = Crop(np.full((size, size, 3), 119, np.uint8), *np.zeros((2, size, size), np.float32))
        here = part.rows, part.columns
        crop.rgb[here] = _resized(rgb, shape, part.source)
        crop.known[here] = 1
        mask = self.masks.get(photo)
        if mask is None:
            low, high = round(size * 0.1), round(size * 0.9)  # as `surrounded` has it
            crop.inside[low:high, low:high] = 1
            crop.inside[crop.known == 0] = 0
        else:
            scale = mask.shape[1] / rgb.shape[1], mask.shape[0] / rgb.shape[0]
            source = tuple(v * scale[i % 2] for i, v in enumerate(part.source))
            crop.inside[here] = _resized(mask.astype(np.uint8) * np.uint8(255), shape, source) / np.float32(255)
        return crop

    def _mirrored(self, crop: Crop, rng: np.random.Generator) -> Crop:
        if not self.config.augmentation.flip or rng.random() < 0.5:
            return crop
        return Crop(crop.rgb[:, ::-1].copy(), crop.inside[:, ::-1].copy(), crop.known[:, ::-1].copy())

    def _background(self, size: int, rng: np.random.Generator) -> Picture:
        """A part of a photo that has no true masks."""
        rgb = self.store[int(self.photos[rng.integers(len(self.true) * REPEATED, len(self.photos))])]
        height, width = rgb.shape[:2]
        w, h = (rng.uniform(0.4, 1) * side for side in (width, height))
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        return _resized(rgb, (size, size), (x, y, x + w, y + h))


def _resized(plane: Picture, size: tuple[int, int], box: Sequence[float]) -> Picture:
    """A box of a plane at `size` (width, height)."""
    left, top, right, bottom = int(box[0]), int(box[1]), int(np.ceil(box[2])), int(np.ceil(box[3]))
    part = plane[top:bottom, left:right]  # Pillow copies the whole array: hand it only what is needed
    inner = (box[0] - left, box[1] - top, min(box[2] - left, part.shape[1]), min(box[3] - top, part.shape[0]))
    return np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BILINEAR, inner))


def _bounds(mask: NDArray[np.bool_], size: NDArray[np.int64]) -> Plane:
    """The box (4,) around a mask, in a photo of `size` (height, width)."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y, x = size[0] / mask.shape[0], size[1] / mask.shape[1]
    return np.array([columns[0] * x, rows[0] * y, (columns[-1] + 1) * x, (rows[-1] + 1) * y], np.float32)


def _before(crop: Crop, background: Picture) -> Crop:
    """The person before another photo; beyond its own photo's edge there is still nothing."""
    alpha = np.maximum(crop.inside, 1 - crop.known)[..., None]
    return crop._replace(rgb=(alpha * crop.rgb + (1 - alpha) * background).astype(np.uint8))


def _joined(crop: Crop, other: Crop, rng: np.random.Generator) -> Crop:
    """Somebody else beside the person, in front of them or behind: who stands in the box's middle is meant."""
    size = len(crop.inside)
    shift = int(rng.choice((-1, 1)) * rng.uniform(0.4, 0.8) * size), int(rng.normal(0, 0.08) * size)
    alpha = _shifted(other.inside, shift) * crop.known
    if rng.random() < 0.6:
        alpha = alpha * (1 - crop.inside)
    rgb = (alpha[..., None] * _shifted(other.rgb, shift) + (1 - alpha[..., None]) * crop.rgb).astype(np.uint8)
    return Crop(rgb, crop.inside * (1 - alpha), crop.known)


def _shifted(plane: NDArray[Any], shift: tuple[int, int]) -> NDArray[Any]:
    """The plane moved right and down, zeros behind it."""
    x, y = shift
    result = np.zeros_like(plane)
    height, width = plane.shape[:2]
    target = slice(max(0, y), min(height, height + y)), slice(max(0, x), min(width, width + x))
    source = slice(max(0, -y), min(height, height - y)), slice(max(0, -x), min(width, width - x))
    result[target] = plane[source]
    return result
