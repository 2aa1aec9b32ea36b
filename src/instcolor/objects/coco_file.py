"""COCO's annotation files: their images, the names of their classes, and their annotations as objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from ..coco import NAME_OF_ID
from ..errors import BoxesError
from .detected import DetectedObject
from .values import detected, four_numbers


class CocoImage(NamedTuple):
    """An image as an annotation file states it."""

    key: Any  # its id; None where none is stated
    file: str
    width: Any  # as stated, unchecked
    height: Any


@dataclass(frozen=True)
class CocoFile:
    """The parts of a COCO file. Labels are its own categories, or COCO's where it has none."""

    source: str
    images: list[CocoImage]
    names: dict[int, str]
    annotations: list[Any]

    @classmethod
    def of(cls, source: str, data: Any) -> Self:
        """What was read from the JSON file `source`. Raises BoxesError where images or categories lack something."""
        try:
            names = {c["id"]: str(c["name"]) for c in data.get("categories") or ()} or NAME_OF_ID
            images = [
                CocoImage(image.get("id"), str(image["file_name"]), image.get("width"), image.get("height"))
                for image in data["images"]
            ]
            hash(tuple(image.key for image in images))
        except (TypeError, KeyError, AttributeError) as error:
            raise BoxesError(f"{source}: images and categories need id and file_name or name ({error!r})") from error
        return cls(source, images, names, data.get("annotations") or [])

    def object(self, number: int, *, unknown: str | None = None) -> tuple[Any, DetectedObject]:
        """The image id and the object of an annotation, its box as x0, y0, x1, y1; a missing score counts as 1.

        `unknown` is the label of categories that are not listed. Raises BoxesError that names the entry.
        """
        where, item = f"{self.source}: annotation {number}", self.annotations[number]
        key = item.get("image_id") if isinstance(item, dict) else None
        if not isinstance(key, int | str):
            raise BoxesError(f"{where}: its image_id is not among the images")
        category = item.get("category_id")
        label = self.names.get(category, unknown) if isinstance(category, int) else unknown
        if label is None:
            raise BoxesError(f"{where}: unknown category_id {category!r}")
        x, y, width, height = four_numbers(where, "bbox", item.get("bbox"))
        return key, detected(where, (x, y, x + width, y + height), label, item.get("score", 1.0))
