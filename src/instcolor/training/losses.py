"""Losses of a color network: Huber on ab with class-rebalanced cross-entropy on the bins, and the paper's smooth L1.

A loss is a small dataclass: its fields are its settings, a call gives its value. `LOSSES` is where another one is
added; other packages register theirs as entry points of the group `instcolor.losses`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..bins import BIN_COUNT, NEAREST
from ..networks.backbone import Prediction
from .registry import find

HUBER_DELTA = 10.0  # Lab units
BIN_WEIGHT = 0.1
FLOOR = 9.0  # squared Lab units: errors that nobody sees
UNIFORM_SHARE = 0.5  # of the prior that rebalances the bins (Zhang et al. 2016, section 2.2)
SMOOTH_L1_SCALE = 10 / 110  # of the published code, which has ab / 110 and takes the loss ten times
ENTRY_POINTS = "instcolor.losses"

Parts = dict[str, Tensor]


class Truth(NamedTuple):
    """What a loss may hold a prediction against. Planes have the size of the network's input."""

    ab: Tensor  # (N, 2, H, W) in Lab units
    bin_weights: Tensor  # (bins,) of the cross-entropy, which rebalance rare and frequent colors
    pixel_weight: Tensor | None = None  # (N, 1, H, W): some pixels count more; None: all alike


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """A loss of a color network."""

    name: str = ""

    @staticmethod
    def named(name: str = "rebalanced") -> type[Loss]:
        """The class of that name. Raises InstcolorError."""
        found: type[Loss] = find("loss", name, LOSSES, ENTRY_POINTS)
        return found

    @abstractmethod
    def __call__(self, prediction: Prediction, truth: Truth) -> tuple[Tensor, Parts]:
        """A mean over the photos, and its parts without gradients, for the log.

        The truth is averaged to the size of each output, see `at_size_of`.
        """


@dataclass(frozen=True, kw_only=True)
class Rebalanced(Loss):
    """Huber's loss on ab, and the bins' cross-entropy, rebalanced by how often each occurs (Zhang et al. 2016)."""

    name: str = "rebalanced"
    emphasis: float = 0.0  # of colorful pixels: in the regression a pixel weighs 1 + emphasis x chroma

    def __call__(self, prediction: Prediction, truth: Truth) -> tuple[Tensor, Parts]:
        ab = at_size_of(prediction.ab, truth.ab)
        weight = 1 + self.emphasis * ab.norm(dim=1, keepdim=True)
        if truth.pixel_weight is not None:
            weight = weight * at_size_of(prediction.ab, truth.pixel_weight)
        huber = F.huber_loss(prediction.ab.float(), ab, reduction="none", delta=HUBER_DELTA).mean(1, keepdim=True)
        regression = (huber * weight).mean() / HUBER_DELTA**2
        entropy = bin_entropy(prediction, truth)
        return regression + BIN_WEIGHT * entropy, {"huber": regression.detach(), "entropy": entropy.detach()}


@dataclass(frozen=True, kw_only=True)
class LogError(Loss):
    """As `Rebalanced`, but the regression is the logarithm of each photo's mean squared error, as PSNR has it.

    A photo of quiet colors counts as much as a colorful one; within a photo a pixel counts by its squared error.
    """

    name: str = "log-error"

    def __call__(self, prediction: Prediction, truth: Truth) -> tuple[Tensor, Parts]:
        square = (prediction.ab.float() - at_size_of(prediction.ab, truth.ab)).square().mean(1, keepdim=True)
        given = truth.pixel_weight
        weight = torch.ones_like(square) if given is None else at_size_of(prediction.ab, given)
        error = (square * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))
        regression = (error + FLOOR).log().mean()
        entropy = bin_entropy(prediction, truth)
        return regression + BIN_WEIGHT * entropy, {"log_error": regression.detach(), "entropy": entropy.detach()}


@dataclass(frozen=True, kw_only=True)
class SmoothL1(Loss):
    """The loss of Su et al. 2020: smooth L1 on ab alone, summed over both planes; every pixel counts the same."""

    name: str = "smooth-l1"

    def __call__(self, prediction: Prediction, truth: Truth) -> tuple[Tensor, Parts]:
        value = F.smooth_l1_loss(prediction.ab.float(), at_size_of(prediction.ab, truth.ab), reduction="none")
        return value.sum(1).mean() * SMOOTH_L1_SCALE, {}


LOSSES: dict[str, type[Loss]] = {"rebalanced": Rebalanced, "log-error": LogError, "smooth-l1": SmoothL1}


def bin_index(ab: Tensor) -> Tensor:
    """(N, 2, h, w) ab to (N, h, w) index of the nearest bin."""
    cell = (ab / 10).round().long().clamp(-11, 11) + 11
    return torch.from_numpy(NEAREST).to(ab.device)[cell[:, 0], cell[:, 1]]


def bin_weights(prior: NDArray[np.float64]) -> Tensor:
    """(bins,) weights of rare and frequent bins from how often each occurs; the mean over the prior is 1.

    "Colorful Image Colorization" (Zhang et al., ECCV 2016, section 2.2).
    """
    prior = prior / prior.sum()
    weight = 1 / ((1 - UNIFORM_SHARE) * prior + UNIFORM_SHARE / BIN_COUNT)
    return torch.from_numpy(weight / (prior * weight).sum()).float()


def bin_entropy(prediction: Prediction, truth: Truth) -> Tensor:
    """() mean cross-entropy of the bins that the true ab falls into, each weighed by its bin and its pixel."""
    target = bin_index(at_size_of(prediction.logits, truth.ab))
    entropy = F.cross_entropy(prediction.logits.float(), target, truth.bin_weights, reduction="none")
    if truth.pixel_weight is not None:
        entropy = entropy * at_size_of(prediction.logits, truth.pixel_weight)[:, 0]
    return entropy.mean()


def at_size_of(output: Tensor, plane: Tensor) -> Tensor:
    """A plane (N, C, H, W) averaged to the size (h, w) of an output; H and W are multiples of these."""
    factor = plane.shape[2] // output.shape[2]
    return plane if factor == 1 else F.avg_pool2d(plane, factor)
