"""Colors every photo with every method in every style and keeps what was measured, photo by photo."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from ...colorspace import L_to_gray8
from ..metrics import MAX_PSNR, WINDOW, colorfulness, delta_e2000, lab_of, psnr_of, squared_error, ssim
from .methods import Method
from .protocol import Case, Protocol

STYLES = ("faithful", "natural", "vivid")


@dataclass(frozen=True)
class PictureScore:
    """One result against its truth."""

    photo: str
    model: str
    method: str
    style: str
    psnr: float
    ssim: float
    delta_e2000: float
    colorfulness: float
    truth_colorfulness: float
    lpips: float  # NaN where it was not asked for
    seconds: float  # of the networks and of coloring in this style


@dataclass(frozen=True)
class ObjectScore:
    """One object's crop, which is its box, in a result against the truth."""

    photo: str
    model: str
    method: str
    style: str
    label: str
    index: int  # among the photo's objects
    score: float
    share: float
    psnr: float
    ssim: float  # NaN for a crop smaller than its window
    delta_e2000: float
    colorfulness: float
    truth_colorfulness: float
    lpips: float  # NaN where it was not asked for, and for small crops


class Distance(Interface):
    """A learned distance between two 8-bit sRGB pictures (h, w, 3), 0 where they are the same."""

    def __call__(self, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float: ...


@dataclass(frozen=True, eq=False)
class Result:
    """A colored photo and how it compares."""

    case: Case
    rgb: NDArray[np.uint8]
    picture: PictureScore
    objects: tuple[ObjectScore, ...]


def measure(
    cases: Iterable[Case],
    methods: Sequence[Method],
    protocol: Protocol,
    styles: Sequence[str] = STYLES,
    distance: Distance | None = None,
) -> Iterator[Result]:
    """Every photo by every method in every style, photo by photo in the order of `methods` and `styles`."""
    for case in cases:
        for method in methods:
            for style, rgb, seconds in _color(case, method, protocol, styles):
                yield _compare(case, method, style, rgb, seconds, distance)


def _color(
    case: Case, method: Method, protocol: Protocol, styles: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.uint8], float]]:
    if method.model is None:
        yield "", np.repeat(L_to_gray8(case.photo.L)[..., None], 3, axis=-1), 0.0
        return
    start = time.perf_counter()
    look = protocol.look(case, method.model, method.choose(case), method.hint(case))
    asked = time.perf_counter() - start
    for style in styles:
        start = time.perf_counter()
        rgb = look.color(style).rgb()
        yield style, rgb, asked + time.perf_counter() - start


def _compare(
    case: Case, method: Method, style: str, rgb: NDArray[np.uint8], seconds: float, distance: Distance | None
) -> Result:
    error = squared_error(rgb, case.truth)
    difference = delta_e2000(lab_of(rgb), case.truth_lab)
    who = (case.name, method.owner if method.model else "", method.name, style)
    picture = PictureScore(
        *who,
        psnr=_psnr(error),
        ssim=ssim(rgb, case.truth),
        delta_e2000=float(difference.mean(dtype=np.float64)),
        colorfulness=colorfulness(rgb),
        truth_colorfulness=colorfulness(case.truth),
        lpips=distance(rgb, case.truth) if distance else math.nan,
        seconds=seconds,
    )
    objects = []
    for index, item in enumerate(case.objects):
        window = case.window(item)
        crop, truth = rgb[window], case.truth[window]
        score = ObjectScore(
            *who,
            *(item.label, index, item.score, case.share(item)),
            psnr=_psnr(error[window]),
            ssim=ssim(crop, truth) if min(crop.shape[:2]) >= WINDOW else math.nan,
            delta_e2000=float(difference[window].mean(dtype=np.float64)),
            colorfulness=colorfulness(crop),
            truth_colorfulness=colorfulness(truth),
            lpips=distance(crop, truth) if distance else math.nan,
        )
        objects.append(score)
    return Result(case, rgb, picture, tuple(objects))


def _psnr(error: NDArray[np.float32]) -> float:
    return min(MAX_PSNR, psnr_of(float(error.mean(dtype=np.float64))))
