"""What may be asked, in pydantic's words: unknown fields, wrong types and values out of range are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..options import SATURATION, STRENGTH, STYLE, Style
from ..tuning import Tuning, position

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
Format = Literal["JPEG", "PNG", "WEBP", "TIFF", "BMP"]
MAX_POINTS = 5000
MAX_STROKE_POINTS = 500


class Strict(BaseModel):
    """The base of all: takes no field that it does not know."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Object(Strict):
    """An object to color on its own; the box in pixels of the upright photo."""

    box: Box
    label: Annotated[str, Field(max_length=64)] = "object"
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    outlined: bool = False
    """Told, not asked: whether more than the box is known. A color for such an object stays inside its outline."""

    @field_validator("box")
    @classmethod
    def _has_extent(cls, box: Box) -> Box:
        if not (box[2] > box[0] and box[3] > box[1]):
            raise ValueError("the box is empty: x0, y0, x1, y1 with x1 > x0 and y1 > y0")
        return box


class Hint(Strict):
    """A color that somebody knows: at points (a stroke is many), over an object's box, or both.

    `reach`: "network" tells the networks, which spread it as they see fit. "edges" keeps it where it belongs: a box
    alone in the object's outline, points where the lightness around them goes on, points and a box in both.
    """

    points: Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=MAX_STROKE_POINTS)] = []
    box: Box | None = None
    reach: Literal["network", "edges"] = "network"
    color: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None
    ab: tuple[Annotated[float, Field(ge=-128, le=127)], Annotated[float, Field(ge=-128, le=127)]] | None = None

    @model_validator(mode="after")
    def _one_color(self) -> Hint:
        if (self.color is None) == (self.ab is None):
            raise ValueError("a hint has either color or ab")
        if self.reach == "edges" and not self.points and self.box is None:
            raise ValueError("a hint that reaches to the edges has points, a box or both")
        return self


class Hinted(Strict):
    """What takes hints: at most 400, of `MAX_POINTS` points in all."""

    hints: Annotated[list[Hint], Field(max_length=400)] = []

    @field_validator("hints")
    @classmethod
    def _not_too_many(cls, hints: list[Hint]) -> list[Hint]:
        if sum(len(hint.points) for hint in hints) > MAX_POINTS:
            raise ValueError(f"more than {MAX_POINTS} points")
        return hints


class LookRequest(Hinted):
    """What the networks are told beside the photo; without `objects` a detector looks for them."""

    objects: Annotated[list[Object], Field(max_length=32)] | None = None


class TuningOptions(Strict):
    """What is turned after the networks have run."""

    style: Style | Annotated[float, Field(ge=0, le=1)] = STYLE
    saturation: Annotated[float, Field(ge=SATURATION.least, le=SATURATION.most)] = SATURATION.default
    strength: Annotated[float, Field(ge=STRENGTH.least, le=STRENGTH.most)] = STRENGTH.default
    warmth: Annotated[float, Field(ge=-1, le=1)] = 0.0

    def tuning(self) -> Tuning:
        """In the terms of `tuning`."""
        return Tuning(position(self.style), self.saturation, self.strength, self.warmth)


class PaintOptions(TuningOptions):
    """How the result is painted and written."""

    format: Format | None = None
    """The photo's own where none is given."""
    corner: bool = False
    """A visible mark in the lower right corner."""
    gps: bool = False
    """Keeps the place where the photo was taken."""
    quality: Annotated[int, Field(ge=1, le=100)] | None = None
    """Of a JPEG or WebP; the photo's own where none is given."""
    side: Annotated[int, Field(ge=16, le=100_000)] | None = None
    """Pixels of the longer side at most; a smaller photo stays as it is."""
    beside: bool = False
    """The photo as it was on the left, in color on the right."""


class Options(LookRequest, PaintOptions):
    """Everything about one photo, as the part `options` has it."""


class ArchiveItem(PaintOptions):
    """One photo of an archive."""

    id: Annotated[str, Field(max_length=64)]


class ArchiveRequest(Strict):
    """Which results a zip file shall hold."""

    photos: Annotated[list[ArchiveItem], Field(min_length=1, max_length=200)]


class AlternativesRequest(Hinted, TuningOptions):
    """Other plausible colorings that keep the `hints`, with small pictures; the same seed gives the same ones."""

    count: Annotated[int, Field(ge=1, le=5)] = 3
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
