"""Losses of a color network: Huber on ab with class-rebalanced cross-entropy on the bins, and the paper's smooth L1."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..bins import BIN_COUNT, NEAREST
from ..networks.backbone import Prediction

HUBER_DELTA = 10.0  # Lab units
BIN_WEIGHT = 0.1
FLOOR = 9.0  # squared Lab units: errors that nobody sees
UNIFORM_SHARE = 0.5  # of the prior that rebalances the bins (Zhang et al. 2016, section 2.2)
SMOOTH_L1_SCALE = 10 / 110  # of the published code, which has ab / 110 and takes the loss ten times

Parts = dict[str, Tensor]


def bin_index(ab: Tensor) -> Tensor:
    """(N, 2, h, w) ab to (N, h, w) index of the nearest bin."""
    cell = (ab / 10).round().long().clamp(-11, 11) + 11
    return torch.from_numpy(NEAREST).to(ab.device)[cell[:, 0], cell[:, 1]]


def bin_weights(prior: NDArray[np.float64]) -> Tensor:
    """Weights of rare and frequent bins from how often each occurs; the mean over the prior is 1."""
    prior = prior / prior.sum()
    weight = 1 / ((1 - UNIFORM_SHARE) * prior + UNIFORM_SHARE / BIN_COUNT)
    return torch.from_numpy(weight / (prior * weight).sum()).float()


def rebalanced(
    prediction: Prediction, ab: Tensor, weights: Tensor, pixel_weight: Tensor | None = None, emphasis: float = 0.0
) -> tuple[Tensor, Parts]:
    """Loss of a prediction against the true ab (N, 2, H, W), which is averaged to the size of each output.

    `weights` (bins,) rebalances the cross-entropy, `pixel_weight` (N, 1, H, W) lets some pixels count more; in the
    regression a pixel weighs 1 + `emphasis` times its chroma.
    """
    truth = _at(ab, prediction.ab)
    weight = 1 + emphasis * truth.norm(dim=1, keepdim=True)
    if pixel_weight is not None:
        weight = weight * _at(pixel_weight, prediction.ab)
    huber = F.huber_loss(prediction.ab.float(), truth, reduction="none", delta=HUBER_DELTA).mean(1, keepdim=True)
    regression = (huber * weight).mean() / HUBER_DELTA**2
    entropy = _entropy(prediction, ab, weights, pixel_weight)
    return regression + BIN_WEIGHT * entropy, {"huber": regression.detach(), "entropy": entropy.detach()}


def log_error(
    prediction: Prediction, ab: Tensor, weights: Tensor, pixel_weight: Tensor | None = None, emphasis: float = 0.0
) -> tuple[Tensor, Parts]:
    """As `rebalanced`, but the regression is the logarithm of each photo's mean squared error, as PSNR has it.

    A photo of quiet colors counts as much as a colorful one; within a photo a pixel counts by its squared error.
    """
    square = (prediction.ab.float() - _at(ab, prediction.ab)).square().mean(1, keepdim=True)
    weight = torch.ones_like(square) if pixel_weight is None else _at(pixel_weight, prediction.ab)
    error = (square * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    regression = (error + FLOOR).log().mean()
    entropy = _entropy(prediction, ab, weights, pixel_weight)
    return regression + BIN_WEIGHT * entropy, {"log_error": regression.detach(), "entropy": entropy.detach()}


def _entropy(prediction: Prediction, ab: Tensor, weights: Tensor, pixel_weight: Tensor | None) -> Tensor:
    target = bin_index(_at(ab, prediction.logits))
    entropy = F.cross_entropy(prediction.logits.float(), target, weights, reduction="none")
    if pixel_weight is not None:
        entropy = entropy * _at(pixel_weight, prediction.logits)[:, 0]
    return entropy.mean()


def smooth_l1(
    prediction: Prediction, ab: Tensor, weights: Tensor, pixel_weight: Tensor | None = None, emphasis: float = 0.0
) -> tuple[Tensor, Parts]:
    """The loss of Su et al. 2020: smooth L1 on ab alone, summed over both planes; every pixel counts."""
    value = F.smooth_l1_loss(prediction.ab.float(), _at(ab, prediction.ab), reduction="none")
    return value.sum(1).mean() * SMOOTH_L1_SCALE, {}


LOSSES = {"rebalanced": rebalanced, "log-error": log_error, "smooth-l1": smooth_l1}


def _at(plane: Tensor, output: Tensor) -> Tensor:
    """A plane averaged to the size of an output."""
    factor = plane.shape[2] // output.shape[2]
    return plane if factor == 1 else F.avg_pool2d(plane, factor)
