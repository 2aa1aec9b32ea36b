"""Random numbers for a batch, one generator for each photo: a photo's luck does not depend on its neighbors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

Rngs = Sequence[np.random.Generator]  # one for each photo of a batch


class Draws:
    """Draws for the N photos of a batch at once. `uniform` and `chance` give (N, 1, 1, k)."""

    def __init__(self, rngs: Rngs):
        self.rngs = rngs

    def uniform(self, low: float, high: float, k: int = 1) -> Tensor:
        """(N, 1, 1, k) between `low` and `high`."""
        rows = np.stack([rng.random(k, np.float32) for rng in self.rngs])
        return low + (high - low) * torch.from_numpy(rows)[:, None, None]

    def chance(self, share: float) -> Tensor:
        """(N, 1, 1, 1), True for about a `share` of the photos."""
        return self.uniform(0, 1) < share

    def normal(self, *shape: int) -> Tensor:
        """(N, *shape)"""
        return torch.from_numpy(np.stack([rng.standard_normal(shape, np.float32) for rng in self.rngs]))
