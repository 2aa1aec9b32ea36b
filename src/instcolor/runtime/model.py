"""A color model on ONNX Runtime: one graph for objects, one for the whole photo with the fusion inside."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..inputs import Canvas, Inputs, Places, Sizes
from ..sessions import open_session, reason

Plane = NDArray[np.float32]
CANVAS = frozenset(Canvas._fields)  # what every graph of a network takes
PLACES = frozenset(Places._fields)
OPTIONAL = frozenset({"coverage"})  # an older file lacks this input: there an object fills its box, whatever its mask


class Answer(NamedTuple):
    """What a color network says about a photo. Each lies over the whole photo, on a grid (h, w) of its own."""

    ab: Plane  # (h, w, 2), the regression
    logits: Plane  # (h, w, bins), the distribution; its grid is never finer than that of ab


class ColorModel(Protocol):
    """Anything that colors prepared inputs."""

    sizes: Sizes

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """What the model says of one photo, ab (h, w, 2) in Lab units and logits (h', w', bins), with its objects.

        Raises ModelError where it does not run.
        """
        ...


class OnnxModel:
    """Two ONNX files. Thread-safe: ONNX Runtime sessions may run from several threads at once.

    `photo` takes L, hint_ab, hint_mask of the photo, crop, box, pixels, coverage of the objects and `<tap>.feature`,
    `<tap>.weight` for every tap of the instance network; gives ab and logits. Without objects it is exactly the
    full-image network. `objects` takes L, hint_ab, hint_mask of the crops and gives those taps; it is loaded when
    the first object comes.

    Raises ModelError: a file is missing, damaged or another model's, or does not run.
    """

    def __init__(self, photo: Path, objects: Path, sizes: Sizes, *, threads: int | None = None) -> None:
        side, crop, multiple = sizes.side, sizes.instance_size, sizes.multiple
        if side < 1 or crop < 1 or multiple < 1 or crop % multiple:
            raise ModelError(f"{photo}: no model has side {side}, instance size {crop}, multiple {multiple}")
        self.sizes = sizes
        self._photo = Graph(photo, threads, CANVAS | PLACES - OPTIONAL, {"ab", "logits"})
        self._taps = {name: shape for name, shape in self._photo.inputs.items() if "." in name}
        self._objects_path, self._threads = objects, threads
        self._objects: Graph | None = None
        self._lock = threading.Lock()

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """The colors of the photo with the taps of its objects blended in, both on a quarter of the input's grid."""
        feeds = inputs.photo._asdict() | inputs.places._asdict() | self.instance_taps(inputs.objects)
        return self._photo.answer(feeds)

    def instance_taps(self, objects: Canvas[Plane]) -> dict[str, Plane]:
        """Features (N, C, h, w) and weights (N, 1, h, w) of the objects at every tap; empty without objects."""
        if not len(objects.L):
            return {name: np.zeros((0, shape[1], 1, 1), np.float32) for name, shape in self._taps.items()}
        with self._lock:
            if self._objects is None:
                self._objects = Graph(self._objects_path, self._threads, CANVAS, set(self._taps))
        names = list(self._taps)
        return dict(zip(names, self._objects.run(names, objects._asdict()), strict=True))


class Graph:
    """One ONNX file on the CPU that has these inputs and outputs (it may have more). Raises ModelError."""

    def __init__(self, path: Path, threads: int | None, inputs: Set[str], outputs: Set[str]) -> None:
        self.path = path
        self._session = load_session(path, threads)
        self.inputs: dict[str, list[Any]] = {i.name: i.shape for i in self._session.get_inputs()}
        lacking = inputs - set(self.inputs) | outputs - {o.name for o in self._session.get_outputs()}
        if lacking:
            raise ModelError(f"{path}: not this part of a color model (it lacks {', '.join(sorted(lacking)[:3])})")

    def answer(self, feeds: Mapping[str, Plane]) -> Answer:
        """What a graph with the outputs ab and logits says about one photo. Raises ModelError."""
        ab, logits = self.run(["ab", "logits"], feeds)
        return Answer(channels_last(ab), channels_last(logits))

    def run(self, outputs: list[str], feeds: Mapping[str, Plane]) -> list[Plane]:
        """The outputs of these names, NCHW; of the planes those are taken that the graph has an input for.

        Raises ModelError where it does not run.
        """
        try:
            taken = {name: plane for name, plane in feeds.items() if name in self.inputs}
            result: list[Plane] = self._session.run(outputs, taken)
        except Exception as error:  # as in load_session
            raise ModelError(f"{self.path}: the model does not run ({reason(error)})") from error
        return result


def channels_last(planes: Plane) -> Plane:
    """(1, C, h, w) as a network gives it to (h, w, C) as the rest of the way takes it."""
    return np.ascontiguousarray(planes[0].transpose(1, 2, 0))


def load_session(path: Path, threads: int | None) -> Any:
    """An ONNX Runtime session on the CPU. Raises ModelError for a missing or damaged file."""
    if not path.is_file():
        raise ModelError(f"{path}: model file is missing")

    try:
        return open_session(path, threads)
    except Exception as error:  # as ONNX Runtime raises them
        raise ModelError(f"{path}: not a usable model ({reason(error)})") from None
