"""What came of a photo, as data: it goes through pipes and into journals as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from ..errors import InstcolorError, PhotoError
from ..objects import DetectedObject, Mask, PhotoObjects
from ..objects.values import detected, four_numbers
from ..sources import Item

LONGEST_REASON = 300  # characters of an error that is not ours
DONE_BEFORE = "was done before"
Status = Literal["done", "failed", "skipped"]


@dataclass(frozen=True)
class PageRecord:
    """One page of a file of many."""

    page: int
    """From 1 on."""
    size: tuple[int, int]
    objects: tuple[DetectedObject, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Everything in what JSON knows."""
        return {"page": self.page, "size": list(self.size), "objects": _listed(self.objects)}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """What `as_json` gave; errors as of `Record.from_json`."""
        return cls(int(said["page"]), (int(said["size"][0]), int(said["size"][1])), _unlisted(said["objects"]))


@dataclass(frozen=True)
class Record:
    """One photo of a run."""

    file: str
    """Its path as it was given; "-" for standard input."""
    label: str
    """What messages call it."""
    status: Status = "done"
    reason: str = ""
    """Why it failed or was skipped: one line, without its name."""
    kind: str = ""
    """Of the error that it failed with: the name of its class."""
    size: tuple[int, int] | None = None
    """Width and height of the upright photo."""
    objects: tuple[DetectedObject, ...] = ()
    """In its pixels; with masks where they were asked for."""
    notes: tuple[str, ...] = ()
    """Sentences about how it was read."""
    out: str | None = None
    """Where the result is; None for standard output."""
    seconds: float = 0.0
    pages: int = 1
    """How many were done."""
    each: tuple[PageRecord, ...] = ()
    """The pages that were done of a file of many; size and objects are those of the first."""

    @classmethod
    def failure(cls, item: Item, error: BaseException) -> Self:
        """Of an item that an error has stopped."""
        return cls(str(item.path), item.label, "failed", reason_of(item.label, error), type(error).__name__)

    @classmethod
    def done_before(cls, item: Item, out: Path) -> Self:
        """Of an item whose result an earlier run has made."""
        return cls(str(item.path), item.label, "skipped", DONE_BEFORE, out=str(out))

    def as_json(self) -> dict[str, Any]:
        """Everything in what JSON knows."""
        return {**vars(self), "objects": _listed(self.objects), "each": [page.as_json() for page in self.each]}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """What `as_json` gave, as JSON brings it back. InstcolorError, KeyError or TypeError for all else."""
        size = said["size"] and (int(said["size"][0]), int(said["size"][1]))
        each = tuple(PageRecord.from_json(page) for page in said["each"])
        objects, notes = _unlisted(said["objects"]), tuple(map(str, said["notes"]))
        return cls(**{**said, "size": size, "objects": objects, "notes": notes, "each": each})

    @property
    def all_objects(self) -> tuple[DetectedObject, ...]:
        """Those of all pages."""
        return tuple(o for page in self.each for o in page.objects) if self.each else self.objects

    @property
    def found(self) -> PhotoObjects:
        """The objects as a boxes file lists them."""
        return PhotoObjects(self.file, self.size, self.objects)


def _listed(objects: tuple[DetectedObject, ...]) -> list[dict[str, Any]]:
    masks: list[dict[str, Any]] = [{"mask": o.mask.packed()} if o.mask else {} for o in objects]
    return [
        {"box": list(o.box), "label": o.label, "score": o.score, **mask} for o, mask in zip(objects, masks, strict=True)
    ]


def _unlisted(said: list[dict[str, Any]]) -> tuple[DetectedObject, ...]:
    return tuple(_one(o) for o in said)


def _one(said: dict[str, Any]) -> DetectedObject:
    found = detected("record", four_numbers("record", "box", list(said["box"])), str(said["label"]), said["score"])
    return replace(found, mask=Mask.unpacked(said["mask"])) if "mask" in said else found


def reason_of(label: str, error: BaseException) -> str:
    """An error in one line, without the name of the photo."""
    text = " ".join(str(error).split()).removeprefix("<bytes>: ")
    if isinstance(error, PhotoError):
        return text.removeprefix(f"{label}: ")
    if isinstance(error, MemoryError):
        return f"there is not enough memory{text and f' ({text})'}"
    if not isinstance(error, InstcolorError):
        return f"{type(error).__name__}: {text[:LONGEST_REASON]}" if text else type(error).__name__
    return text
