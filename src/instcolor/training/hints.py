"""Random hint points, as "Real-Time User-Guided Image Colorization" (Zhang et al. 2017, section 3.2) draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ..hints import PATCH, Hints


def sample_patches(
    shape: Sequence[int], share: float, stop: float, rng: np.random.Generator
) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the patches to reveal, for a `share` of the pictures of `shape` (height, width).

    A geometric number of patches (at least one; `stop` is the chance that no further one follows), 1 to 9 pixels a
    side, places normal around the middle.
    """
    if rng.random() >= share:
        return
    for _ in range(rng.geometric(stop)):
        side = int(rng.integers(1, PATCH + 1))
        y, x = (int(np.clip(rng.normal((s - side) / 2, (s - side) / 4), 0, s - side)) for s in shape)
        yield slice(y, y + side), slice(x, x + side)


def sample_hints(ab: Tensor, share: float, stop: float, rngs: Sequence[np.random.Generator]) -> tuple[Tensor, Tensor]:
    """Reveals the mean color of some patches of (N, 2, H, W) true ab; one generator for each sample.

    Returns hint_ab (N, 2, H, W) and hint_mask (N, 1, H, W).
    """
    hint, mask = torch.zeros_like(ab), torch.zeros_like(ab[:, :1])
    for i, rng in enumerate(rngs):
        for rows, columns in sample_patches(ab.shape[2:], share, stop, rng):
            hint[i, :, rows, columns] = ab[i, :, rows, columns].mean((1, 2), keepdim=True)
            mask[i, 0, rows, columns] = 1
    return hint, mask


def sample_points(ab: Tensor, share: float, stop: float, rng: np.random.Generator) -> Hints:
    """The same for one sample's (2, H, W), as points that the runtime draws."""
    points = [
        (columns.start + (columns.stop - columns.start) / 2, rows.start + (rows.stop - rows.start) / 2, *color)
        for rows, columns in sample_patches(ab.shape[1:], share, stop, rng)
        for color in [ab[:, rows, columns].mean((1, 2)).tolist()]
    ]
    return Hints(np.array(points, np.float32).reshape(-1, 4))
