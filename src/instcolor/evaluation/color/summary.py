"""From single scores to the rows of a table: means with bootstrap intervals, by method, object size and label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..intervals import interval
from .measure import ObjectScore, PictureScore
from .methods import FULL, GRAY, HINTED

Row = dict[str, Any]
Key = tuple[str, str, str]  # model, method, style

METRICS = ("psnr", "ssim", "delta_e2000", "colorfulness", "lpips")
SIZES = (  # of an object's box, share of the photo
    ("<2 %", 0.0, 0.02),
    ("2-10 %", 0.02, 0.1),
    ("10-30 %", 0.1, 0.3),
    (">30 %", 0.3, math.inf),
    (">=2 %", 0.02, math.inf),
    ("all", 0.0, math.inf),
)


def rows_of(
    pictures: Sequence[PictureScore], objects: Sequence[ObjectScore], fid: Mapping[Key, float] | None = None
) -> list[Row]:
    """One row for each model, method and style, in the order in which they first came."""
    by_key: dict[Key, list[PictureScore]] = {}
    for picture in pictures:
        by_key.setdefault(_key(picture), []).append(picture)
    objects_by_key: dict[Key, list[ObjectScore]] = {}
    for item in objects:
        objects_by_key.setdefault(_key(item), []).append(item)
    rows = {key: _row(key, by_key, objects_by_key) for key in by_key}
    for key, distance in (fid or {}).items():
        rows[key]["fid"] = distance
    return list(rows.values())


def _key(score: PictureScore | ObjectScore) -> Key:
    return score.model, score.method, score.style


def _row(key: Key, pictures: dict[Key, list[PictureScore]], objects: dict[Key, list[ObjectScore]]) -> Row:
    own = pictures[key]
    model, method, style = key
    row: Row = {"method": method, "style": style, "model": model, "photos": len(own)}
    row |= _metrics(own) | {"seconds": interval([score.seconds for score in own])}
    for name, base in _bases(key).items():
        gain = _gain(own, pictures.get(base, ()))
        if gain:
            row[name] = interval(gain)
    row["objects"] = _object_rows(objects.get(key, []), key, objects)
    return row


def _metrics(scores: Sequence[PictureScore] | Sequence[ObjectScore]) -> Row:
    """What each metric is on average over the pictures, or the objects, that have it."""
    row: Row = {}
    for name in METRICS:
        known = [score for score in scores if not math.isnan(getattr(score, name))]
        if known:
            row[name] = interval([getattr(score, name) for score in known], [score.photo for score in known])
    truth = float(np.mean([score.truth_colorfulness for score in scores]))
    if truth:
        row["colorfulness_ratio"] = row["colorfulness"]["mean"] / truth
    row["colorfulness_difference"] = row["colorfulness"]["mean"] - truth
    return row


def _bases(key: Key) -> dict[str, Key]:
    """The rows that a row is compared with, by the name of the gain."""
    model, method, style = key
    bases: dict[str, Key] = {"over_gray": ("", GRAY, ""), "over_full": (model, FULL, style)}
    if method.endswith(HINTED):
        bases["over_unhinted"] = (model, method.removesuffix(HINTED), style)
    return {name: base for name, base in bases.items() if base != key}


def _gain(own: Iterable[PictureScore], base: Iterable[PictureScore]) -> list[float]:
    known = {score.photo: score.psnr for score in base}
    return [score.psnr - known[score.photo] for score in own if score.photo in known]


def _object_rows(own: list[ObjectScore], key: Key, objects: dict[Key, list[ObjectScore]]) -> dict[str, dict[str, Row]]:
    bases = {
        name: {(o.photo, o.index): o.psnr for o in objects[base]}
        for name, base in _bases(key).items()
        if base in objects
    }
    labels = sorted({item.label for item in own})
    return {
        "by_size": {name: _object_row([o for o in own if low <= o.share < high], bases) for name, low, high in SIZES},
        "by_label": {label: _object_row([o for o in own if o.label == label], bases) for label in labels},
    }


def _object_row(items: list[ObjectScore], bases: dict[str, dict[tuple[str, int], float]]) -> Row:
    row: Row = {"objects": len(items)}
    if not items:
        return row
    row |= _metrics(items)
    photos = [item.photo for item in items]
    for name, base in bases.items():
        row[name] = interval([item.psnr - base[item.photo, item.index] for item in items], photos)
    return row
