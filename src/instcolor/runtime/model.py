"""A colour model on ONNX Runtime: one graph for objects, one for the whole photo with the fusion inside."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..sessions import open_session, reason
from .inputs import SURROUNDINGS, Inputs

PHOTO_INPUTS = ("L", "hint_ab", "hint_mask")
PLACE_INPUTS = ("crop", "box", "pixels")
COVERAGE = "coverage"  # an older file lacks this input: there an object fills its box, whatever its mask


class Answer(NamedTuple):
    """What a colour network says about a photo. Each lies over the whole photo, on a grid (h, w) of its own."""

    ab: NDArray[np.float32]  # (h, w, 2), the regression
    logits: NDArray[np.float32]  # (h, w, bins), the distribution; its grid is never finer than that of ab


class ColorModel(Protocol):
    """Anything that colours prepared inputs."""

    side: int  # the whole photo is brought to an area of about side x side
    instance_size: int  # side of the objects' crops
    multiple: int  # the sides of the whole photo are multiples of it
    squash: bool  # the whole photo becomes a square, whatever its aspect
    surroundings: float  # of its box, on each side, that an object's crop shows beside it

    def answer(self, inputs: Inputs) -> Answer: ...


class OnnxModel:
    """Two ONNX files. Thread-safe: ONNX Runtime sessions may run from several threads at once.

    `photo` takes L, hint_ab, hint_mask of the photo, crop, box, pixels, coverage of the objects and `<tap>.feature`,
    `<tap>.weight` for every tap of the instance network; gives ab and logits. Without objects it is exactly the
    full-image network. `objects` takes L, hint_ab, hint_mask of the crops and gives those taps; it is loaded when
    the first object comes.

    Raises ModelError: a file is missing, damaged or another model's, or does not run.
    """

    squash = False
    surroundings = SURROUNDINGS

    def __init__(
        self, photo: Path, objects: Path, *, side: int, instance_size: int, multiple: int, threads: int | None = None
    ):
        if side < 1 or instance_size < 1 or multiple < 1 or instance_size % multiple:
            raise ModelError(f"{photo}: no model has side {side}, instance size {instance_size}, multiple {multiple}")
        self.side, self.instance_size, self.multiple = side, instance_size, multiple
        self._photo = Graph(photo, threads, {*PHOTO_INPUTS, *PLACE_INPUTS}, {"ab", "logits"})
        self._places = [name for name in (*PLACE_INPUTS, COVERAGE) if name in self._photo.inputs]
        self._taps = {name: shape for name, shape in self._photo.inputs.items() if "." in name}
        self._objects_path, self._threads = objects, threads
        self._objects: Graph | None = None
        self._lock = threading.Lock()

    def answer(self, inputs: Inputs) -> Answer:
        feeds = {name: getattr(inputs, name) for name in (*PHOTO_INPUTS, *self._places)}
        feeds |= self.instance_taps(inputs)
        ab, logits = self._photo.run(["ab", "logits"], feeds)
        return Answer(channels_last(ab), channels_last(logits))

    def instance_taps(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        """Features (N, C, h, w) and weights (N, 1, h, w) of the objects at every tap; empty without objects."""
        if not len(inputs.object_L):
            return {name: np.zeros((0, shape[1], 1, 1), np.float32) for name, shape in self._taps.items()}
        with self._lock:
            if self._objects is None:
                self._objects = Graph(self._objects_path, self._threads, set(PHOTO_INPUTS), set(self._taps))
        feeds = {name: getattr(inputs, f"object_{name}") for name in PHOTO_INPUTS}
        names = list(self._taps)
        return dict(zip(names, self._objects.run(names, feeds), strict=True))


class Graph:
    """One ONNX file on the CPU that has these inputs and outputs (it may have more). Raises ModelError."""

    def __init__(self, path: Path, threads: int | None, inputs: set[str], outputs: set[str]):
        self.path = path
        self._session = load_session(path, threads)
        self.inputs: dict[str, list[Any]] = {i.name: i.shape for i in self._session.get_inputs()}
        lacking = inputs - set(self.inputs) | outputs - {o.name for o in self._session.get_outputs()}
        if lacking:
            raise ModelError(f"{path}: not this part of a color model (it lacks {', '.join(sorted(lacking)[:3])})")

    def run(self, outputs: list[str], feeds: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        try:
            result: list[NDArray[np.float32]] = self._session.run(outputs, feeds)
        except Exception as error:  # as in load_session
            raise ModelError(f"{self.path}: the model does not run ({reason(error)})") from error
        return result


def channels_last(planes: NDArray[np.float32]) -> NDArray[np.float32]:
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
