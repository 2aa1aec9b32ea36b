"""From stored photos to batches: crops, flips, lightness true or aged, hints.

Every photo of a batch has its own random generator, so that a batch can be made in parts by several processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..colorspace import linear_to_lab, srgb_to_linear
from ..detectors.packaged import load_masks
from ..inputs import Inputs, Sizes
from ..objects import Box, DetectedObject
from ..runtime.preparing import crop_boxes, prepare
from ..torch_models.model import tensors
from .config import Augmentation, Config
from .damage import aged
from .draws import Draws, Rngs
from .hints import sample_hints, sample_points
from .photos import PhotoStore
from .processes import say

LINEAR = torch.from_numpy(srgb_to_linear(np.arange(256, dtype=np.float32) / 255))
MIN_SCORE = 0.35  # of a box to learn from
MIN_OBJECT = 12.0  # pixels of the stored photo; smaller boxes teach nothing
INSIDE_WEIGHT, OUTSIDE_WEIGHT = 1.0, 0.3  # in the loss of an object's crop
COLLAGE = 0.3, 0.8  # sides of another photo's rectangle, of the crop's
MAX_OBJECTS = 8  # of one photo at once, as in the paper


class Batch(NamedTuple):
    """N photos of H x W pixels: lightness in 0..100, ab in Lab units, hints 0 where the mask is."""

    L: Tensor  # (N, 1, H, W)
    hint_ab: Tensor  # (N, 2, H, W)
    hint_mask: Tensor  # (N, 1, H, W)
    ab: Tensor  # (N, 2, H, W), the truth
    weight: Tensor | None = None  # (N, 1, H, W), of each pixel in the loss


def lightness_and_color(rgb: Tensor, augmentation: Augmentation, rngs: Rngs) -> tuple[Tensor, Tensor]:
    """(N, H, W, 3) sRGB bytes to L (N, 1, H, W), some of it aged, and true ab (N, 2, H, W)."""
    linear = LINEAR[rgb.long()]
    lab = linear_to_lab(linear).permute(0, 3, 1, 2).contiguous()
    return aged(lab[:, :1], linear, augmentation, Draws(rngs)), lab[:, 1:]


class Part(NamedTuple):
    """A part of a photo, perhaps mirrored, that is brought to a square."""

    box: tuple[float, ...]  # x0, y0, x1, y1 in pixels of the photo
    mirrored: bool

    def picture(self, rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """(size, size, 3)"""
        # Pillow copies the whole array: hand it only what is needed
        x0, y0, x1, y1 = self.box
        left, top = int(x0), int(y0)
        part = rgb[top : int(np.ceil(y1)), left : int(np.ceil(x1))]
        inner = (x0 - left, y0 - top, min(x1 - left, part.shape[1]), min(y1 - top, part.shape[0]))
        out = np.asarray(Image.fromarray(part).resize((size, size), Image.Resampling.BILINEAR, inner))
        return out[:, ::-1] if self.mirrored else out

    def middles(self, boxes: NDArray[np.floating], size: int) -> NDArray[np.floating]:
        """(k, 2) where the middles of those boxes (x0, y0, x1, y1) that lie on the part are on its picture."""
        x0, y0, x1, y1 = self.box
        at = ((boxes[:, :2] + boxes[:, 2:4]) / 2 - (x0, y0)) / (x1 - x0, y1 - y0)
        at = at[((at >= 0) & (at < 1)).all(1)]
        return np.where((self.mirrored, False), 1 - at, at) * size


def random_part(shape: Sequence[int], augmentation: Augmentation, rng: np.random.Generator) -> Part:
    """A part of a photo of `shape` (height, width)."""
    h, w = shape[:2]
    crop_w, crop_h = float(w), float(h)
    if augmentation.crop[1]:
        side = min(h, w) * rng.uniform(augmentation.crop[0], augmentation.crop[1])
        stretch = np.exp(rng.uniform(-augmentation.stretch, augmentation.stretch))
        crop_w, crop_h = min(w, side * stretch), min(h, side / stretch)
    x, y = rng.uniform(0, w - crop_w), rng.uniform(0, h - crop_h)
    return Part((x, y, x + crop_w, y + crop_h), augmentation.flip and rng.random() < 0.5)


def random_crop(
    rgb: NDArray[np.uint8], size: int, augmentation: Augmentation, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A part of a photo, perhaps mirrored, brought to (size, size)."""
    return random_part(rgb.shape, augmentation, rng).picture(rgb, size)


