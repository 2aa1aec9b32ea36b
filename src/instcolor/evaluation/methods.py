"""The methods that a table compares: what colours a photo, and with which of its objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..objects import DetectedObject
from ..runtime.model import ColorModel
from .protocol import Case

Choice = Callable[[Case], Sequence[DetectedObject]]

GREY = "grey"
FULL = "full image"
FUSED = "fused"


def no_objects(case: Case) -> Sequence[DetectedObject]:
    return ()


def chosen_objects(case: Case) -> Sequence[DetectedObject]:
    return case.chosen


@dataclass(frozen=True, eq=False)
class Method:
    """A row: `model` colours a photo with the objects that `choose` takes; without a model the photo stays grey."""

    name: str
    model: ColorModel | None = None
    choose: Choice = no_objects
    owner: str = ""  # the model's name, where a table has several


def standard_methods(model: ColorModel, owner: str = "", fused: bool = True) -> list[Method]:
    """Full image alone and, where there are objects to fuse, fused."""
    rows = [Method(FULL, model, no_objects, owner)]
    return [*rows, Method(FUSED, model, chosen_objects, owner)] if fused else rows
