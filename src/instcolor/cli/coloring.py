"""How photos are colored, as options of the commands that color many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import ABOUT_CORNER, ABOUT_GPS, MODEL, SATURATION, STRENGTH, STYLE, WARMTH, Style
from .options import (
    MAX_MEGAPIXELS,
    Boxes,
    Detector,
    Format,
    Hint,
    MaxMegapixels,
    Model,
    NoFaces,
    Pages,
    Quality,
    Reference,
    StyleName,
    chosen,
    pixels,
)

if TYPE_CHECKING:
    from ..batch import Colorizing


@dataclass(frozen=True)
class Coloring:
    """How photos are colored."""

    style: StyleName = STYLE.value
    saturation: Annotated[float, chosen(SATURATION)] = SATURATION.default
    strength: Annotated[float, chosen(STRENGTH)] = STRENGTH.default
    warmth: Annotated[float, chosen(WARMTH)] = WARMTH.default
    hint: Hint = None
    reference: Reference = None
    detector: Detector = None
    no_faces: NoFaces = False
    boxes: Boxes = None
    model: Model = MODEL
    limit: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Objects colored by themselves at most; small ones fill up to 3 N."),
    ] = 8
    corner: Annotated[bool, typer.Option("--mark", help=ABOUT_CORNER)] = False
    keep_gps: Annotated[bool, typer.Option("--keep-gps", help=ABOUT_GPS)] = False
    format: Format = None
    quality: Quality = None
    pages: Pages = ""
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS

    def job(self) -> Colorizing:
        """What is done to each photo."""
        from ..batch import Colorizing

        return Colorizing(
            model=self.model,
            detector=self.detector,
            faces=not self.no_faces,
            boxes=self.boxes,
            limit=self.limit,
            style=self.style if self.style in list(Style) else float(self.style),
            saturation=self.saturation,
            strength=self.strength,
            warmth=self.warmth,
            hints=tuple(self.hint or ()),
            reference=self.reference,
            corner=self.corner,
            keep_gps=self.keep_gps,
            format=self.format,
            quality=self.quality,
            pages=self.pages,
            max_pixels=pixels(self.max_megapixels),
        )

    def check(self) -> None:
        """Raises typer.BadParameter for options that do not go together."""
        if self.boxes is not None and self.detector not in (None, "none"):
            raise typer.BadParameter("boxes stand in for a detector: give one of the two", param_hint="--boxes")
