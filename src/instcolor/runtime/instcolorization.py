"""The three networks of Su et al. 2020 on ONNX Runtime: photos without objects, objects, photos with objects."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .inputs import Inputs
from .merging import Merger, Mode, cell_box
from .model import PHOTO_INPUTS, Answer, Graph, channels_last


class InstColorizationModel:
    """Three ONNX files in a folder, each loaded when it is first needed; thread-safe.

    `full.onnx` colors photos without objects. `objects.onnx` gives `<tap>.feature` and `<tap>.weight` of an object's
    crop. `photo.onnx` takes `<tap>.feature` and `<tap>.logit` of
    all objects merged. Weights serve in the `mode` that they were trained in: those published in `reference`, which
    knows boxes alone; in `masked` the objects' masks count too.

    As in the published code the photo is squashed to a square, and a crop shows its box and nothing around it.
    ab is answered at the size of the photo's input, logits at a quarter of its sides. Objects go through one at a
    time: memory does not grow with their number.

    Raises ModelError: a file is missing, damaged or another model's, or does not run.
    """

    squash = True
    surroundings = 0.0

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
        self._graphs: dict[str, Graph] = {}
        self._lock = threading.Lock()

    def answer(self, inputs: Inputs) -> Answer:
        feeds = {name: getattr(inputs, name) for name in PHOTO_INPUTS}
        if len(inputs.object_L):
            graph = self._graph("photo")
            feeds |= self._merged(inputs, graph)
        else:
            graph = self._graph("full")
        ab, logits = graph.run(["ab", "logits"], feeds)
        return Answer(channels_last(ab), channels_last(logits))

    def _merged(self, inputs: Inputs, photo: Graph) -> dict[str, NDArray[np.float32]]:
        """`<tap>.feature` and `<tap>.logit` of all objects."""
        names = [name.removesuffix(".logit") for name in photo.inputs if name.endswith(".logit")]
        wanted = [f"{name}.{part}" for name in names for part in ("feature", "weight")]
        size, side = inputs.L.shape[2:], inputs.object_L.shape[2]
        mergers: dict[str, Merger] = {}
        for i, box in enumerate(inputs.box):
            planes = (inputs.object_L, inputs.object_hint_ab, inputs.object_hint_mask)
            feeds = {name: plane[i : i + 1] for name, plane in zip(PHOTO_INPUTS, planes, strict=True)}
            taps = dict(zip(wanted, self._graph("objects").run(wanted, feeds), strict=True))
            for name in names:
                feature, weight = taps.pop(f"{name}.feature")[0], taps.pop(f"{name}.weight")[0, 0]
                stride = side // feature.shape[1]
                grid = (size[0] // stride, size[1] // stride)
                if name not in mergers:
                    mergers[name] = Merger(len(feature), grid, self.mode)
                mergers[name].add(feature, weight, cell_box(box, grid), inputs.coverage[i, 0])
        found = {name: merger.merged() for name, merger in mergers.items()}
        return {
            f"{name}.{part}": plane
            for name, planes in found.items()
            for part, plane in zip(("feature", "logit"), planes, strict=True)
        }

    def _graph(self, name: str) -> Graph:
        with self._lock:
            if name not in self._graphs:
                outputs: set[str] = set() if name == "objects" else {"ab", "logits"}
                path = self._folder / f"{name}.onnx"
                self._graphs[name] = Graph(path, self._threads, set(PHOTO_INPUTS), outputs)
            return self._graphs[name]
