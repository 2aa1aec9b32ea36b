"""The methods that a table compares: what colors a photo, and with which of its objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...hints import PATCH, Hints
from ...objects import DetectedObject
from ...runtime.model import ColorModel
from .protocol import Case

Choice = Callable[[Case], Sequence[DetectedObject]]
PATCH_SHARE = PATCH / 256  # of a photo's side that a hint's patch takes, where the photo is seen at 256 x 256

GRAY = "gray"
FULL = "full image"
FUSED = "fused"
ANNOTATED = "fused, annotated boxes"
HINTED = ", hinted"  # after the name of a method


def no_objects(case: Case) -> Sequence[DetectedObject]:
    """For a method that colors the photo alone."""
    return ()


def chosen_objects(case: Case) -> Sequence[DetectedObject]:
    """For a method that colors the objects of the protocol by themselves."""
    return case.chosen


def annotated_boxes(case: Case) -> Sequence[DetectedObject]:
    """The measured objects themselves."""
    return case.objects


def no_hints(case: Case) -> Hints:
    """For a method that is told no colors."""
    return Hints.none()


def center_hints(case: Case) -> Hints:
    """One point at the center of every measured object, in the mean true color of the patch that it is drawn as.

    What of that patch is outside the object's box does not count.
    """
    reach = int(PATCH_SHARE / 2 * math.sqrt(case.truth.shape[0] * case.truth.shape[1]))
    points = []
    for item in case.objects:
        around = tuple(_middle(part, reach) for part in case.window(item))
        x0, y0, x1, y1 = item.box
        points.append(((x0 + x1) / 2, (y0 + y1) / 2, *case.truth_lab[around][..., 1:].mean((0, 1))))
    return Hints(np.array(points, np.float32).reshape(-1, 4))


def _middle(part: slice, reach: int) -> slice:
    """The middle of a range and so many places on each side, inside it."""
    middle = (part.start + part.stop) // 2
    return slice(max(part.start, middle - reach), min(part.stop, middle + reach + 1))


@dataclass(frozen=True, eq=False)
class Method:
    """A row: `model` colors a photo with the objects that `choose` takes; without a model the photo stays gray."""

    name: str
    model: ColorModel | None = None
    choose: Choice = no_objects
    owner: str = ""  # the model's name, where a table has several
    hint: Callable[[Case], Hints] = no_hints


def standard_methods(model: ColorModel, owner: str = "", fused: bool = True, both: bool = False) -> list[Method]:
    """Full image alone and, where there are objects to fuse, fused; with `both` also with the annotated ones."""
    rows = [Method(FULL, model, no_objects, owner)]
    rows += [Method(FUSED, model, chosen_objects, owner)] if fused else []
    return [*rows, Method(ANNOTATED, model, annotated_boxes, owner)] if fused and both else rows


def hinted(methods: Sequence[Method]) -> list[Method]:
    """The same methods with a hint at the center of every measured object."""
    return [replace(method, name=method.name + HINTED, hint=center_hints) for method in methods]
