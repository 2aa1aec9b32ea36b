"""What the detector is told: about its classes, its boxes, and about what it would see if the photo were not old."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...networks.detector import BINS, CLASSES, boxes
from ..losses import Parts
from .assignment import assign, overlaps

BOX_WEIGHT, EDGE_WEIGHT = 2.0, 0.25


def detection_loss(
    answer: Tensor, places: Tensor, objects: list[Tensor], doubtful: list[Tensor]
) -> tuple[Tensor, Parts]:
    """Generalized focal loss (Li et al., NeurIPS 2020) of (N, cells, 112) answers, every object weighed by its score.

    The class of a cell that learns an object should be IoU x score; all others are nothing, except for the classes of
    the doubtful objects that they lie in.
    """
    found = boxes(answer[..., CLASSES:], places)
    classes = edges = fits = total = answer.new_zeros(())
    for i in range(len(answer)):
        given = assign(answer[i, :, :CLASSES], found[i], places, objects[i])
        box, score, kind = objects[i][given.objects].split([4, 1, 1], 1)
        score, kind = score[:, 0], kind[:, 0].long()
        target = torch.zeros_like(answer[i, :, :CLASSES])
        target[given.cells, kind] = given.iou * score
        classes = classes + (focal(answer[i, :, :CLASSES], target) * _certain(places, doubtful[i], target)).sum()
        weight = score * given.iou.clamp(min=0.1)
        fits = fits + ((1 - overlaps(found[i, given.cells], box, generalized=True)) * weight).sum()
        edges = edges + (edge_loss(answer[i, given.cells, CLASSES:], box, places[given.cells]) * weight).sum()
        total = total + weight.sum()
    norm = total.detach().clamp(min=1)
    parts = {"classes": classes / norm, "boxes": BOX_WEIGHT * fits / norm, "edges": EDGE_WEIGHT * edges / norm}
    return sum(parts.values(), torch.zeros_like(norm)), {name: part.detach() for name, part in parts.items()}


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """Quality focal loss (Li et al., NeurIPS 2020) of every value, any shape: cross-entropy with a soft target 0..1,
    weighed by how far off it is."""
    off = (target - logits.sigmoid()).square()
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none") * off


def edge_loss(logits: Tensor, box: Tensor, places: Tensor) -> Tensor:
    """(p,) distribution focal loss: the two bins beside an edge's true distance should hold it; a mean over edges."""
    corner = places[:, :2] * places[:, 2:]
    reach = torch.cat([corner - box[:, :2], box[:, 2:] - corner], 1) / places[:, 2:]
    reach = reach.clamp(0, BINS - 1 - 0.01)
    low = reach.long()
    share = reach - low
    log = logits.unflatten(-1, (4, BINS)).log_softmax(-1)
    below, above = (log.gather(-1, (low + step)[..., None])[..., 0] for step in (0, 1))
    answer: Tensor = -((1 - share) * below + share * above).mean(-1)
    return answer


def teaching_loss(answer: Tensor, teacher: Tensor) -> Tensor:
    """How far answers (N, cells, 112) are from those of a teacher who saw the clean photo, densely and without boxes.

    As in "Localization Distillation for Dense Object Detection" (Zheng et al., CVPR 2022): distributions of the edges
    are taught too, where the teacher sees something.
    """
    sees = teacher[..., :CLASSES].sigmoid()
    sure = sees.amax(-1)
    classes = (focal(answer[..., :CLASSES], sees) - focal(teacher[..., :CLASSES], sees)).sum()
    own, other = (a[..., CLASSES:].unflatten(-1, (4, BINS)).log_softmax(-1) for a in (answer, teacher))
    apart = (other.exp() * (other - own)).sum(-1).mean(-1)
    weight = sure * (sure > 0.1)
    loss: Tensor = (classes + (apart * weight).sum()) / weight.sum().clamp(min=1)
    return loss


def _certain(places: Tensor, doubtful: Tensor, target: Tensor) -> Tensor:
    """(cells, classes) 0 where an object that is perhaps there may be answered, else 1."""
    certain = torch.ones_like(target)
    corners = places[:, :2] * places[:, 2:]
    for row in doubtful:
        inside = ((corners >= row[:2]) & (corners <= row[2:4])).all(1)
        certain[inside, int(row[5])] = 0
    return torch.where(target > 0, 1.0, certain)
