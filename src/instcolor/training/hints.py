"""Random hint points, as "Real-Time User-Guided Image Colorization" (Zhang et al. 2017, section 3.2) draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..hints import PATCH, Hints

Middles = NDArray[np.floating]


@dataclass(frozen=True)
class Sampling:
    """How many pictures have hints, and where: see `sample_patches`."""

    share: float = 0.35  # of the samples that have hint points
    stop: float = 0.125  # chance that no further point follows: 1 / the points on average
    objects: float = 0.0  # share of the points that are in the middle of an object, as users set them


def sample_patches(
    shape: Sequence[int], sampling: Sampling, rng: np.random.Generator, middles: Middles | None = None
) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the patches to reveal, for a share of the pictures of `shape` (height, width).

    A geometric number of patches (at least one; `stop` is the chance that no further one follows), 1 to 9 pixels a
    side, places normal around the middle. Where there are `middles` (k, 2) of objects, x and y in pixels, a share
    `objects` of the patches has its middle at one of these and the size that the runtime draws, as if a user had
    clicked there.
    """
    if rng.random() >= sampling.share:
        return
    for _ in range(rng.geometric(sampling.stop)):
        if middles is not None and len(middles) and rng.random() < sampling.objects:
            side = min(PATCH, *shape)
            places = [middle - side / 2 for middle in middles[rng.integers(len(middles)), ::-1]]
        else:
            side = int(rng.integers(1, PATCH + 1))
            places = [rng.normal((s - side) / 2, (s - side) / 4) for s in shape]
        y, x = (int(np.clip(place, 0, s - side)) for place, s in zip(places, shape, strict=True))
        yield slice(y, y + side), slice(x, x + side)


def sample_hints(
    ab: Tensor, sampling: Sampling, rngs: Sequence[np.random.Generator], middles: Sequence[Middles] | None = None
) -> tuple[Tensor, Tensor]:
    """Reveals the mean color of some patches of (N, 2, H, W) true ab; one generator for each sample.

    `middles` are those of the objects on each. Returns hint_ab (N, 2, H, W) and hint_mask (N, 1, H, W).
    """
    hint, mask = torch.zeros_like(ab), torch.zeros_like(ab[:, :1])
    for i, rng in enumerate(rngs):
        for rows, columns in sample_patches(ab.shape[2:], sampling, rng, middles[i] if middles else None):
            hint[i, :, rows, columns] = ab[i, :, rows, columns].mean((1, 2), keepdim=True)
            mask[i, 0, rows, columns] = 1
    return hint, mask


def sample_points(ab: Tensor, sampling: Sampling, rng: np.random.Generator, middles: Middles | None = None) -> Hints:
    """The same for one sample's (2, H, W), as points that the runtime draws."""
    points = [
        (columns.start + (columns.stop - columns.start) / 2, rows.start + (rows.stop - rows.start) / 2, *color)
        for rows, columns in sample_patches(ab.shape[1:], sampling, rng, middles)
        for color in [ab[:, rows, columns].mean((1, 2)).tolist()]
    ]
    return Hints(np.array(points, np.float32).reshape(-1, 4))
