"""The methods that a table compares: what colours a photo, and with which of its objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..hints import Hints
from ..objects import DetectedObject
from ..runtime.model import ColorModel
from .protocol import Case

Choice = Callable[[Case], Sequence[DetectedObject]]
HINT_CELLS = 2  # pixels on each side of an object's center whose mean color is the hint

GREY = "grey"
FULL = "full image"
FUSED = "fused"


def no_objects(case: Case) -> Sequence[DetectedObject]:
    return ()


def chosen_objects(case: Case) -> Sequence[DetectedObject]:
    return case.chosen


def no_hints(case: Case) -> Hints:
    return Hints.none()


def center_hints(case: Case) -> Hints:
    """One point at the center of every measured object, with the true color there."""
    points = []
    for item in case.objects:
        y, x = ((part.start + part.stop) // 2 for part in case.window(item))
        around = case.truth_lab[
            max(0, y - HINT_CELLS) : y + HINT_CELLS + 1, max(0, x - HINT_CELLS) : x + HINT_CELLS + 1
        ]
        x0, y0, x1, y1 = item.box
        points.append(((x0 + x1) / 2, (y0 + y1) / 2, *around[..., 1:].mean((0, 1))))
    return Hints(np.array(points, np.float32).reshape(-1, 4))


@dataclass(frozen=True, eq=False)
class Method:
    """A row: `model` colours a photo with the objects that `choose` takes; without a model the photo stays grey."""

    name: str
    model: ColorModel | None = None
    choose: Choice = no_objects
    owner: str = ""  # the model's name, where a table has several
    hint: Callable[[Case], Hints] = no_hints


def standard_methods(model: ColorModel, owner: str = "", fused: bool = True) -> list[Method]:
    """Full image alone and, where there are objects to fuse, fused."""
    rows = [Method(FULL, model, no_objects, owner)]
    return [*rows, Method(FUSED, model, chosen_objects, owner)] if fused else rows


def hinted(methods: Sequence[Method]) -> list[Method]:
    """The same methods with a hint at the center of every measured object."""
    return [replace(method, name=f"{method.name}, hinted", hint=center_hints) for method in methods]
