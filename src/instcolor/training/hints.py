"""Random hint points, as "Real-Time User-Guided Image Colorization" (Zhang et al. 2017, section 3.2) draws them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

MAX_PATCH = 9


def sample_hints(ab: Tensor, share: float, stop: float, rngs: Sequence[np.random.Generator]) -> tuple[Tensor, Tensor]:
    """Reveals the mean color of some patches of (N, 2, H, W) true ab; one generator for each sample.

    A `share` of the samples gets points: a geometric number of them (at least one; `stop` is the chance that no
    further one follows), patches of 1 to 9 pixels a side, places normal around the middle. Returns hint_ab
    (N, 2, H, W) and hint_mask (N, 1, H, W).
    """
    h, w = ab.shape[2:]
    hint, mask = torch.zeros_like(ab), torch.zeros_like(ab[:, :1])
    for i, rng in enumerate(rngs):
        if rng.random() >= share:
            continue
        for _ in range(rng.geometric(stop)):
            side = int(rng.integers(1, MAX_PATCH + 1))
            y, x = (int(np.clip(rng.normal((s - side) / 2, (s - side) / 4), 0, s - side)) for s in (h, w))
            patch = slice(y, y + side), slice(x, x + side)
            hint[(i, slice(None), *patch)] = ab[(i, slice(None), *patch)].mean((1, 2), keepdim=True)
            mask[(i, 0, *patch)] = 1
    return hint, mask
