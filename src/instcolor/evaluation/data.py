"""What is measured: which photos of the data, and which of their annotated objects count."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from ..errors import InstcolorError
from .masks import beside
from .photos import PhotoFile, find_photos

Item = TypeVar("Item")

MIN_SCORE = 0.35
"""Annotated objects below it do not count, neither for colors nor for detectors."""


def photos_of(data: Path, limit: int | None, *, only: str | None = None, masks_beside: bool = False) -> list[PhotoFile]:
    """At most `limit` photos, spread over the data. Raises InstcolorError where there are none.

    `only` is a pattern that names have to fit, such as "street_*"; `masks_beside` leaves out PNG files that lie beside
    another photo of their name.
    """
    photos = find_photos(data)
    masks = beside(photo.name for photo in photos) if masks_beside else set()
    kept = [photo for photo in photos if photo.name not in masks and fnmatchcase(photo.name, only or "*")]
    if not kept:
        raise InstcolorError(f"{data}: no photos in it" + (f" whose names fit {only}" if only else ""))
    return spread(kept, limit)


def annotations_of(data: Path, boxes: Path | None) -> Path | None:
    """The boxes file: the one that was named, else the data where they are a COCO annotation file."""
    return boxes or (data if data.suffix.lower() == ".json" else None)


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most `limit` of the items, evenly spread over them, in order."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]
