"""A colour model on ONNX Runtime: one graph for objects, one for the whole photo with the fusion inside."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .inputs import Inputs


class Answer(NamedTuple):
    """What a colour network says about a photo, on its own coarse grid (h, w)."""

    ab: NDArray[np.float32]  # (h, w, 2), the regression
    logits: NDArray[np.float32]  # (h, w, bins), the distribution


class ColorModel(Protocol):
    """Anything that colours prepared inputs."""

    side: int  # the whole photo is brought to an area of about side x side
    instance_size: int  # side of the objects' crops
    multiple: int  # the sides of the whole photo are multiples of it

    def answer(self, inputs: Inputs) -> Answer: ...


class OnnxModel:
    """Two ONNX files. Thread-safe: ONNX Runtime sessions may run from several threads at once.

    `photo` takes L, hint_ab, hint_mask of the photo, crop, box, pixels of the objects and `<tap>.feature`,
    `<tap>.weight` for every tap of the instance network; gives ab and logits. Without objects it is exactly the
    full-image network. `objects` takes L, hint_ab, hint_mask of the crops and gives those taps.
    """

    def __init__(
        self, photo: Path, objects: Path, *, side: int, instance_size: int, multiple: int, threads: int | None = None
    ):
        self.side, self.instance_size, self.multiple = side, instance_size, multiple
        self._photo = load_session(photo, threads)
        self._objects_path, self._threads = objects, threads
        self._objects: Any = None
        self._lock = threading.Lock()
        self._taps = {i.name: i.shape for i in self._photo.get_inputs() if "." in i.name}

    def answer(self, inputs: Inputs) -> Answer:
        feeds = {name: getattr(inputs, name) for name in ("L", "hint_ab", "hint_mask", "crop", "box", "pixels")}
        feeds |= self._instance_taps(inputs)
        ab, logits = self._photo.run(["ab", "logits"], feeds)
        return Answer(*(np.ascontiguousarray(plane[0].transpose(1, 2, 0)) for plane in (ab, logits)))

    def _instance_taps(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        if not len(inputs.object_L):
            return {name: np.zeros((0, shape[1], 1, 1), np.float32) for name, shape in self._taps.items()}
        with self._lock:  # loaded when the first object comes
            if self._objects is None:
                self._objects = load_session(self._objects_path, self._threads)
        feeds = {"L": inputs.object_L, "hint_ab": inputs.object_hint_ab, "hint_mask": inputs.object_hint_mask}
        names = list(self._taps)
        return dict(zip(names, self._objects.run(names, feeds), strict=True))


def load_session(path: Path, threads: int | None) -> Any:
    """An ONNX Runtime session on the CPU. Raises ModelError for a missing or damaged file."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    if not path.is_file():
        raise ModelError(f"{path}: model file is missing")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own types, all derived from Exception only
        raise ModelError(f"{path}: not a usable model ({' '.join(str(error).split())[:120]})") from None
