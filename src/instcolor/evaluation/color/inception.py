"""The Fréchet distance between results and truths in an Inception network's features (Heusel et al. 2017)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import ModelError
from ...runtime.model import load_session
from .measure import Result

Features = NDArray[np.float64]


class Inception:
    """Collects features of results and of their truths, picture by picture.

    The network is an ONNX file, not part of this package, with one input: RGB pictures (n, 3, h, w), float32 0..1, at
    any size or a fixed one; and features (n, d) or (n, d, 1, 1) as its first output. Raises ModelError.
    """

    def __init__(self, path: Path, threads: int | None = None):
        self._session = load_session(path, threads)
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] != 3:
            raise ModelError(f"{path}: not an Inception network, it does not take RGB pictures (n, 3, h, w) alone")
        self._input, self._size = inputs[0].name, tuple(side for side in shape[2:] if isinstance(side, int))
        self._truth: dict[str, Features] = {}
        self._rows: dict[tuple[str, str, str], dict[str, Features]] = {}

    def add(self, result: Result) -> None:
        """Looks at a result, and at its truth when it comes for the first time."""
        score = result.picture
        if score.photo not in self._truth:
            self._truth[score.photo] = self._features(result.case.truth)
        self._rows.setdefault((score.model, score.method, score.style), {})[score.photo] = self._features(result.rgb)

    def distances(self) -> dict[tuple[str, str, str], float]:
        """The distance of every row from the truth, by model, method and style; empty for fewer than two photos."""
        if len(self._truth) < 2:
            return {}
        truth = np.stack(list(self._truth.values()))
        return {key: frechet_distance(np.stack(list(own.values())), truth) for key, own in self._rows.items()}

    def _features(self, rgb: NDArray[np.uint8]) -> Features:
        if len(self._size) == 2 and rgb.shape[:2] != self._size:
            size = self._size[1], self._size[0]
            rgb = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))
        planes = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32) / 255
        return np.asarray(self._session.run(None, {self._input: planes})[0], np.float64).reshape(-1)


def frechet_distance(a: Features, b: Features) -> float:
    """Between the normal distributions of two sets of features (n, d), n at least 2."""
    cov_a, cov_b = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (a, b))
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    # the trace of the root of cov_a cov_b, by a symmetric matrix of the same eigenvalues
    shared = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    difference = np.square(a.mean(0) - b.mean(0)).sum()
    return float(difference + np.trace(cov_a) + np.trace(cov_b) - 2 * shared)
