"""Small ONNX graphs with the inputs, outputs and meaning of known detectors.

Each looks at a picture of 64 x 64, undoes the normalization of its family, and calls every cell of its grid an object
(COCO class 16, a dog) whose score is the cell's mean gray value over 255 in the darkest of the three channels. So the
place of a bright spot, its score and its class prove size, normalization, channel order, decoding and geometry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike
from onnx import TensorProto, helper, numpy_helper

SIDE = 64
DOG = 16
RGB_MEAN, RGB_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


Described = tuple[int, Sequence[int | str | None]]
"""The type and the shape of an input or an output; a name or None where a side is open."""


class Graph:
    """Collects nodes; every method returns the name of what it computes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        name = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def gray(self, picture: str, mean: ArrayLike, std: ArrayLike) -> str:
        """(1, 1, 64, 64) gray values over 255 of a normalized picture; the least of the three channels."""
        plain = self.op("Mul", picture, self.constant(np.reshape(std, (1, 3, 1, 1))))
        plain = self.op("Add", plain, self.constant(np.reshape(mean, (1, 3, 1, 1))))
        return self.op("Div", self.op("ReduceMin", plain, axes=[1], keepdims=1), self.constant(255))

    def cells(self, gray: str, stride: int) -> str:
        """(1, cells, 1) mean of each cell."""
        pooled = self.op("AveragePool", gray, kernel_shape=[stride] * 2, strides=[stride] * 2)
        return self.op("Reshape", pooled, self.constant((1, -1, 1), np.int64))

    def save(self, path: Path, inputs: Mapping[str, Described], outputs: Mapping[str, Described]) -> Path:
        """Writes the model; inputs and outputs map names to (type, shape)."""
        taken, given = (
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in infos.items()]
            for infos in (inputs, outputs)
        )
        graph = helper.make_graph(self.nodes, "detector", taken, given, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())
        return path


PICTURE = (TensorProto.FLOAT, (1, 3, SIDE, SIDE))


