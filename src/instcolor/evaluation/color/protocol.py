"""The protocol as code: what is compared with what, at which size, and which objects count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...colorizer import Look, look_at
from ...hints import Hints
from ...objects import DetectedObject, select
from ...objects.detected import SMALL_AREA, WITH_SMALL
from ...photo import Photo
from ...runtime.model import ColorModel
from ..data import MIN_SCORE
from ..intervals import RESAMPLES
from ..metrics import MAX_PSNR, WINDOW, lab_of
from . import edges, evenness
from .evenness import EvenRegions


@dataclass(frozen=True)
class Protocol:
    """How photos become pairs of result and truth.

    `side`: result and truth are compared at side x side, aspect ignored, which is also what the full-image network
    sees (the paper: 256). None compares at each photo's own size, through the way that `Colorizer` takes; there
    `squash` gives the network a square instead of the photo's aspect. Without `truth` photos have no true colors,
    and what needs them is not measured.
    """

    side: int | None = 256
    squash: bool = False
    truth: bool = True
    min_score: float = MIN_SCORE
    limit: int = 8

    def lines(self) -> list[str]:
        """The protocol in words, to be printed with every table."""
        if self.side:
            size = (
                f"photos squashed to {self.side} x {self.side}, aspect ignored (Pillow bilinear on sRGB bytes); "
                "full-image network at the same size; objects cropped from the stored photo's full-size L*"
            )
        else:
            aspect = "a square" if self.squash else "the photo's aspect"
            size = f"photos at their own size; full-image network at its working size with {aspect}"
        unknown = "truth: none; photos are taken as gray, and what needs true colors is left out"
        return [
            f"size: {size}",
            *(() if self.truth else (unknown,)),
            "L*: the truth's own (photos are taken as sRGB, D65); ab brought to the picture's size guided by L*",
            "result: out-of-gamut colors lose chroma, L* and hue stay; rounded to 8-bit sRGB; the truth is the 8-bit "
            "picture itself",
            "PSNR: 8-bit RGB, all pixels and channels of a picture, 20 log10(255 / RMSE), mean over pictures; at most "
            f"{MAX_PSNR:g} dB (identical pictures)",
            "SSIM: 7 x 7 uniform window, K 0.01 and 0.03, range 255, mean over R, G, B (as scikit-image)",
            "dE2000: CIEDE2000, unit weights, mean over pixels",
            "colorfulness: Hasler and Suesstrunk 2003, signed opponent colors of 8-bit values; the ratio is of means",
            f"spread: standard deviation of ab within regions of the truth (Felzenszwalb and Huttenlocher 2004, on at "
            f"most {evenness.GRID} cells a side, {evenness.LEAST} cells and more) whose own is at most "
            f"{evenness.EVEN:g} Lab units; the ratio is of means",
            f"hues: families of colors within an object's outline, {evenness.SECTORS} sectors of hue and chroma under "
            f"{evenness.NEUTRAL:g}, each counted that has a share of at least {evenness.SHARE:g}",
            "edge jump: how much ab with objects minus ab of the full image changes across the edges of the fused "
            f"boxes, at {edges.SHORT_SIDE} cells on the shorter side, Lab units, mean along an edge",
            f"objects: score at least {self.min_score:g}, boxes that repeat a better one dropped, best {self.limit} of "
            f"a photo and small ones (under {SMALL_AREA:.0%}) up to {WITH_SMALL * self.limit}; each measured within "
            "its box, weighted alike; share is the box's area over the photo's; SSIM of boxes of at least "
            f"{WINDOW} pixels a side",
            f"interval: 95 %, percentile bootstrap over photos, {RESAMPLES} resamples",
        ]

    def case(
        self,
        name: str,
        rgb: NDArray[np.uint8],
        annotated: Sequence[DetectedObject] | None = None,
        detected: Sequence[DetectedObject] | None = None,
        mask: NDArray[np.uint8] | None = None,
    ) -> Case:
        """A photo of sRGB bytes (h, w, 3), ready to be colored and compared; `mask` (h, w) as `TrueMasks` gives it.

        Objects have their boxes in its pixels. Where there are both, the annotated ones are measured and the detected
        ones are fused; where there is one kind it serves for both.
        """
        truth = rgb = np.ascontiguousarray(rgb)
        if self.side:
            truth = np.asarray(Image.fromarray(rgb).resize((self.side, self.side), Image.Resampling.BILINEAR))
            if mask is not None:
                mask = np.asarray(Image.fromarray(mask).resize((self.side, self.side), Image.Resampling.NEAREST))
        size = rgb.shape[1], rgb.shape[0]
        known = select(annotated or (), size, limit=self.limit, min_score=self.min_score)
        found = select(detected or (), size, limit=self.limit)
        source = Photo.open(rgb)
        return Case(
            name,
            truth,
            photo=source if truth is rgb else Photo.open(truth),
            source=source,
            objects=tuple(found if annotated is None else known),
            chosen=tuple(known if detected is None else found),
            candidates=tuple((annotated or ()) if detected is None else detected),
            mask=mask,
            known=self.truth,
        )

    def look(
        self, case: Case, model: ColorModel, objects: Sequence[DetectedObject], hints: Hints | None = None
    ) -> Look:
        """What a model says about a case with these objects and hints, both in the stored photo's pixels."""
        sizes = replace(model.sizes, squash=self.squash or model.sizes.squash)
        if self.side:
            sizes = replace(sizes, side=self.side, squash=True)
        return look_at(case.photo, model, objects, hints, sizes=sizes, detail=case.source)


