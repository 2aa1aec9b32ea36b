"""From single scores to the rows of a table: means with bootstrap intervals, by method, object size and label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...detectors.faces import LABEL as FACE
from ..intervals import interval
from .methods import FULL, GRAY, HINTED
from .scores import EdgeScore, ObjectScore, PictureScore

Row = dict[str, Any]
Key = tuple[str, str, str]  # model, method, style

PLAIN = "faithful"
"""The style that the others are compared with."""
METRICS = ("psnr", "ssim", "delta_e2000", "colorfulness", "lpips")
SIZES = (  # of an object's box, share of the photo
    ("<2 %", 0.0, 0.02),
    ("2-10 %", 0.02, 0.1),
    ("10-30 %", 0.1, 0.3),
    (">30 %", 0.3, math.inf),
    (">=2 %", 0.02, math.inf),
    ("all", 0.0, math.inf),
)
SMALL_FACE = 0.08  # of the photo's width


def rows_of(
    pictures: Sequence[PictureScore],
    objects: Sequence[ObjectScore],
    fid: Mapping[Key, float] | None = None,
    edges: Sequence[EdgeScore] = (),
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
    edges_by_key: dict[Key, list[EdgeScore]] = {}
    for edge in edges:
        edges_by_key.setdefault(_key(edge), []).append(edge)
    for key, own in edges_by_key.items():
        rows[key]["edges"] = _edge_row(own)
    return list(rows.values())


def _key(score: PictureScore | ObjectScore | EdgeScore) -> Key:
    return score.model, score.method, score.style


def _row(key: Key, pictures: dict[Key, list[PictureScore]], objects: dict[Key, list[ObjectScore]]) -> Row:
    own = pictures[key]
    model, method, style = key
    row: Row = {"method": method, "style": style, "model": model, "photos": len(own)}
    row |= _metrics(own) | {"seconds": interval([score.seconds for score in own])}
    row |= _mean(own, "spread") | _ratio(own, "spread", "truth_spread")
    row |= _gains(own, key, pictures, "psnr")
    if _known(own, "inside_psnr"):
        row["inside"] = _inside_row(own, key, pictures)
    row["objects"] = _object_rows(objects.get(key, []), key, objects)
    return row


def _metrics(scores: Sequence[PictureScore] | Sequence[ObjectScore]) -> Row:
    """What each metric is on average over the pictures, or the objects, that have it."""
    row: Row = {}
    for name in METRICS:
        row |= _mean(scores, name)
    if _known(scores, "truth_colorfulness"):
        row |= _ratio(scores, "colorfulness", "truth_colorfulness")
        truth = float(np.mean([score.truth_colorfulness for score in scores]))
        row["colorfulness_difference"] = row["colorfulness"]["mean"] - truth
    return row


def _known(scores: Sequence[Any], name: str) -> list[Any]:
    """The scores that have a metric."""
    return [score for score in scores if not math.isnan(getattr(score, name))]


def _mean(scores: Sequence[Any], name: str) -> Row:
    known = _known(scores, name)
    if not known:
        return {}
    return {name: interval([getattr(score, name) for score in known], [score.photo for score in known])}


def _ratio(scores: Sequence[Any], name: str, truth: str) -> Row:
    """Mean over mean of the pictures that have a metric, unless the truth's is 0."""
    known = _known(_known(scores, name), truth)
    true = sum(getattr(score, truth) for score in known)
    return {f"{name}_ratio": sum(getattr(score, name) for score in known) / true} if true else {}


def _inside_row(own: Sequence[PictureScore], key: Key, pictures: dict[Key, list[PictureScore]]) -> Row:
    """Within true outlines, and on the skin of those who have it marked."""
    outlined, skin = _known(own, "inside_psnr"), _known(own, "skin_error")
    row: Row = {"photos": len(outlined), "psnr": _mean(outlined, "inside_psnr")["inside_psnr"]}
    row |= _gains(outlined, key, pictures, "inside_psnr")
    row |= _mean(outlined, "outline_iou")
    row |= {"skin_photos": len(skin)} | _mean(skin, "skin_chroma") | _mean(skin, "skin_error")
    return row | _ratio(skin, "skin_chroma", "truth_skin_chroma")


def _edge_row(own: Sequence[EdgeScore]) -> Row:
    worst = max(own, key=lambda edge: edge.jump)
    return {
        "edges": len(own),
        "jump": interval([edge.jump for edge in own], [edge.photo for edge in own]),
        "worst": worst.jump,
        "where": f"{worst.photo}, {worst.label}, {worst.side}",
    }


def _bases(key: Key) -> dict[str, Key]:
    """The rows that a row is compared with, by the name of the gain."""
    model, method, style = key
    bases: dict[str, Key] = {"over_gray": ("", GRAY, ""), "over_full": (model, FULL, style)}
    if style:
        bases["over_faithful"] = (model, method, PLAIN)
    if method.endswith(HINTED):
        bases["over_unhinted"] = (model, method.removesuffix(HINTED), style)
    return {name: base for name, base in bases.items() if base != key}


def _gains(own: Sequence[PictureScore], key: Key, pictures: dict[Key, list[PictureScore]], metric: str) -> Row:
    """What a row has more of a metric than each row that it is compared with, photo by photo."""
    row: Row = {}
    for name, base in _bases(key).items():
        known = {score.photo: getattr(score, metric) for score in _known(pictures.get(base, ()), metric)}
        gain = [getattr(s, metric) - known[s.photo] for s in _known(own, metric) if s.photo in known]
        if gain:
            row[name] = interval(gain)
    return row


def _object_rows(own: list[ObjectScore], key: Key, objects: dict[Key, list[ObjectScore]]) -> dict[str, dict[str, Row]]:
    bases = {
        name: {(o.photo, o.index): o.psnr for o in objects[base]}
        for name, base in _bases(key).items()
        if base in objects
    }
    labels = sorted({item.label for item in own})
    faces = [item for item in own if item.label == FACE]
    small = [item for item in faces if item.width < SMALL_FACE]
    return {
        "faces": {"all": _object_row(faces, bases), "small": _object_row(small, bases)} if faces else {},
        "by_size": {name: _object_row([o for o in own if low <= o.share < high], bases) for name, low, high in SIZES},
        "by_label": {label: _object_row([o for o in own if o.label == label], bases) for label in labels},
    }


def _object_row(items: list[ObjectScore], bases: dict[str, dict[tuple[str, int], float]]) -> Row:
    row: Row = {"objects": len(items)}
    if not items:
        return row
    row |= _metrics(items) | _mean(items, "hues")
    both = _known(_known(items, "hues"), "truth_hues")
    if both:
        row["hues_beyond"] = interval([item.hues - item.truth_hues for item in both], [item.photo for item in both])
    measured = _known(items, "psnr")
    for name, base in bases.items() if measured else ():
        gains = [item.psnr - base[item.photo, item.index] for item in measured]
        row[name] = interval(gains, [item.photo for item in measured])
    return row