class FullSamples:
    """Stage 1: parts of whole photos, `augmentation.crop` of their short side, or the whole squashed to a square."""

    def __init__(self, store: PhotoStore, config: Config):
        self.store, self.config = store, config

    def __len__(self) -> int:
        return len(self.store)

    def batch(self, indices: NDArray[np.int64], size: int, rngs: Rngs) -> Batch:
        """A part of each of the photos `indices` at `size` x `size` pixels; all pixels count alike."""
        crops, middles = zip(*(self._crop(i, size, rng) for i, rng in zip(indices, rngs, strict=True)), strict=True)
        L, ab = lightness_and_color(torch.from_numpy(np.stack(crops)), self.config.augmentation, rngs)
        return Batch(L, *sample_hints(ab, self.config.hints, rngs, middles), ab)

    def _crop(self, index: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.floating]]:
        """A part of a photo, sometimes with a rectangle of another one (CutMix, Yun et al., ICCV 2019), and the
        middles of the objects on it."""
        rgb, rows, augmentation = self.store[index], self.store.boxes[index], self.config.augmentation
        part = random_part(rgb.shape, augmentation, rng)
        crop, middles = part.picture(rgb, size), part.middles(rows[rows[:, 4] >= MIN_SCORE], size)
        if rng.random() < augmentation.collage:
            other = random_crop(self.store[int(rng.integers(len(self.store)))], size, augmentation, rng)
            sides = rng.uniform(COLLAGE[0], COLLAGE[1], 2) * size
            y, x = (rng.uniform(0, size - side) for side in sides)
            pasted = slice(int(y), int(y + sides[0])), slice(int(x), int(x + sides[1]))
            crop = crop.copy()
            crop[pasted] = other[pasted]
        return crop, middles


def trusted(store: PhotoStore) -> list[NDArray[np.float32]]:
    """Of every photo's boxes (k, 6) those that are likely right and large enough; what is left out is said."""
    kept, tiny, doubtful = [], 0, 0
    for rows in store.boxes:
        sure = rows[:, 4] >= MIN_SCORE
        large = (rows[:, 2:4] - rows[:, :2]).min(1, initial=np.inf) >= MIN_OBJECT
        doubtful, tiny = doubtful + int((~sure).sum()), tiny + int((sure & ~large).sum())
        kept.append(rows[sure & large])
    if kept:
        objects, photos = sum(map(len, kept)), sum(len(rows) > 0 for rows in kept)
        reasons = f"{doubtful} under a score of {MIN_SCORE}, {tiny} under {MIN_OBJECT:.0f} pixels"
        say(f"{objects} objects on {photos} photos to learn from; left out: {reasons}")
    return kept


class ObjectSamples:
    """The photos with objects to learn from, and those objects.

    `boxes` has for each photo of the store (k, 6) rows x0, y0, x1, y1 in pixels of the stored photo, score, class;
    `photos` are the numbers of those that have any.
    """

    def __init__(self, store: PhotoStore, config: Config):
        self.store, self.config = store, config
        self.outlines = load_masks(threads=1) if config.crops.masks else None
        self.boxes = trusted(store)
        self.photos = np.flatnonzero([len(rows) for rows in self.boxes])

    def __len__(self) -> int:
        return len(self.photos)


