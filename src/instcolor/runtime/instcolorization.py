"""The three networks of Su et al. 2020 on ONNX Runtime: photos without objects, objects, photos with objects."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from ..inputs import Canvas, Inputs, Sizes, cell_box
from .merging import Merger, Mode
from .model import CANVAS, Answer, Graph, Plane


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

    def __init__(self, folder: Path, sizes: Sizes, *, mode: Mode = "reference", threads: int | None = None) -> None:
        self.sizes = replace(sizes, squash=True, surroundings=0.0)
        self.mode: Mode = mode
        self._folder, self._threads = folder, threads
        self._graphs: dict[str, Graph] = {}
        self._lock = threading.Lock()

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        """Without objects what `full.onnx` says, else the photo with the merged features of its objects."""
        feeds = inputs.photo._asdict()
        if not len(inputs.objects.L):
            return self._graph("full").answer(feeds)
        graph = self._graph("photo")
        return graph.answer(feeds | self._merged(inputs, graph))

    def _merged(self, inputs: Inputs[Plane], photo: Graph) -> dict[str, Plane]:
        """`<tap>.feature` and `<tap>.logit` of all objects."""
        names = [name.removesuffix(".logit") for name in photo.inputs if name.endswith(".logit")]
        wanted = [f"{name}.{part}" for name in names for part in ("feature", "weight")]
        size, side = inputs.photo.L.shape[2:], inputs.objects.L.shape[2]
        mergers: dict[str, Merger] = {}
        for i, box in enumerate(inputs.places.box.tolist()):
            alone = Canvas(*(plane[i : i + 1] for plane in inputs.objects))
            taps = dict(zip(wanted, self._graph("objects").run(wanted, alone._asdict()), strict=True))
            for name in names:
                feature, weight = taps.pop(f"{name}.feature")[0], taps.pop(f"{name}.weight")[0, 0]
                stride = side // feature.shape[1]
                grid = (size[0] // stride, size[1] // stride)
                if name not in mergers:
                    mergers[name] = Merger(len(feature), grid, self.mode)
                mergers[name].add(feature, weight, cell_box(box, grid), inputs.places.coverage[i, 0])
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
                self._graphs[name] = Graph(path, self._threads, CANVAS, outputs)
            return self._graphs[name]