@dataclass(frozen=True, eq=False)
class Case:
    """One photo of an evaluation."""

    name: str
    truth: NDArray[np.uint8]  # (h, w, 3) at the size of comparison
    photo: Photo  # the truth's lightness
    source: Photo  # the stored photo's lightness, full size
    objects: tuple[DetectedObject, ...]  # the measured ones; all boxes are in the stored photo's pixels
    chosen: tuple[DetectedObject, ...]  # the ones to fuse
    candidates: tuple[DetectedObject, ...]  # what they were chosen from
    mask: NDArray[np.uint8] | None = None  # (h, w) as the truth: 0 outside, else `masks.INSIDE` or `masks.SKIN`
    known: bool = True  # whether the truth is one, or a photo without colors

    @cached_property
    def truth_lab(self) -> NDArray[np.float32]:
        """(h, w, 3) float32 L*, a*, b* of `truth`."""
        return lab_of(self.truth)

    @cached_property
    def even(self) -> EvenRegions | None:
        """Where the true color is even; None where nobody knows."""
        return EvenRegions(self.truth_lab) if self.known and evenness.POSSIBLE else None

    def share(self, item: DetectedObject) -> float:
        """The part of the photo that an object's box takes."""
        x0, y0, x1, y1 = item.box
        return (x1 - x0) * (y1 - y0) / (self.source.size[0] * self.source.size[1])

    def window(self, item: DetectedObject) -> tuple[slice, slice]:
        """Rows and columns of the truth that an object's box covers, at least one of each."""
        height, width = self.truth.shape[:2]
        source_width, source_height = self.source.size
        x0, x1 = (round(item.box[i] * width / source_width) for i in (0, 2))
        y0, y1 = (round(item.box[i] * height / source_height) for i in (1, 3))
        y0, x0 = min(y0, height - 1), min(x0, width - 1)
        return slice(y0, max(y1, y0 + 1)), slice(x0, max(x1, x0 + 1))

    def outline(self, item: DetectedObject) -> NDArray[np.bool_]:
        """(h, w) of an object's window: where its mask says that it is; all of the window where it has none."""
        rows, columns = self.window(item)
        shape = rows.stop - rows.start, columns.stop - columns.start
        if item.mask is None:
            return np.ones(shape, bool)
        x, y = self.source.size[0] / self.truth.shape[1], self.source.size[1] / self.truth.shape[0]
        return item.mask.over((columns.start * x, rows.start * y, columns.stop * x, rows.stop * y), shape) >= 0.5

    def overlap(self, item: DetectedObject, inside: NDArray[np.bool_]) -> float:
        """Intersection over union of an object's outline, within its box, and a part (h, w) of the truth."""
        both = (self.outline(item) & inside[self.window(item)]).sum()
        return float(both / max(1, self.outline(item).sum() + inside.sum() - both))