class InstanceSamples(ObjectSamples):
    """Stage 2: one random object of a photo with its surroundings, squashed to a square."""

    def batch(self, indices: NDArray[np.int64], size: int, rngs: Rngs) -> Batch:
        """An object of each of the photos at `size` x `size` pixels, its box jittered by `augmentation.boxes`.

        `indices` count the photos that have objects. What lies outside an object weighs `OUTSIDE_WEIGHT`.
        """
        each = (self._object(i, size, rng) for i, rng in zip(indices, rngs, strict=True))
        crops, boxes, middles = zip(*each, strict=True)
        L, ab = lightness_and_color(torch.from_numpy(np.stack(crops)), self.config.augmentation, rngs)
        hint_ab, hint_mask = sample_hints(ab, self.config.hints, rngs, middles)
        weights = [self._weights(plane[0].numpy(), box) for plane, box in zip(L, boxes, strict=True)]
        return Batch(L, hint_ab, hint_mask, ab, torch.from_numpy(np.stack(weights))[:, None])

    def _object(
        self, index: int, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Box, NDArray[np.floating]]:
        """(size, size, 3) crop around an object, the object's box on it and its middle (1, 2)."""
        photo = self.photos[index]
        rgb, rows = self.store[photo], self.boxes[photo]
        box = rows[rng.integers(len(rows)), :4]
        box = box + rng.normal(0, self.config.augmentation.boxes, 4) * np.tile(box[2:] - box[:2], 2)
        box = np.clip(box, 0, np.tile(rgb.shape[1::-1], 2)).astype(np.float32)
        crop = crop_boxes(box[None], (rgb.shape[1], rgb.shape[0]), self.config.crops.surroundings)[0]
        part = Part(tuple(crop), self.config.augmentation.flip and rng.random() < 0.5)
        return part.picture(rgb, size), _placed(box, crop, size, part.mirrored), part.middles(box[None], size)

    def _weights(self, L: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
        """(size, size) weight of each pixel of a crop: more inside the object's box, or its outline."""
        if self.outlines:
            (item,) = self.outlines.outlined(L, [DetectedObject(box, "", 1.0)])
            if item.mask:
                inside = item.mask.over((0, 0, L.shape[1], L.shape[0]), L.shape)
                return OUTSIDE_WEIGHT + (INSIDE_WEIGHT - OUTSIDE_WEIGHT) * inside
        x0, y0, x1, y1 = (int(np.rint(v)) for v in box)
        plane = np.full(L.shape, OUTSIDE_WEIGHT, np.float32)
        plane[y0:y1, x0:x1] = INSIDE_WEIGHT
        return plane


def _placed(box: NDArray[np.floating], crop: NDArray[np.floating], size: int, mirrored: bool) -> Box:
    """A box of a photo where it is on the picture of a crop, size x size pixels."""
    scale = np.tile(size / (crop[2:] - crop[:2]), 2)
    x0, y0, x1, y1 = np.clip((box - np.tile(crop[:2], 2)) * scale, 0, size).tolist()
    return (size - x1, y0, size - x0, y1) if mirrored else (x0, y0, x1, y1)


class Example(NamedTuple):
    """One photo with its objects and the truth, as stage 3 takes them."""

    inputs: Inputs[Tensor]
    ab: Tensor  # (1, 2, H, W), the truth


class FusionSamples(ObjectSamples):
    """Stage 3: whole photos with up to eight objects cropped from the stored size."""

    def batch(self, indices: NDArray[np.int64], size: int, rngs: Rngs) -> list[Example]:
        """The photos, one by one, because each has its own number of objects; `indices` count those that have any."""
        return [self.photo(self.photos[i], size, rng) for i, rng in zip(indices, rngs, strict=True)]

    def photo(self, index: int, size: int, rng: np.random.Generator) -> Example:
        """The photo of that number at `size` x `size` pixels, and one to eight of its objects, chosen at random.

        Boxes are jittered by `augmentation.boxes`; crops have the side `crops.instance_size` and are cut from the photo
        as it is stored.
        """
        rgb, rows = self.store[index], self.boxes[index]
        height, width = rgb.shape[:2]
        if self.config.augmentation.flip and rng.random() < 0.5:
            rgb = rgb[:, ::-1]
            rows = np.concatenate([width - rows[:, [2]], rows[:, [1]], width - rows[:, [0]], rows[:, 3:]], 1)
        rows = rng.permutation(rows)[: rng.integers(1, MAX_OBJECTS + 1)]
        jitter = rng.normal(0, self.config.augmentation.boxes / 2, (len(rows), 4))  # what is blended in must fit better
        jittered = rows[:, :4] + jitter * np.tile(rows[:, 2:4] - rows[:, :2], 2)
        boxes: NDArray[np.float32] = np.clip(jittered, 0, [width, height, width, height]).astype(np.float32)
        L, ab = lightness_and_color(torch.from_numpy(rgb.copy())[None], self.config.augmentation, [rng])
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        hints = sample_points(ab[0], self.config.hints, rng, middles)
        objects = [DetectedObject((x0, y0, x1, y1), "", 1.0) for x0, y0, x1, y1 in boxes.tolist()]
        crops = self.config.crops
        sizes = Sizes(size, crops.instance_size, 1, squash=True, surroundings=crops.surroundings)
        plane = L[0, 0].numpy()
        if self.outlines:
            objects = self.outlines.outlined(plane, objects)
        inputs = prepare(plane, objects, sizes, hints)
        return Example(tensors(inputs), F.interpolate(ab, (size, size), mode="bilinear", antialias=True))
