"""What `instcolor evaluate` asks for, checked, loaded and run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..colorizer import load_model
from ..detectors import load_detector
from ..errors import InstcolorError
from ..models import registry
from ..objects import read_boxes
from . import report
from .measure import STYLES, Result
from .methods import GREY, Method, standard_methods
from .photos import find_photos
from .protocol import Protocol
from .run import evaluate

Item = TypeVar("Item")


@dataclass(frozen=True)
class Request:
    """The options of the command; see its help."""

    data: Path
    models: tuple[str, ...] = ()  # of the registry
    weights: tuple[str, ...] = ()  # each "full" or "full,instance,fusion"
    detector: str = "annotations"
    boxes: Path | None = None
    size: str = "256"
    squash: bool = False
    styles: tuple[str, ...] = ()
    limit: int | None = None
    threads: int | None = None


def run(request: Request) -> bool:
    """Measures and prints the tables; returns whether some photo could not be used. Raises InstcolorError."""
    protocol = Protocol(_side(request.size), request.squash)
    unknown = set(request.styles) - set(STYLES)
    if unknown:
        raise InstcolorError(f"{', '.join(sorted(unknown))}: no such style; known are {', '.join(STYLES)}")
    photos = spread(find_photos(request.data), request.limit)
    listed = request.boxes or (request.data if request.data.suffix.lower() == ".json" else None)
    boxes = read_boxes(listed) if listed else None
    found = request.detector not in ("annotations", "none")
    detector = load_detector(request.detector, threads=request.threads) if found else None
    fused = detector is not None or (boxes is not None and request.detector == "annotations")
    progress = _Progress(len(photos))
    evaluation = evaluate(
        photos,
        _methods(request, fused),
        protocol,
        boxes=boxes,
        detector=detector,
        styles=request.styles or STYLES,
        watch=progress,
    )
    progress.end()
    print(report.markdown(evaluation), end="")
    for failure in evaluation.failures:
        print(f"error: {failure}", file=sys.stderr)
    return bool(evaluation.failures)


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most `limit` of the items, evenly spread over them, in order."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def _side(size: str) -> int | None:
    if size == "own":
        return None
    if not size.isdecimal() or not 32 <= int(size) <= 4096:
        raise InstcolorError(f"{size}: size is neither own nor a side of 32 to 4096 pixels")
    return int(size)


def _methods(request: Request, fused: bool) -> list[Method]:
    methods = [Method(GREY)]
    for files in request.weights:
        from .weights import load_torch_model  # torch only where it is needed

        paths = files.split(",")
        model = load_torch_model(paths, threads=request.threads)
        methods += standard_methods(model, Path(paths[0]).stem, fused and len(paths) > 1)
    for name in request.models or (() if request.weights else (registry.DEFAULT,)):
        methods += standard_methods(load_model(name, request.threads), name, fused)
    return methods


class _Progress:
    """Counts photos on a terminal's standard error."""

    def __init__(self, total: int):
        self.total, self.done, self.last = total, 0, ""
        self.shown = sys.stderr.isatty()

    def __call__(self, result: Result) -> None:
        if result.case.name != self.last:
            self.last = result.case.name
            self.done += 1
            if self.shown:
                print(f"\r{self.done} / {self.total} photos", end="", file=sys.stderr)

    def end(self) -> None:
        if self.shown:
            print(file=sys.stderr)
