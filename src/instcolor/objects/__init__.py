"""Objects of a photo: a box, a label, a score, perhaps a mask; which of them to color; boxes files in and out."""

from __future__ import annotations

from .boxes import Boxes
from .detected import LIMIT, MAX_IOU, MIN_AREA, DetectedObject, PhotoObjects, plain_objects, select, without_masks
from .geometry import Box, Size, clip, iou
from .masks import Mask
from .reading import read_boxes
from .rle import from_run_lengths, run_lengths
from .writing import to_coco, to_json

__all__ = [
    "LIMIT",
    "MAX_IOU",
    "MIN_AREA",
    "Box",
    "Boxes",
    "DetectedObject",
    "Mask",
    "PhotoObjects",
    "Size",
    "clip",
    "from_run_lengths",
    "iou",
    "plain_objects",
    "read_boxes",
    "run_lengths",
    "select",
    "to_coco",
    "to_json",
    "without_masks",
]
