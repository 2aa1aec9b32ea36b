"""instcolor gives old black-and-white photographs their color back, object by object."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .colorizer import Colorizer, Look
    from .detectors import Detector, load_detector
    from .errors import BoxesError, DetectorError, InstcolorError, ModelError, PhotoError
    from .hints import Hints
    from .objects import DetectedObject, read_boxes
    from .photo import Photo

__version__ = "0.1.0"

_HOMES = {
    "BoxesError": "errors",
    "Colorizer": "colorizer",
    "DetectedObject": "objects",
    "Detector": "detectors",
    "DetectorError": "errors",
    "Hints": "hints",
    "InstcolorError": "errors",
    "Look": "colorizer",
    "ModelError": "errors",
    "Photo": "photo",
    "PhotoError": "errors",
    "load_detector": "detectors",
    "read_boxes": "objects",
}
__all__ = [
    "BoxesError",
    "Colorizer",
    "DetectedObject",
    "Detector",
    "DetectorError",
    "Hints",
    "InstcolorError",
    "Look",
    "ModelError",
    "Photo",
    "PhotoError",
    "load_detector",
    "read_boxes",
]


def __getattr__(name: str) -> Any:
    """Public names are loaded when first asked for, so that `import instcolor` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
