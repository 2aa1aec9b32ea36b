"""Somebody else's colorizer: an ONNX file that takes lightness or gray, told of by a few facts, as a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..bins import BIN_CENTERS, STEP
from ..colorspace import L_to_gray, srgb_to_lab
from ..errors import ModelError
from ..inputs import Canvas
from ..upsampling import resize_plane
from .model import Answer, Graph, Plane, channels_last

Numbers = float | tuple[float, ...]
LOGITS_STRIDE = 4  # a distribution on the grid of ab would be a hundred megabytes


@dataclass(frozen=True)
class Facts:
    """What a graph takes and gives; numbers are one for all channels, or one a channel.

    It takes (1, channels, h, w): (x - mean) / std of x, which is L* 0..100 (`takes` "L") or sRGB gray 0..1 ("gray").
    It gives (1, C, h, w): output x scale + offset is ab in Lab units, or sRGB 0..1 in the order "rgb" or "bgr", of
    which the colors count and the lightness does not.
    """

    input: str = "input"
    takes: Literal["L", "gray"] = "gray"
    channels: int = 3
    mean: Numbers = 0.0
    std: Numbers = 1.0
    output: str = "output"
    gives: Literal["ab", "rgb", "bgr"] = "ab"
    scale: Numbers = 1.0
    offset: Numbers = 0.0


class ExternalNetwork:
    """One ONNX file and its facts. Hints change nothing. Thread-safe.

    The distribution is made up: likely are the colors near the network's own, alike everywhere.
    Raises ModelError: the facts make no sense, the file is missing, damaged, not as the facts say, or does not run.
    """

    def __init__(self, path: Path, facts: Mapping[str, Any], threads: int | None = None) -> None:
        self.facts = _checked(facts, path)
        self._graph = Graph(path, threads, {self.facts.input}, {self.facts.output})

    def __call__(self, picture: Canvas[Plane]) -> Answer:
        facts = self.facts
        x = picture.L if facts.takes == "L" else L_to_gray(picture.L)
        x = (np.repeat(x, facts.channels, 1) - _by_channel(facts.mean)) / _by_channel(facts.std)
        (y,) = self._graph.run([facts.output], {facts.input: x.astype(np.float32)})
        expected = 2 if facts.gives == "ab" else 3
        if y.ndim != 4 or y.shape[:2] != (1, expected):
            raise ModelError(f"{self._graph.path}: {facts.output} is {y.shape}, not (1, {expected}, height, width)")
        y = channels_last((y * _by_channel(facts.scale) + _by_channel(facts.offset)).astype(np.float32))
        ab = y if facts.gives == "ab" else _ab_of(y if facts.gives == "rgb" else y[..., ::-1])
        return Answer(ab, _likely(ab))


def _ab_of(rgb: Plane) -> Plane:
    """(h, w, 2) ab of (h, w, 3) sRGB, 0..1."""
    return np.ascontiguousarray(srgb_to_lab(rgb.clip(0, 1))[..., 1:], np.float32)


def _likely(ab: Plane) -> Plane:
    """(h / 4, w / 4, bins): a normal distribution of one bin's width around ab."""
    height, width = (math.ceil(side / LOGITS_STRIDE) for side in ab.shape[:2])
    small = np.stack([resize_plane(ab[..., i], (height, width)) for i in range(2)], -1)
    distance = ((small[..., None, :] - BIN_CENTERS) ** 2).sum(-1)
    return np.asarray(-distance / (2 * STEP**2), np.float32)


def _by_channel(numbers: Numbers) -> Plane:
    """As (1, channels or 1, 1, 1)."""
    return np.asarray(numbers, np.float32).reshape(1, -1, 1, 1)


def _checked(facts: Mapping[str, Any], path: Path) -> Facts:
    unknown = sorted(set(facts) - {field.name for field in fields(Facts)})
    if unknown:
        raise ModelError(f"{path}: a network has no fact {unknown[0]!r}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    found = Facts(**values)
    outputs = 2 if found.gives == "ab" else 3
    right = {
        "input": isinstance(found.input, str),
        "output": isinstance(found.output, str),
        "takes": found.takes in ("L", "gray"),
        "gives": found.gives in ("ab", "rgb", "bgr"),
        "channels": found.channels in (1, 3),
        "mean": _are_numbers(found.mean, found.channels),
        "std": _are_numbers(found.std, found.channels) and bool(np.all(found.std)),
        "scale": _are_numbers(found.scale, outputs),
        "offset": _are_numbers(found.offset, outputs),
    }
    wrong = [key for key, fine in right.items() if not fine]
    if wrong:
        raise ModelError(f"{path}: {wrong[0]} = {getattr(found, wrong[0])!r} makes no sense for a network")
    return found


def _are_numbers(value: Any, count: int) -> bool:
    """One finite number, or as many as there are channels."""
    values = value if isinstance(value, tuple) else (value,)
    return len(values) in (1, count) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values
    )
