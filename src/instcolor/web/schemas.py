"""What may be asked, in pydantic's words: unknown fields, wrong types and values out of range are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..editing.tuning import Tuning, position

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
StyleName = Literal["faithful", "natural", "vivid"]
Format = Literal["JPEG", "PNG", "WEBP", "TIFF", "BMP"]
MAX_POINTS = 5000


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Object(Strict):
    """An object to colour on its own; the box in pixels of the upright photo."""

    box: Box
    label: Annotated[str, Field(max_length=64)] = "object"
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0

    @field_validator("box")
    @classmethod
    def _has_extent(cls, box: Box) -> Box:
        if not (box[2] > box[0] and box[3] > box[1]):
            raise ValueError("the box is empty: x0, y0, x1, y1 with x1 > x0 and y1 > y0")
        return box


class Hint(Strict):
    """A colour that somebody knows: at points (a stroke is many), over an object's box, or both."""

    points: Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=500)] = []
    box: Box | None = None
    color: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None
    ab: tuple[Annotated[float, Field(ge=-128, le=127)], Annotated[float, Field(ge=-128, le=127)]] | None = None

    @model_validator(mode="after")
    def _one_color(self) -> Hint:
        if (self.color is None) == (self.ab is None):
            raise ValueError("a hint has either color or ab")
        return self

    def plain(self) -> dict[str, Any]:
        rgb = [int(self.color[i : i + 2], 16) for i in (1, 3, 5)] if self.color else None
        return {"points": self.points, "box": self.box, "ab": self.ab, "rgb": rgb}


class Hinted(Strict):
    hints: Annotated[list[Hint], Field(max_length=400)] = []

    @field_validator("hints")
    @classmethod
    def _not_too_many(cls, hints: list[Hint]) -> list[Hint]:
        if sum(len(hint.points) for hint in hints) > MAX_POINTS:
            raise ValueError(f"more than {MAX_POINTS} points")
        return hints


class Look(Hinted):
    """What the networks are told beside the photo; without `objects` a detector looks for them."""

    objects: Annotated[list[Object], Field(max_length=32)] | None = None

    def look(self) -> dict[str, Any]:
        objects = None if self.objects is None else [item.model_dump() for item in self.objects]
        return {"objects": objects, "hints": [hint.plain() for hint in self.hints]}


class Tuned(Strict):
    """What is turned after the networks have run."""

    style: StyleName | Annotated[float, Field(ge=0, le=1)] = "natural"
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    warmth: Annotated[float, Field(ge=-1, le=1)] = 0.0

    def tuning(self) -> dict[str, float]:
        style = position(self.style) if isinstance(self.style, str) else self.style
        return vars(Tuning(style, self.saturation, self.strength, self.warmth))


class Paint(Tuned):
    """How the result is painted and written."""

    format: Format | None = None
    """The photo's own where none is given."""
    corner: bool = False
    """A visible mark in the lower right corner."""
    gps: bool = False
    """Keeps the place where the photo was taken."""

    def paint(self, model: str) -> dict[str, Any]:
        rest = {"format": self.format, "corner": self.corner, "gps": self.gps, "model": model}
        return {"tuning": self.tuning(), **rest}


class Options(Look, Paint):
    """Everything about one photo, as the part `options` has it."""


class Wanted(Paint):
    """One photo of an archive."""

    id: Annotated[str, Field(max_length=64)]


class Archive(Strict):
    photos: Annotated[list[Wanted], Field(min_length=1, max_length=200)]


class Vary(Hinted, Tuned):
    """Other plausible colourings that keep the `hints`, with small pictures; the same seed gives the same ones."""

    count: Annotated[int, Field(ge=1, le=5)] = 3
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0

    def vary(self) -> dict[str, Any]:
        hints = [hint.plain() for hint in self.hints]
        return {"count": self.count, "seed": self.seed, "hints": hints, "tuning": self.tuning()}
