"""The three networks of Su et al. 2020 on ONNX Runtime: photos without objects, objects, photos with objects."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs import Inputs
from .merging import Merger, Mode, cell_box
from .model import Answer, load_session


class InstColorizationModel:
    """Three ONNX files in a folder, each loaded when it is first needed; thread-safe.

    `full.onnx` colors photos without objects. `objects.onnx` gives `<tap>.feature` and `<tap>.weight` of an object's
    crop; crops must show their boxes and nothing around them. `photo.onnx` takes `<tap>.feature` and `<tap>.logit` of
    all objects merged. Weights serve in the `mode` that they were trained in: those published in `reference`.

    ab is answered at the size of the photo's input, logits at a quarter of its sides. Objects go through one at a
    time: memory does not grow with their number.
    """

    def __init__(
        self,
        folder: Path,
        *,
        side: int = 256,
        instance_size: int = 256,
        multiple: int = 8,
        mode: Mode = "reference",
        threads: int | None = None,
    ) -> None:
        self.side, self.instance_size, self.multiple = side, instance_size, multiple
        self.mode: Mode = mode
        self._folder, self._threads = folder, threads
        self._sessions: dict[str, Any] = {}
        self._lock = threading.Lock()

    def answer(self, inputs: Inputs) -> Answer:
        feeds = {"L": inputs.L, "hint_ab": inputs.hint_ab, "hint_mask": inputs.hint_mask}
        if len(inputs.object_L):
            session = self._session("photo")
            feeds |= self._merged(inputs, session)
        else:
            session = self._session("full")
        ab, logits = session.run(["ab", "logits"], feeds)
        return Answer(*(np.ascontiguousarray(plane[0].transpose(1, 2, 0)) for plane in (ab, logits)))

    def _merged(self, inputs: Inputs, photo: Any) -> dict[str, NDArray[np.float32]]:
        """`<tap>.feature` and `<tap>.logit` of all objects."""
        names = [i.name.removesuffix(".logit") for i in photo.get_inputs() if i.name.endswith(".logit")]
        wanted = [f"{name}.{part}" for name in names for part in ("feature", "weight")]
        size, side = inputs.L.shape[2:], inputs.object_L.shape[2]
        mergers: dict[str, Merger] = {}
        for i, box in enumerate(inputs.box):
            planes = (inputs.object_L, inputs.object_hint_ab, inputs.object_hint_mask)
            feeds = {name: plane[i : i + 1] for name, plane in zip(("L", "hint_ab", "hint_mask"), planes, strict=True)}
            taps = dict(zip(wanted, self._session("objects").run(wanted, feeds), strict=True))
            for name in names:
                feature, weight = taps.pop(f"{name}.feature")[0], taps.pop(f"{name}.weight")[0, 0]
                stride = side // feature.shape[1]
                grid = (size[0] // stride, size[1] // stride)
                if name not in mergers:
                    mergers[name] = Merger(len(feature), grid, self.mode)
                mergers[name].add(feature, weight, cell_box(box, grid))
        found = {name: merger.merged() for name, merger in mergers.items()}
        return {
            f"{name}.{part}": plane
            for name, planes in found.items()
            for part, plane in zip(("feature", "logit"), planes, strict=True)
        }

    def _session(self, name: str) -> Any:
        with self._lock:
            if name not in self._sessions:
                self._sessions[name] = load_session(self._folder / f"{name}.onnx", self._threads)
            return self._sessions[name]
