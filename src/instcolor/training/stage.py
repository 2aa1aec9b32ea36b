"""What a stage of the training is to the loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Set
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .config import Config
from .draws import Rngs
from .losses import Parts
from .photos import PhotoStore
from .pictures import Row


class Samples(Protocol):
    """Photos as a stage takes them."""

    def __len__(self) -> int:
        """How many photos there are to choose from, which an epoch shows once each."""
        ...

    def batch(self, indices: NDArray[np.int64], size: int, rngs: Rngs) -> Any:
        """Some of the photos at `size` x `size` pixels, in tuples, lists and tensors, which the loop moves.

        There is a random generator for each; a photo's part of the batch depends on its own alone.
        """
        ...


class Stage(ABC):
    """One stage of the training: `network` is what it trains and saves, the rest is how.

    What a batch is, the stage's samples say; the loop hands it on with its tensors on the stage's device. The color
    stages are the three of "Instance-aware Image Colorization" (Su et al., CVPR 2020, section 4.4): the full-image
    network, the instance network that starts from it, and the fusion, with both of them frozen.
    """

    # settings that only some stages take, and this one does: see `settings.not_for`
    takes: ClassVar[Set[str]] = frozenset()

    network: nn.Module
    samples: Samples  # to learn from
    held_out: Samples  # to measure on

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        """Makes the network, on the device, and the samples; torch's random numbers are seeded before.

        Raises InstcolorError where weights are missing or another network's.
        """
        self.config, self.device = config, device
        self.scaffold: nn.Module = nn.Module()  # what learns beside the network and goes when the training is over

    @staticmethod
    @abstractmethod
    def multiple(config: Config) -> int:
        """What the sides of the network's input, in pixels, are multiples of."""

    @abstractmethod
    def parameters(self) -> list[dict[str, Any]]:
        """Groups of parameters for torch's AdamW, each with its own "lr". Changes nothing."""

    def train_mode(self) -> None:
        """Brings the network into its mode for a step of the training."""
        self.network.train()

    @abstractmethod
    def loss(self, batch: Any) -> tuple[Tensor, Parts]:
        """The loss of a batch, () a mean over its photos, and its parts (), each without gradients, for the log."""

    @abstractmethod
    def pictures(self, batch: Any) -> list[Row]:
        """Rows of a table of results, (H, W, 3) sRGB bytes, one for each photo of a batch."""
