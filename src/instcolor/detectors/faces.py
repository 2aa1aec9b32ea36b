"""Heads: YuNet finds faces, and a face with the hair and chin around it is an object to color on its own.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023), weights of the
OpenCV Zoo (MIT). Where a face is, is all that is asked of it: nobody is told apart from anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..colorspace import lab_to_srgb8
from ..objects import DetectedObject, clip
from ..upsampling import resize_plane
from .findings import Findings, best
from .onnx_file import OnnxFile, grid

if TYPE_CHECKING:
    from . import Detector

LABEL = "face"
STRIDES = (8, 16, 32)
LONG_SIDE = 640  # pixels of the photo as the network sees it, at most
MULTIPLE = 32
THRESHOLD = 0.6
OVERLAP = 0.3  # above this IoU two findings are one face
BESIDE, ABOVE, BELOW = 0.45, 0.45, 0.30  # of the face's sides: what of a head its box leaves out


class FaceDetector:
    """One ONNX file; thread-safe."""

    def __init__(self, file: OnnxFile, threshold: float = THRESHOLD) -> None:
        self.file, self.threshold = file, threshold

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        """The heads in an (h, w) plane of L* 0..100, best first; boxes in its pixels. Raises DetectorError."""
        height, width = L.shape
        if not height or not width:
            return []
        scale = min(1.0, LONG_SIDE / max(L.shape))
        shown = max(1, round(height * scale)), max(1, round(width * scale))
        picture = np.zeros([-(-side // MULTIPLE) * MULTIPLE for side in shown], np.float32)  # below and right: black
        small = resize_plane(L, shown)
        picture[: shown[0], : shown[1]] = lab_to_srgb8(small, np.zeros((*shown, 2), np.float32))[..., 0]
        found = self._find(picture)
        found = found._replace(boxes=found.boxes * np.tile([width / shown[1], height / shown[0]], 2).astype(np.float32))
        faces = best(
            found, (width, height), threshold=self.threshold, limit=len(found.boxes), labels={0: LABEL}, overlap=OVERLAP
        )
        return [head(face, (width, height)) for face in faces]

    def _find(self, picture: NDArray[np.float32]) -> Findings:
        """Faces in gray values 0..255 of (H, W) pixels, multiples of 32."""
        names = [f"{name}_{stride}" for name in ("cls", "obj", "bbox") for stride in STRIDES]
        answers = self.file.run({"input": np.repeat(picture[None, None], 3, 1)}, names)
        kind, there, box = (np.concatenate([a[0] for a in answers[i : i + 3]]) for i in (0, 3, 6))
        cells = grid(picture.shape[::-1], STRIDES)
        stride = cells[:, 2:]
        middle, size = (cells[:, :2] + box[:, :2]) * stride, np.exp(box[:, 2:].clip(max=8)) * stride
        scores = np.sqrt(kind.clip(0, 1) * there.clip(0, 1))[:, 0]
        boxes = np.concatenate([middle - size / 2, middle + size / 2], 1)
        return Findings(boxes.astype(np.float32), scores, np.zeros(len(scores), np.int64))


class WithHeads:
    """A detector that finds heads beside what another finds."""

    def __init__(self, detector: Detector, faces: FaceDetector) -> None:
        self.detector, self.faces = detector, faces

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        """The objects in an (h, w) plane of L* 0..100, best first; boxes in its pixels. Raises DetectorError."""
        found = [*self.detector.detect(L), *self.faces.detect(L)]
        return sorted(found, key=lambda item: -item.score)


def head(face: DetectedObject, size: tuple[int, int]) -> DetectedObject:
    """The head that a face belongs to, in a photo of `size` (width, height)."""
    x0, y0, x1, y1 = face.box
    w, h = x1 - x0, y1 - y0
    box = clip((x0 - BESIDE * w, y0 - ABOVE * h, x1 + BESIDE * w, y1 + BELOW * h), size)
    return DetectedObject(box or face.box, face.label, face.score)