def corners(stride: int) -> np.ndarray:
    """(cells, 4) boxes of the cells in pixels of the 64 x 64 picture, row by row."""
    rows, columns = np.mgrid[0 : SIDE // stride, 0 : SIDE // stride]
    return np.stack([columns, rows, columns + 1, rows + 1], -1).reshape(-1, 4).astype(np.float32) * stride


def one_hot(places: Sequence[int], width: int, high: float) -> np.ndarray:
    """Zero rows of `width` with `high` at each place, side by side."""
    return np.concatenate([np.eye(width, dtype=np.float32)[place] * high for place in places])


def nanodet(path: Path) -> Path:
    """`data` -> `output` (1, 85, 112); the box of a cell is the cell: 0 strides left and up, 1 right and down."""
    graph = Graph()
    gray = graph.gray("data", RGB_MEAN[::-1], RGB_STD[::-1])
    scores = graph.op("Concat", *(graph.cells(gray, s) for s in (8, 16, 32, 64)), axis=1)
    classes = graph.op("Mul", scores, graph.constant(one_hot([DOG], 80, 1)[None, None]))
    reach = graph.constant(np.tile(one_hot([0, 0, 1, 1], 8, 60), (1, 85, 1)))
    graph.op("Concat", classes, reach, axis=2, name="output")
    return graph.save(path, {"data": PICTURE}, {"output": (TensorProto.FLOAT, (1, 85, 112))})


def builtin(path: Path, side: int | None = SIDE) -> Path:
    """`L` -> `output` as NanoDet-Plus; the score of a cell is its mean L* over 100. `side` None leaves height and width
    open."""
    graph = Graph()
    share = graph.op("Div", "L", graph.constant(100))
    pooled = [
        graph.op("AveragePool", share, kernel_shape=[stride] * 2, strides=[stride] * 2, ceil_mode=1)
        for stride in (8, 16, 32, 64)
    ]
    cells = [graph.op("Reshape", plane, graph.constant((1, -1, 1), np.int64)) for plane in pooled]
    scores = graph.op("Concat", *cells, axis=1)
    classes = graph.op("Mul", scores, graph.constant(one_hot([DOG], 80, 1)[None, None]))
    nothing = graph.op("Mul", scores, graph.constant(0))
    reach = graph.op("Add", nothing, graph.constant(one_hot([0, 0, 1, 1], 8, 60)[None, None]))
    graph.op("Concat", classes, reach, axis=2, name="output")
    sides = (side, side) if side else ("height", "width")
    answer = (TensorProto.FLOAT, (1, "cells", 112))
    return graph.save(path, {"L": (TensorProto.FLOAT, (1, 1, *sides))}, {"output": answer})


def yolox(path: Path, decoded: bool = False) -> Path:
    """`images` -> `output` (1, 84, 85); objectness is the gray value, the dog's probability 0.9."""
    graph = Graph()
    gray = graph.gray("images", (0, 0, 0), (1, 1, 1))
    objectness = graph.op("Concat", *(graph.cells(gray, s) for s in (8, 16, 32)), axis=1)
    if decoded:
        boxes = np.concatenate([corners(s) for s in (8, 16, 32)])
        boxes = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
    else:
        boxes = np.tile((0.5, 0.5, 0.0, 0.0), (84, 1))
    classes = np.tile(one_hot([DOG], 80, 0.9), (84, 1))
    graph.op("Concat", graph.constant(boxes[None]), objectness, graph.constant(classes[None]), axis=2, name="output")
    return graph.save(path, {"images": PICTURE}, {"output": (TensorProto.FLOAT, (1, 84, 85))})


def detr(path: Path, label: int = DOG, imagenet: bool = False) -> Path:
    """`images`, `orig_target_sizes` -> `labels`, `boxes`, `scores` for the 64 cells of stride 8."""
    graph = Graph()
    mean, std = (RGB_MEAN, RGB_STD) if imagenet else ((0, 0, 0), (255, 255, 255))
    scores = graph.cells(graph.gray("images", mean, std), 8)
    graph.op("Reshape", scores, graph.constant((1, -1), np.int64), name="scores")
    size = graph.op("Cast", "orig_target_sizes", to=TensorProto.FLOAT)
    size = graph.op("Concat", size, size, axis=1)
    graph.op("Mul", graph.constant(corners(8)[None] / SIDE), size, name="boxes")
    graph.op("Identity", graph.constant(np.full((1, 64), label), np.int64), name="labels")
    inputs = {"images": PICTURE, "orig_target_sizes": (TensorProto.INT64, (1, 2))}
    outputs = {
        "labels": (TensorProto.INT64, (1, 64)),
        "boxes": (TensorProto.FLOAT, (1, 64, 4)),
        "scores": (TensorProto.FLOAT, (1, 64)),
    }
    return graph.save(path, inputs, outputs)


def picodet_ready(path: Path) -> Path:
    """With post-processing: `image`, `scale_factor` -> rows of class, score, box, and their number."""
    graph = Graph()
    scores = graph.op("Squeeze", graph.cells(graph.gray("image", RGB_MEAN, RGB_STD), 8), graph.constant([0], np.int64))
    scale = graph.op("Gather", "scale_factor", graph.constant([1, 0, 1, 0], np.int64), axis=1)
    boxes = graph.op("Div", graph.constant(corners(8)), scale)
    graph.op("Concat", graph.constant(np.full((64, 1), DOG)), scores, boxes, axis=1, name="rows")
    graph.op("Identity", graph.constant([64], np.int32), name="count")
    inputs = {"image": PICTURE, "scale_factor": (TensorProto.FLOAT, (1, 2))}
    outputs = {"rows": (TensorProto.FLOAT, (None, 6)), "count": (TensorProto.INT32, (1,))}
    return graph.save(path, inputs, outputs)


def picodet_pairs(path: Path, bare: bool) -> Path:
    """Without post-processing: all scores, then all distance distributions (`bare`); or all boxes, then all scores."""
    graph = Graph()
    gray = graph.gray("image", RGB_MEAN, RGB_STD)
    dog = graph.constant(one_hot([DOG], 80, 1)[None, None])
    scores, boxes = {}, {}
    for stride in (8, 16, 32, 64):
        cells = (SIDE // stride) ** 2
        name = graph.op("Mul", graph.cells(gray, stride), dog, name=f"scores_{stride}")
        scores[name] = (TensorProto.FLOAT, (1, cells, 80))
        # half a stride from the center on every side: 0 and 1 equally likely
        half = np.concatenate([(60, 60, 0, 0, 0, 0, 0, 0)] * 4)
        value = np.tile(half, (1, cells, 1)) if bare else corners(stride)[None]
        name = graph.op("Identity", graph.constant(value), name=f"boxes_{stride}")
        boxes[name] = (TensorProto.FLOAT, value.shape)
    return graph.save(path, {"image": PICTURE}, scores | boxes if bare else boxes | scores)


def mask_rcnn(path: Path, label: int = DOG + 1) -> Path:
    """`image` (3, h, w), BGR minus its mean -> boxes, labels, scores and masks of the cells of 32 x 32 pixels.

    A box includes its last pixels; the left half of each is the object.
    """
    graph = Graph()
    picture = graph.op("Unsqueeze", "image", graph.constant([0], np.int64))
    gray = graph.gray(picture, (102.9801, 115.9465, 122.7717), (1, 1, 1))
    pooled = graph.op("AveragePool", gray, kernel_shape=[32, 32], strides=[32, 32])
    graph.op("Reshape", pooled, graph.constant([-1], np.int64), name="scores")
    count = graph.op("Shape", "scores")
    columns = graph.op("Gather", graph.op("Shape", pooled), graph.constant(3, np.int64), axis=0)
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    cell = graph.op("Range", zero, graph.op("Squeeze", count, graph.constant([0], np.int64)), one)
    column, row = graph.op("Mod", cell, columns), graph.op("Div", cell, columns)
    corner = graph.op(
        "Concat", *(graph.op("Unsqueeze", x, graph.constant([1], np.int64)) for x in (column, row)), axis=1
    )
    corner = graph.op("Mul", graph.op("Cast", corner, to=TensorProto.FLOAT), graph.constant(32))
    graph.op("Concat", corner, graph.op("Add", corner, graph.constant(31)), axis=1, name="boxes")
    graph.op("Expand", graph.constant([label], np.int64), count, name="labels")
    mask = np.zeros((1, 1, 28, 28))
    mask[..., :14] = 0.9
    shape = graph.op("Concat", count, graph.constant([1, 28, 28], np.int64), axis=0)
    graph.op("Expand", graph.constant(mask), shape, name="masks")
    outputs = {
        "boxes": (TensorProto.FLOAT, ("n", 4)),
        "labels": (TensorProto.INT64, ("n",)),
        "scores": (TensorProto.FLOAT, ("n",)),
        "masks": (TensorProto.FLOAT, ("n", 1, 28, 28)),
    }
    return graph.save(path, {"image": (TensorProto.FLOAT, (3, "height", "width"))}, outputs)


def classifier(path: Path) -> Path:
    """No detector at all: a picture in, ten numbers out."""
    graph = Graph()
    mean = graph.op("ReduceMean", "x", axes=[1, 2, 3], keepdims=0)
    graph.op("Mul", mean, graph.constant(np.ones((1, 10))), name="logits")
    return graph.save(path, {"x": PICTURE}, {"logits": (TensorProto.FLOAT, (1, 10))})
