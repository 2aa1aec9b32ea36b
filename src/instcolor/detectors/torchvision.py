"""torchvision's Mask R-CNN (`maskrcnn_resnet50_fpn_v2`), for those who have torchvision installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coco import NAME_OF_ID
from ..errors import DetectorError
from ..objects import DetectedObject, Mask
from ..sessions import reason
from .findings import Findings, best
from .picture import gray_picture, resized

SHORT_SIDE, LONG_SIDE = 800, 1333  # of the picture as the network sees it
MASK_SIDE = 28  # cells of the network's own masks, which it hands out enlarged to the picture


class TorchvisionMaskRcnn:
    """RGB in 0..1 in, boxes, labels by COCO's ids, scores and masks out; may be asked from several threads.

    Threshold and number of objects are those of Su et al. 2020, unless given. `threads` are those of
    torch, in the whole process.
    """

    def __init__(
        self,
        weights: Path | None = None,
        *,
        threshold: float = 0.7,
        limit: int = 8,
        labels: Mapping[int, str] = NAME_OF_ID,
        threads: int | None = None,
    ) -> None:
        """`weights`: a state dict; None has torchvision download its own. Raises DetectorError."""
        name = "torchvision" if weights is None else str(weights)
        try:
            self._torch = import_module("torch")
            zoo = import_module("torchvision.models.detection")
        except Exception as error:  # ImportError, or whatever two packages that do not fit each other raise
            raise DetectorError(f"{name}: needs torch and torchvision ({reason(error)})") from error
        if threads is not None:
            self._torch.set_num_threads(threads)
        try:
            self._network = zoo.maskrcnn_resnet50_fpn_v2(
                weights="DEFAULT" if weights is None else None,
                weights_backbone=None,
                box_score_thresh=threshold,
                box_detections_per_img=limit,
            ).eval()
            if weights is not None:
                self._network.load_state_dict(self._torch.load(weights, map_location="cpu", weights_only=True))
        except Exception as error:  # no network, no such file, a file of something else
            raise DetectorError(f"{name}: the weights cannot be loaded ({reason(error)})") from error
        self.threshold, self.limit, self.labels = threshold, limit, labels

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        """The objects in an (h, w) plane of L* 0..100, best first; boxes in its pixels. Raises DetectorError."""
        if L.size == 0:
            return []
        size = (L.shape[1], L.shape[0])
        # The network would shrink a large photo itself, and hand out each mask in the size of the large one.
        scale = min(1.0, SHORT_SIDE / min(size), LONG_SIDE / max(size))
        small = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
        gray = gray_picture(L)
        plane = np.asarray(gray if small == size else resized(gray, small), np.float32) / 255
        try:
            with self._torch.inference_mode():
                found: dict[str, Any] = self._network([self._torch.from_numpy(plane).expand(3, -1, -1)])[0]
        except RuntimeError as error:
            raise DetectorError(f"torchvision: the detector failed ({reason(error)})") from error
        boxes, scores, classes, wide = (found[key].numpy() for key in ("boxes", "scores", "labels", "masks"))
        masks = np.zeros((len(boxes), MASK_SIDE, MASK_SIDE), np.float32)
        for i, (x0, y0, x1, y1) in enumerate(boxes):
            if x1 > x0 and y1 > y0:
                masks[i] = Mask((0, 0, *small), wide[i, 0]).over((x0, y0, x1, y1), (MASK_SIDE, MASK_SIDE))
        boxes = boxes * np.array((size[0] / small[0], size[1] / small[1]) * 2, np.float32)
        return best(
            Findings(boxes, scores, classes, masks),
            size,
            threshold=self.threshold,
            limit=self.limit,
            labels=self.labels,
            overlap=1.0,  # the network has dropped its double boxes
        )
