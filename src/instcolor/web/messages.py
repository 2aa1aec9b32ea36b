"""What the pool tells a worker and what the worker answers: one line of JSON each, checked where it arrives.

A task names the photo's folder and carries what the client has asked, as `schemas` has checked it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from . import schemas
from .schemas import Box, Object

Point = tuple[float, float, float, float]
"""x, y in pixels of the upright photo, a*, b*."""
StageName = Literal["reading", "decoded", "objects", "coloring", "painting"]


class Message(BaseModel):
    """A line between pool and worker; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


# results


class Looked(Message):
    """What was found in a photo that has been looked at; sizes are (width, height), grids are (rows, columns)."""

    size: tuple[int, int]
    format: schemas.Format
    bits: int
    notes: list[str]
    objects: list[Object]
    grid: tuple[int, int]
    layer: tuple[int, int] | None
    """The grid of the colors that were given to objects and spots; None where there are none."""


class Painted(Message):
    """Answer to `Paint`: the result lies in the photo's folder."""

    format: schemas.Format


class Detected(Message):
    """Answer to `Detect`: objects in pixels of a photo of `size` (width, height)."""

    size: tuple[int, int]
    objects: list[Object]


class Borrowed(Message):
    """Answer to `Borrow`."""

    hints: list[Point]


class Suggested(Message):
    """a*, b* and share of colors, the likeliest first."""

    colors: list[tuple[float, float, float]]


class Alternative(Message):
    """Other colors of an object, as hints that bring them about, and what they look like."""

    hints: list[Point]
    picture: str
    """A JPEG file in base64."""


class Alternatives(Message):
    """Answer to `FindAlternatives`."""

    first: str
    """The picture without any of the alternatives' hints."""
    alternatives: list[Alternative]


# tasks

Result = TypeVar("Result", bound=Message)


class Task(Message, Generic[Result]):
    """Something to be done with the photo in `folder`."""

    result: ClassVar[type[Message]]
    folder: Path


class LookAt(Task[Looked]):
    """Run detector and networks; keep what they say."""

    result = Looked
    do: Literal["look"] = "look"
    request: schemas.LookRequest


class Paint(Task[Painted]):
    """Paint what was kept into the file `name`."""

    result = Painted
    do: Literal["paint"] = "paint"
    objects: list[Object]
    options: schemas.PaintOptions
    name: str


class Colorize(Task[Painted]):
    """Run the networks and paint into the file `name` at once; nothing is kept."""

    result = Painted
    do: Literal["colorize"] = "colorize"
    options: schemas.Options
    name: str


class Detect(Task[Detected]):
    """Find objects, and color nothing."""

    result = Detected
    do: Literal["detect"] = "detect"


class Borrow(Task[Borrowed]):
    """Take the colors of the file `reference` in the same folder."""

    result = Borrowed
    do: Literal["borrow"] = "borrow"


class Suggest(Task[Suggested]):
    """Colors to choose among over a region of a photo of `size`."""

    result = Suggested
    do: Literal["suggest"] = "suggest"
    size: tuple[int, int]
    region: Box


class FindAlternatives(Task[Alternatives]):
    """What else the objects could look like."""

    result = Alternatives
    do: Literal["alternatives"] = "alternatives"
    objects: list[Object]
    request: schemas.AlternativesRequest


AnyTask = Annotated[LookAt | Paint | Colorize | Detect | Borrow | Suggest | FindAlternatives, Field(discriminator="do")]
TASK: TypeAdapter[AnyTask] = TypeAdapter(AnyTask)


# what a worker says


class Failure(Message):
    """Why a task is not done: a code for programs, a sentence for people."""

    code: Literal["bad_photo", "damaged", "too_many_pixels", "no_memory", "failed", "model"]
    sentence: str


class Report(Message):
    """One line of a worker: a stage it has reached, or how the task has ended."""

    stage: StageName | None = None
    failed: Failure | None = None
    done: dict[str, Any] | None = None


class WorkerSettings(Message):
    """What a worker is started with; see `limits.Settings`."""

    colorizer: str
    model: str
    detector: str
    faces: bool
    threads: int
    pixels: int
    memory_bytes: int
