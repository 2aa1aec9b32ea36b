"""Which cells learn which object: those that already answer best, as many as fit it well.

"YOLOX: Exceeding YOLO Series in 2021" (Ge et al., SimOTA), with soft labels as in "RTMDet" (Lyu et al., 2022) and
NanoDet-Plus.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CANDIDATES = 13  # best overlaps of an object, whose sum is the number of its cells
IOU_COST = 3.0
OUTSIDE = 1e6  # cost of a cell that does not lie in the object


class Assignment(NamedTuple):
    """Pairs of cells and objects, p in all; a cell has one object at most."""

    cells: Tensor  # (p,) indices of cells that learn an object
    objects: Tensor  # (p,) the object of each
    iou: Tensor  # (p,) how well each fits now


@torch.no_grad()
def assign(logits: Tensor, found: Tensor, places: Tensor, objects: Tensor) -> Assignment:
    """Which cells shall answer for which of the k objects of one photo, by what they answer now (SimOTA).

    `logits` (cells, classes) and `found` (cells, 4), boxes in pixels of the input, are the network's answers at
    `places` (cells, 3: see `networks.detector.cells`), `objects` (k, 6) the truth: x0, y0, x1, y1 in the same pixels,
    score and class. An object wants as many cells, one at least, as its `CANDIDATES` best overlaps come to in sum:
    those inside it that cost least, by class (the soft cross-entropy of "RTMDet") and by IoU. A cell that several want
    goes to the one that it costs least; so an object may get none. Without gradients; k may be 0.
    """
    if not len(objects):
        none = torch.zeros(0, dtype=torch.long, device=logits.device)
        return Assignment(none, none, none.float())
    corners = places[:, :2] * places[:, 2:]
    inside = (corners[:, None] > objects[None, :, :2]).all(2) & (corners[:, None] < objects[None, :, 2:4]).all(2)
    iou = overlaps(found[:, None], objects[None, :, :4])  # (cells, k)
    score = logits[:, objects[:, 5].long()]
    wrong = F.binary_cross_entropy_with_logits(score, iou, reduction="none") * (iou - score.sigmoid()).square()
    cost = wrong - IOU_COST * iou.clamp(min=1e-7).log() + OUTSIDE * ~inside
    fitting = (iou * inside).topk(min(CANDIDATES, len(iou)), 0).values.sum(0)
    counts = fitting.int().clamp(min=1)
    rank = cost.argsort(0).argsort(0)
    chosen = (rank < counts) & inside
    cost = cost.masked_fill(~chosen, torch.inf)  # a cell that two objects want learns the cheaper one
    least, which = cost.min(1)
    cells = least.isfinite().nonzero()[:, 0]
    return Assignment(cells, which[cells], iou[cells, which[cells]])


def overlaps(a: Tensor, b: Tensor, *, generalized: bool = False) -> Tensor:
    """IoU of boxes (..., 4); the generalized one (Rezatofighi et al., CVPR 2019) is -1..1, less the further apart."""
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    union = _area(a) + _area(b) - shared
    iou = shared / union.clamp(min=1e-6)
    if not generalized:
        return iou
    around = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1).clamp(min=1e-6)
    return iou - (around - union) / around


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)
