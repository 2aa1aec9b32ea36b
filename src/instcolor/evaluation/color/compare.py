"""One colored photo against its truth: as a whole, object by object, within true outlines, across edges of boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from ...objects import DetectedObject
from ..masks import SKIN
from ..metrics import MAX_PSNR, WINDOW, colorfulness, delta_e2000, lab_of, psnr_of, squared_error, ssim
from .evenness import hues
from .protocol import Case
from .scores import ObjectScore, PictureScore

Who = tuple[str, str, str, str]  # photo, model, method, style
WHOLE = slice(None), slice(None)
LEAST_SKIN = 30  # pixels: fewer say nothing about a person's skin


class Distance(Interface):
    """A learned distance between two 8-bit pictures."""

    def __call__(self, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float: ...


class Comparison:
    """A picture (h, w, 3) beside the truth of a case. Where none is known, only what needs none is told of."""

    def __init__(
        self,
        case: Case,
        rgb: NDArray[np.uint8],
        distance: Distance | None = None,
        fused: Sequence[DetectedObject] = (),
    ) -> None:
        self.case, self.rgb, self.distance, self.lab, self.fused = case, rgb, distance, lab_of(rgb), fused
        self.error = self.difference = np.full(rgb.shape[:2], np.nan, np.float32)
        if case.known:
            self.error = squared_error(rgb, case.truth)
            self.difference = np.asarray(delta_e2000(self.lab, case.truth_lab), np.float32)

    def picture(self, who: Who, seconds: float) -> PictureScore:
        """The score of the whole."""
        photo, model, method, style = who
        parts = self._metrics(WHOLE) | self._spread() | self._inside()
        return PictureScore(photo, model, method, style, seconds=seconds, **parts)

    def objects(self, who: Who) -> Iterator[ObjectScore]:
        """The scores of the measured objects."""
        case = self.case
        photo, model, method, style = who
        for index, item in enumerate(case.objects):
            share, width = case.share(item), (item.box[2] - item.box[0]) / case.source.size[0]
            parts = self._metrics(case.window(item)) | self._hues(item) | {"width": width}
            yield ObjectScore(photo, model, method, style, item.label, index, item.score, share, **parts)

    def _metrics(self, window: tuple[slice, slice]) -> dict[str, float]:
        """Those of every rectangle."""
        crop, truth, known = self.rgb[window], self.case.truth[window], self.case.known
        return {
            "psnr": _psnr(self.error[window]),
            "ssim": ssim(crop, truth) if known and min(crop.shape[:2]) >= WINDOW else math.nan,
            "delta_e2000": float(self.difference[window].mean(dtype=np.float64)),
            "colorfulness": colorfulness(crop),
            "truth_colorfulness": colorfulness(truth) if known else math.nan,
            "lpips": self.distance(crop, truth) if known and self.distance else math.nan,
        }

    def _spread(self) -> dict[str, float]:
        """Of ab where the true color is even."""
        even = self.case.even
        if even is None:
            return {}
        return {"spread": even.spread(self.lab), "truth_spread": even.spread(self.case.truth_lab)}

    def _inside(self) -> dict[str, float]:
        """Within the true outline, and where skin is marked in it."""
        mask = self.case.mask
        if mask is None or not self.case.known or not mask.any():
            return {}
        overlaps = [self.case.overlap(item, mask > 0) for item in self.fused]
        inside = {"inside_psnr": _psnr(self.error[mask > 0]), "outline_iou": max(overlaps, default=math.nan)}
        skin = mask == SKIN
        if skin.sum() < LEAST_SKIN:
            return inside
        found, true = (lab[skin][:, 1:].astype(np.float64) for lab in (self.lab, self.case.truth_lab))
        return inside | {
            "skin_chroma": float(np.hypot(*found.T).mean()),
            "truth_skin_chroma": float(np.hypot(*true.T).mean()),
            "skin_error": float(np.hypot(*(found.mean(0) - true.mean(0)))),
        }

    def _hues(self, item: DetectedObject) -> dict[str, float]:
        """Color families within an object's outline."""
        window, inside = self.case.window(item), self.case.outline(item)
        if not inside.any():
            return {}
        found, true = (float(hues(lab[window][inside][:, 1:])) for lab in (self.lab, self.case.truth_lab))
        return {"hues": found, "truth_hues": true if self.case.known else math.nan}


def _psnr(error: NDArray[np.float32]) -> float:
    mean = float(error.mean(dtype=np.float64))
    return min(MAX_PSNR, psnr_of(mean)) if math.isfinite(mean) else math.nan
