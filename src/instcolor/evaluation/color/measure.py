"""Colors every photo with every method in every style and keeps what was measured, photo by photo."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...colorspace import L_to_gray8
from .compare import Comparison, Distance, Who
from .edges import edges
from .methods import FULL, Method, no_hints
from .protocol import Case, Protocol
from .scores import EdgeScore, ObjectScore, PictureScore

STYLES = ("faithful", "natural", "vivid")
Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Result:
    """A colored photo and how it compares."""

    case: Case
    rgb: NDArray[np.uint8]
    picture: PictureScore
    objects: tuple[ObjectScore, ...]
    edges: tuple[EdgeScore, ...] = ()


class Painted(NamedTuple):
    """A photo as a method colors it."""

    style: str
    ab: Plane | None  # (h, w, 2) before it is fitted into sRGB; None for the gray photo
    rgb: NDArray[np.uint8]
    seconds: float


def measure(
    cases: Iterable[Case],
    methods: Sequence[Method],
    protocol: Protocol,
    styles: Sequence[str] = STYLES,
    distance: Distance | None = None,
) -> Iterator[Result]:
    """Every photo by every method in every style, photo by photo in the order of `methods` and `styles`.

    Edges of boxes are measured by methods that come after the full image of the same model.
    """
    for case in cases:
        alone: dict[tuple[str, str], Plane | None] = {}
        for method in methods:
            for painted in _color(case, method, protocol, styles):
                key = method.owner, painted.style
                if method.name == FULL:
                    alone[key] = painted.ab
                yield _compare(case, method, painted, alone.get(key), distance)


def _color(case: Case, method: Method, protocol: Protocol, styles: Sequence[str]) -> Iterator[Painted]:
    if method.model is None:
        yield Painted("", None, np.repeat(L_to_gray8(case.photo.L)[..., None], 3, axis=-1), 0.0)
        return
    start = time.perf_counter()
    look = protocol.look(case, method.model, method.choose(case), method.hint(case))
    asked = time.perf_counter() - start
    for style in styles:
        start = time.perf_counter()
        photo = look.color(style)
        rgb = photo.rgb()
        yield Painted(style, photo.ab, rgb, asked + time.perf_counter() - start)


def _compare(case: Case, method: Method, painted: Painted, alone: Plane | None, distance: Distance | None) -> Result:
    who = (case.name, method.owner if method.model else "", method.name, painted.style)
    comparison = Comparison(case, painted.rgb, distance, method.choose(case))
    crossed = _edges(case, method, who, painted.ab, alone)
    return Result(
        case,
        painted.rgb,
        comparison.picture(who, painted.seconds),
        tuple(comparison.objects(who)),
        tuple(crossed),
    )


def _edges(case: Case, method: Method, who: Who, ab: Plane | None, alone: Plane | None) -> Iterator[EdgeScore]:
    """Of the boxes that a method fused, against the full image; not with hints, which move colors everywhere."""
    if ab is None or alone is None or method.hint is not no_hints:
        return
    fused = method.choose(case)
    for edge in edges(ab - alone, fused, case.source.size):
        yield EdgeScore(*who, fused[edge.item].label, *edge)
