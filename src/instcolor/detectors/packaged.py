"""The networks of the package that find things: their files checked, their facts read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import DetectorError, ModelError
from ..models import registry
from .faces import FaceDetector, WithHeads
from .masks import MaskFinder
from .onnx_file import OnnxFile

if TYPE_CHECKING:
    from . import Detector


def open_packaged(name: str, threads: int | None = None) -> tuple[OnnxFile, registry.ModelEntry]:
    """The file and the facts of one of `registry.FINDERS`. Raises DetectorError."""
    try:
        entry = registry.find(name)
        entry.verify()
    except ModelError as error:
        raise DetectorError(str(error)) from error
    return OnnxFile(entry.folder / entry.files[0], threads), entry


def number(entry: registry.ModelEntry, key: str) -> float:
    """A finite number among the facts of a network. Raises DetectorError."""
    value: Any = entry.network.get(key)
    if type(value) not in (int, float) or not math.isfinite(value):
        raise DetectorError(f"{entry.folder / registry.FACTS}: network.{key} is not a number")
    return float(value)


def load_faces(threads: int | None = None) -> FaceDetector:
    """What finds heads. Raises DetectorError."""
    file, entry = open_packaged(registry.FACES, threads)
    return FaceDetector(file, number(entry, "threshold"))


def with_heads(detector: Detector, threads: int | None = None) -> Detector:
    """That detector, and what finds heads beside it. Raises DetectorError."""
    return WithHeads(detector, load_faces(threads))


def load_masks(threads: int | None = None) -> MaskFinder:
    """What finds outlines. Raises DetectorError."""
    return MaskFinder(open_packaged(registry.MASKS, threads)[0])
