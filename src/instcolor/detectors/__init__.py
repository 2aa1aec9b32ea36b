"""Detectors: the lightness of a photo in, objects out. `load_detector` finds one by name, by file or by family."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DetectorError, InstcolorError
from ..models.registry import detectors_folder
from ..objects import DetectedObject

if TYPE_CHECKING:
    from .onnx_detector import OnnxDetector

ENTRY_POINTS = "instcolor.detectors"
TORCHVISION = "torchvision"
BUILTIN = "builtin"
"""The name of the detector that comes with the package."""


class Detector(Protocol):
    """Anything that finds objects in a photo."""

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        """The objects in an (h, w) plane of L* 0..100, boxes in its pixels."""
        ...


def load_detector(
    name_or_path: str | Path,
    *,
    threshold: float | None = None,
    limit: int | None = None,
    threads: int | None = None,
    labels: Mapping[int, str] | None = None,
    faces: bool = False,
) -> Detector | None:
    """The detector of that name, or in that ONNX file; None for "none".

    `name_or_path` is "builtin" for the detector of the package, "none", a file (its family is recognized by its inputs
    and outputs), "family:file" (see `families`), "torchvision" for its Mask R-CNN (which it downloads) or
    "torchvision:file" for a state dict of that, or a name registered by another package as an entry point of the group
    `instcolor.detectors`: a callable that takes the options given here as keywords and returns a Detector; or the name
    of one that was downloaded.

    `threshold` is the lowest score (default: the family's), `limit` the most objects for a photo, `threads` the number
    of threads of one run (default: ONNX Runtime's choice), `labels` maps class numbers to names (default: COCO's, as
    the family numbers them), `faces` whether heads are found beside whatever it finds.
    Raises DetectorError where there is no such detector, or the file is damaged or of no known family.
    """
    given = {"threshold": threshold, "limit": limit, "labels": labels}
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    detector = _load(str(name_or_path), threads, options)
    if detector is None or not faces:
        return detector
    from .packaged import with_heads

    return with_heads(detector, threads)


def _load(name: str, threads: int | None, options: dict[str, Any]) -> Detector | None:
    if name == "none":
        return None
    prefix, colon, rest = name.partition(":")
    if colon and prefix in families():
        return _from_file(rest, families()[prefix], threads, options)
    if name == BUILTIN:
        from .builtin import load_builtin

        return load_builtin(threads=threads, **options)
    if prefix == TORCHVISION:
        from .torchvision import TorchvisionMaskRcnn

        return TorchvisionMaskRcnn(Path(rest) if colon else None, threads=threads, **options)
    registered = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name in registered:
        if threads is not None:
            options["threads"] = threads
        try:
            found: Detector | None = registered[name].load()(**options)
            return found
        except InstcolorError:
            raise
        except Exception as error:
            raise DetectorError(f"detector {name}: {' '.join(str(error).split()) or type(error).__name__}") from error
    downloaded = {path.stem: path for path in detectors_folder().glob("*.onnx")}
    if name in downloaded:
        return _from_file(str(downloaded[name]), None, threads, options)
    if Path(name).suffix or Path(name).exists():
        return _from_file(name, None, threads, options)
    files = (f"{family}:FILE" for family in families())
    known = ", ".join([BUILTIN, "none", TORCHVISION, *sorted({*registered, *downloaded}), *files])
    raise DetectorError(f"{name}: no such detector or file; known are {known}, or an ONNX file")


def families() -> dict[str, type[OnnxDetector]]:
    """The families of ONNX files that can be named, in the order in which a file is tried."""
    from .builtin import BuiltinDetector
    from .onnx_detr import Detr, DinoDetr
    from .onnx_mask_rcnn import MaskRcnn
    from .onnx_nanodet import NanoDet
    from .onnx_picodet import PicoDet
    from .onnx_yolox import Yolox

    return {
        BUILTIN: BuiltinDetector,
        "nanodet": NanoDet,
        "deim": Detr,
        "rtdetr": Detr,
        "deim-dinov3": DinoDetr,
        "yolox": Yolox,
        "picodet": PicoDet,
        "mask-rcnn": MaskRcnn,
    }


def _from_file(path: str, family: type[OnnxDetector] | None, threads: int | None, options: dict[str, Any]) -> Detector:
    from .onnx_file import OnnxFile

    if Path(path).suffix.lower() in (".json", ".npz"):
        raise DetectorError(f"{path}: holds boxes, not a detector; give it as boxes")
    file = OnnxFile(path, threads)
    if family is None:
        family = next((kind for kind in families().values() if kind.recognizes(file)), None)
    if family is None:
        raise DetectorError(f"{path}: a detector of no known family ({file.describe()})")
    return family(file, **options)
