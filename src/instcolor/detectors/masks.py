"""Figure and ground: the part of its box that an object fills, for objects from any detector or file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..objects import DetectedObject, Mask, clip
from ..objects.crops import OUTSIDE, surrounded, window
from ..upsampling import resize_plane
from .onnx_file import OnnxFile

SIDE = 128  # pixels of a crop
TOGETHER = 8  # crops in one run: more would not be faster, and need more memory


class MaskFinder:
    """One ONNX file: `L` (n, 1, side, side) of crops, 0..100, to `mask` (n, 1, h, w), 0..1. Thread-safe."""

    def __init__(self, file: OnnxFile) -> None:
        self.file = file

    def outlined(self, L: NDArray[np.float32], objects: Iterable[DetectedObject]) -> list[DetectedObject]:
        """The objects of an (h, w) plane of L* 0..100, with a mask each; those that have one keep it.

        A box without a part on the photo stays without a mask. Raises DetectorError.
        """
        given = list(objects)
        size = L.shape[1], L.shape[0]
        open_ = [i for i, item in enumerate(given) if item.mask is None and clip(item.box, size)]
        for start in range(0, len(open_), TOGETHER):
            places = open_[start : start + TOGETHER]
            regions = [surrounded(clip(given[i].box, size) or given[i].box) for i in places]
            crops = np.stack([_crop(L, region) for region in regions])[:, None]
            (planes,) = self.file.run({"L": crops}, ["mask"])
            for i, region, plane in zip(places, regions, planes[:, 0], strict=True):
                given[i] = replace(given[i], mask=Mask(region, plane.astype(np.float32)))
        return given


def _crop(L: NDArray[np.float32], region: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """(SIDE, SIDE) of a region of the photo."""
    part = window(region, (L.shape[1], L.shape[0]), SIDE)
    crop = np.full((SIDE, SIDE), OUTSIDE, np.float32)
    shape = part.rows.stop - part.rows.start, part.columns.stop - part.columns.start
    crop[part.rows, part.columns] = resize_plane(L, shape, part.source)
    return crop
