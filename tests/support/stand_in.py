"""Small color models in the place of trained ones: quick, and their colors can be told beforehand."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto

from instcolor.bins import BIN_CENTERS, BIN_COUNT
from instcolor.inputs import Inputs, Sizes
from instcolor.runtime.model import Answer, Plane
from support.graphs import Described, Graph

Shapes = dict[str, tuple[int | None, ...]]

NAME = "stand-in"
AB = (12.0, 24.0)
"""The regression of every cell without objects: skin, more or less."""
LIKELY = int(np.argmin(((BIN_CENTERS - (40, -20)) ** 2).sum(1)))
"""The bin that the distribution thinks likeliest everywhere: a violet."""


class FakeModel:
    """A `ColorModel` without a network: `AB` everywhere, plus 10 b* for each object. Keeps what it was asked."""

    sizes = Sizes(side=64, instance_size=32, multiple=8)

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[Inputs[Plane]] = []
        self.threads: set[int] = set()

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        self.asked.append(inputs)
        self.threads.add(threading.get_ident())
        if self.error:
            raise self.error
        cells = inputs.photo.L.shape[2] // 4, inputs.photo.L.shape[3] // 4
        ab = np.full((*cells, 2), AB, np.float32)
        ab[..., 1] += 10 * len(inputs.objects.L)
        logits = np.zeros((*cells, BIN_COUNT), np.float32)
        logits[..., LIKELY] = 20
        return Answer(ab, logits)


class FineModel(FakeModel):
    """The same as others' networks are: squashed photos, bare crops, ab on a finer grid than the distribution."""

    sizes = Sizes(side=64, instance_size=32, multiple=8, squash=True, surroundings=0.0)

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        ab, logits = super().answer(inputs)
        return Answer(ab.repeat(4, 0).repeat(4, 1), logits)


def write_model(folder: Path, name: str = NAME, shift: float = 0.0) -> Path:
    """A model folder as the registry knows them, whose two ONNX files answer as `FakeModel`; `shift` is added to a*."""
    place = folder / name
    place.mkdir(parents=True)
    crops: Shapes = {"L": (None, 1, None, None), "hint_ab": (None, 2, None, None), "hint_mask": (None, 1, None, None)}
    places: Shapes = {"crop": (None, 4), "box": (None, 4), "pixels": (None, 2)}
    taps: Shapes = {"t.feature": (None, 2, None, None), "t.weight": (None, 1, None, None)}

    objects = Graph()
    zero = objects.op("Mul", objects.op("AveragePool", "L", kernel_shape=[4, 4], strides=[4, 4]), objects.constant(0))
    objects.op("Identity", zero, name="t.weight")
    warmer = objects.constant(np.reshape((0, 10), (1, 2, 1, 1)))
    objects.op("Add", zero, warmer, name="t.feature")
    objects.save(place / "objects.onnx", typed(crops), typed(taps))

    photo = Graph()
    zero = photo.op("Mul", photo.op("AveragePool", "L", kernel_shape=[4, 4], strides=[4, 4]), photo.constant(0))
    mean = photo.op("ReduceMean", "t.feature", axes=[2, 3], keepdims=1)
    warmer = photo.op("ReduceSum", mean, photo.constant([0], np.int64), keepdims=1)
    plain = photo.op("Add", zero, photo.constant(np.reshape((AB[0] + shift, AB[1]), (1, 2, 1, 1))))
    photo.op("Add", plain, warmer, name="ab")
    likely = np.zeros((1, BIN_COUNT, 1, 1))
    likely[0, LIKELY] = 20
    photo.op("Add", zero, photo.constant(likely), name="logits")
    answers: Shapes = {"ab": (1, 2, None, None), "logits": (1, BIN_COUNT, None, None)}
    photo.save(place / "photo.onnx", typed(crops | places | taps), typed(answers))

    sums = [
        f'"{file}" = "{hashlib.sha256((place / file).read_bytes()).hexdigest()}"'
        for file in ("photo.onnx", "objects.onnx")
    ]
    facts = [f'name = "{name}"', 'summary = "A stand-in for tests"', 'license = "Apache-2.0"']
    sizes = [f"{key} = {getattr(FakeModel.sizes, key)}" for key in ("side", "instance_size", "multiple")]
    (place / "model.toml").write_text("\n".join([*facts, *sizes, "[sha256]", *sums]))
    (place / "card.md").write_text("# Stand-in\n\nTrained on nothing.\n")
    return place


def typed(shapes: Mapping[str, Sequence[int | None]]) -> dict[str, Described]:
    return {name: (TensorProto.FLOAT, shape) for name, shape in shapes.items()}
