"""What is measured: which photos of the data, and which of their annotated objects count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from .photos import PhotoFile, find_photos

Item = TypeVar("Item")

MIN_SCORE = 0.35
"""Annotated objects below it do not count, neither for colors nor for detectors."""


def photos_of(data: Path, limit: int | None) -> list[PhotoFile]:
    """At most `limit` photos, spread over the data. Raises InstcolorError where there are none."""
    return spread(find_photos(data), limit)


def annotations_of(data: Path, boxes: Path | None) -> Path | None:
    """The boxes file: the one that was named, else the data where they are a COCO annotation file."""
    return boxes or (data if data.suffix.lower() == ".json" else None)


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most `limit` of the items, evenly spread over them, in order."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]
