"""Huber on ab and class-rebalanced cross-entropy on the ab bins."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..bins import BIN_COUNT, NEAREST
from ..networks.backbone import Prediction

HUBER_DELTA = 10.0  # Lab units
CHROMA_SCALE = 30.0  # a pixel of this chroma counts twice a grey one
BIN_WEIGHT = 0.1
UNIFORM_SHARE = 0.5  # of the prior that rebalances the bins (Zhang et al. 2016, section 2.2)


def bin_index(ab: Tensor) -> Tensor:
    """(N, 2, h, w) ab to (N, h, w) index of the nearest bin."""
    cell = (ab / 10).round().long().clamp(-11, 11) + 11
    return torch.from_numpy(NEAREST)[cell[:, 0], cell[:, 1]]


def bin_weights(prior: NDArray[np.float64]) -> Tensor:
    """Weights of rare and frequent bins from how often each occurs; the mean over the prior is 1."""
    prior = prior / prior.sum()
    weight = 1 / ((1 - UNIFORM_SHARE) * prior + UNIFORM_SHARE / BIN_COUNT)
    return torch.from_numpy(weight / (prior * weight).sum()).float()


def color_loss(
    prediction: Prediction, ab: Tensor, weights: Tensor, pixel_weight: Tensor | None = None
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a prediction against the true ab (N, 2, h, w) at the prediction's size.

    `weights` (bins,) rebalances the cross-entropy, `pixel_weight` (N, 1, h, w) lets some pixels count more.
    """
    emphasis = 1 + ab.norm(dim=1, keepdim=True) / CHROMA_SCALE
    if pixel_weight is not None:
        emphasis = emphasis * pixel_weight
    huber = F.huber_loss(prediction.ab.float(), ab, reduction="none", delta=HUBER_DELTA).mean(1, keepdim=True)
    regression = (huber * emphasis).mean() / HUBER_DELTA**2
    entropy = F.cross_entropy(prediction.logits.float(), bin_index(ab), weights, reduction="none")
    if pixel_weight is not None:
        entropy = entropy * pixel_weight[:, 0]
    entropy = entropy.mean()
    return regression + BIN_WEIGHT * entropy, {"huber": regression.item(), "entropy": entropy.item()}
