"""An ONNX file as the detectors see it: what goes in, what comes out, and errors of one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DetectorError
from ..sessions import open_session, reason

Shape = tuple[int | None, ...]


class OnnxFile:
    """A session on one file; may be asked from several threads at once.

    `inputs` and `outputs` map names to shapes in the file's order; sides that are open until run time are None.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        """Loads the file for the CPU; `threads` None leaves the number to ONNX Runtime. Raises DetectorError."""
        self.path = Path(path)
        if not self.path.is_file():
            raise DetectorError(f"{path}: no such file" if not self.path.exists() else f"{path}: not a file")
        try:
            self._session = open_session(path, threads)
        except Exception as error:  # onnxruntime has no common base class for its errors
            raise DetectorError(f"{path}: not a usable ONNX file ({reason(error)})") from error
        self.inputs: dict[str, Shape] = {node.name: _shape(node.shape) for node in self._session.get_inputs()}
        self.outputs: dict[str, Shape] = {node.name: _shape(node.shape) for node in self._session.get_outputs()}

    def run(self, feed: dict[str, NDArray[Any]], outputs: list[str] | None = None) -> list[NDArray[Any]]:
        """The named outputs (all by default) for the named inputs."""
        try:
            answer: list[NDArray[Any]] = self._session.run(outputs, feed)
            return answer
        except Exception as error:
            raise DetectorError(f"{self.path}: the detector failed ({reason(error)})") from error

    def picture_size(self, name: str, default: int) -> tuple[int, int]:
        """Width and height of a (batch, 3, height, width) input; `default` for sides the file leaves open."""
        if name not in self.inputs:
            raise DetectorError(f"{self.path}: it has no input {name} ({self.describe()})")
        shape = self.inputs[name]
        height, width = shape[-2:] if len(shape) == 4 else (None, None)
        return width or default, height or default

    def describe(self) -> str:
        """Inputs and outputs in one line, for messages."""
        return f"inputs {_listed(self.inputs)}, outputs {_listed(self.outputs)}"


def grid(size: tuple[int, int], strides: tuple[int, ...]) -> NDArray[np.float32]:
    """The cells of a detector's feature maps: (cells, 3) column, row, stride; stride after stride, each row by row."""
    cells = []
    for stride in strides:
        rows, columns = np.mgrid[0 : -(-size[1] // stride), 0 : -(-size[0] // stride)]
        cells.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    return np.concatenate(cells).astype(np.float32)


def distances(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4 * bins) logits to the (n, 4) means of their distributions, in strides (generalized focal loss)."""
    logits = logits.reshape(len(logits), 4, logits.shape[1] // 4)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    answer: NDArray[np.float32] = (weights * np.arange(logits.shape[2], dtype=np.float32)).sum(axis=2)
    return answer


def _shape(shape: list[Any]) -> Shape:
    return tuple(side if isinstance(side, int) and side > 0 else None for side in shape)


def _listed(shapes: dict[str, Shape]) -> str:
    sides = {name: "x".join("?" if side is None else str(side) for side in shape) for name, shape in shapes.items()}
    return ", ".join(f"{name} {text}" for name, text in sides.items())
