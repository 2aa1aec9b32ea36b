"""What the mask network is told: the outline where it is known; elsewhere what box and colors say about it.

The latter is "BoxInst: High-Performance Instance Segmentation with Box Annotations" (Tian et al., CVPR 2021): the mask
fills its box from edge to edge, and neighbors of like color get like labels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import Parts
from .samples import MaskBatch

REACH = 2  # cells between neighbors
LIKE = 2.4  # Lab units under which two cells have like colors: exp(-difference / 2) over 0.3
NEAR_WEIGHT = 0.5  # of the neighbors, against the edges of the box
NEIGHBORS = ((0, REACH), (REACH, 0), (REACH, REACH), (REACH, -REACH))


def mask_loss(logits: Tensor, batch: MaskBatch) -> tuple[Tensor, Parts]:
    """A mean over the crops, and its parts; `iou` is of those with a true outline. `logits` are (N, 1, S/2, S/2).

    With the outline: cross-entropy and dice. With a box alone: BoxInst's projections and neighbors.
    """
    logits = logits.float()
    p = logits.sigmoid() * batch.known
    wrong = F.binary_cross_entropy_with_logits(logits, batch.truth, batch.known, reduction="none").mean((1, 2, 3))
    outline = wrong + dice(p.flatten(1), batch.truth.flatten(1))
    edges = dice(p.amax((1, 2)), batch.truth.amax((1, 2))) + dice(p.amax((1, 3)), batch.truth.amax((1, 3)))
    near = NEAR_WEIGHT * like_neighbors(logits, batch)
    beside = (p * (1 - batch.truth)).mean((1, 2, 3))
    each = torch.where(batch.is_true > 0, outline, edges + near + beside)
    truths = batch.is_true.sum().clamp(min=1)
    solid, real = p >= 0.5, batch.truth >= 0.5
    iou = (solid & real).sum((1, 2, 3)) / (solid | real).sum((1, 2, 3)).clamp(min=1)
    boxes = (1 - batch.is_true).sum().clamp(min=1)
    parts = {
        "outline": (outline * batch.is_true).sum() / truths,
        "edges": (edges * (1 - batch.is_true)).sum() / boxes,
        "neighbors": (near * (1 - batch.is_true)).sum() / boxes,
        "iou": (iou * batch.is_true).sum() / truths,
    }
    return each.mean(), {name: part.detach() for name, part in parts.items()}


def dice(p: Tensor, truth: Tensor) -> Tensor:
    """(N,) 1 - 2 |p t| / (|p|^2 + |t|^2) of (N, cells)."""
    return 1 - 2 * (p * truth).sum(1) / (p.square().sum(1) + truth.square().sum(1) + 1e-5)


def like_neighbors(logits: Tensor, batch: MaskBatch) -> Tensor:
    """(N,) -log of the chance that neighbors of like color within the box have the same label."""
    inside, outside = F.logsigmoid(logits), F.logsigmoid(-logits)
    total = count = torch.zeros(len(logits), device=logits.device)
    for y, x in NEIGHBORS:
        here, there = _pair(y, x)
        apart = (batch.lab[here] - batch.lab[there]).square().sum(1, keepdim=True).sqrt()
        like = (apart < LIKE) & (batch.truth[here] + batch.truth[there] > 0)
        like = like & (batch.known[here] + batch.known[there] > 1)
        both = torch.logaddexp(inside[here] + inside[there], outside[here] + outside[there])
        total = total - (both * like).sum((1, 2, 3))
        count = count + like.sum((1, 2, 3))
    return total / count.clamp(min=1)


def _pair(y: int, x: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The cells of a map that have a neighbor so many rows below and columns beside, and those neighbors."""
    every = slice(None)
    left, right = slice(None, -x if x > 0 else None), slice(x if x > 0 else None, None)
    if x < 0:
        left, right = slice(-x, None), slice(None, x)
    elif x == 0:
        left = right = every
    top, bottom = (slice(None, -y), slice(y, None)) if y else (every, every)
    return (every, every, top, left), (every, every, bottom, right)
