"""What a worker does with a photo's folder: look at it, look again, paint it, borrow colours for it.

A folder holds `original` (the bytes as they came), then `answer.npz` (what the networks said), `planes` (the small ab
planes of the styles and the confidence, for the page) and `gray.jpg` (the photo in grey at preview size).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colorizer import Colorizer, Look
from ..colorspace import L_to_gray8, lab_to_srgb8, srgb_to_lab
from ..editing.borrowing import borrow
from ..editing.suggestions import alternatives, object_hints, suggest
from ..editing.tuning import Tuning, anchor_planes, paint, tuned
from ..hints import Hints
from ..objects import DetectedObject, select
from ..photo import Mark, Photo, read_colors
from ..runtime.model import Answer
from ..styles import confidence
from ..upsampling import resize_plane, upsample_ab, upsample_plane

PREVIEW = 880  # pixels of the longer side
PICTURE = 280  # the same, of an alternative
PLANE_STEPS = 128  # ab and 100 times the confidence are sent as integers, so many to the unit
Stage = Callable[[str], None]


def run(colorizer: Colorizer, task: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """Does `task["do"]` in `task["folder"]`. Raises PhotoError where the photo is at fault."""
    work = {"color": color, "detect": detect, "borrow": borrow_colors, "offer": offer, "vary": vary}[task["do"]]
    return work(colorizer, Path(task["folder"]), task, stage)


def color(colorizer: Colorizer, folder: Path, task: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """Looks with the objects and hints of the task (the networks run), paints what is asked, or both."""
    photo = _open(colorizer, folder, stage)
    facts: dict[str, Any] = {}
    if task.get("look") is not None:
        look = _look(colorizer, photo, task["look"], stage)
        _keep(folder, look)
        facts = _facts(look)
    else:
        look = Look(photo, _objects(task["objects"]), _answer(folder))
    if task.get("paint") is not None:
        facts["painted"] = _paint(look, folder, stage=stage, **task["paint"])
    return facts


def detect(colorizer: Colorizer, folder: Path, task: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """Only the objects."""
    photo = _open(colorizer, folder, stage)
    stage("objects")
    return {"size": photo.size, "objects": _listed(colorizer.detect(photo))}


def borrow_colors(colorizer: Colorizer, folder: Path, task: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """The hints that `reference` lends the photo."""
    reference = read_colors((folder / "reference").read_bytes(), max_pixels=colorizer.max_pixels)
    photo = _open(colorizer, folder, stage)
    return {"hints": _points(borrow(photo.L, reference))}


def offer(colorizer: Colorizer, folder: Path, task: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """Colours to choose among for a spot or over a box."""
    logits, size = _answer(folder).logits, tuple(task["size"])
    stage("decoded")
    region = tuple(task["box"] or (*task["spot"], *task["spot"]))
    return {"colors": [[round(s.a, 2), round(s.b, 2), round(s.share, 4)] for s in suggest(logits, size, region)]}


def vary(colorizer: Colorizer, folder: Path, task: dict[str, Any], stage: Stage) -> dict[str, Any]:
    """Hints of other plausible colourings beside the task's own hints, and how they look; what is kept stays."""
    photo, objects, hints = _open(colorizer, folder, stage), _objects(task["objects"]), _hints(task["hints"])
    tuning = Tuning(**task["tuning"])
    first = colorizer.look_again(photo, objects, hints)
    found = alternatives(first.answer.logits, photo.size, objects, count=task["count"], seed=task["seed"])
    looks = [colorizer.look_again(photo, objects, Hints(np.concatenate([hints.points, h.points]))) for h in found]
    told = [{"hints": _points(h), "picture": _picture(look, tuning)} for h, look in zip(found, looks, strict=True)]
    return {"first": _picture(first, tuning), "alternatives": told}


def _open(colorizer: Colorizer, folder: Path, stage: Stage) -> Photo:
    stage("reading")
    photo = Photo.open((folder / "original").read_bytes(), max_pixels=colorizer.max_pixels)
    stage("decoded")
    return photo


def _look(colorizer: Colorizer, photo: Photo, wish: dict[str, Any], stage: Stage) -> Look:
    stage("objects")
    if wish["objects"] is None:
        objects = colorizer.detect(photo)
    else:
        objects = select(_objects(wish["objects"]), photo.size, limit=colorizer.limit, min_area=0.0, max_iou=1.0)
    stage("coloring")
    return colorizer.look_again(photo, objects, _hints(wish["hints"]))


def _paint(look: Look, folder: Path, *, stage: Stage, name: str, **wish: Any) -> dict[str, Any]:
    stage("painting")
    photo = paint(look, Tuning(**wish["tuning"]))
    format = wish["format"] or photo.format
    mark = Mark(model=wish["model"], corner=wish["corner"])
    (folder / name).write_bytes(photo.encode(format, mark=mark, keep_gps=wish["gps"]))
    return {"format": format}


def _facts(look: Look) -> dict[str, Any]:
    photo = look.photo
    return {
        "size": photo.size,
        "format": photo.format,
        "bits": photo.source.bits,
        "notes": list(photo.source.notes),
        "objects": _listed(look.objects),
        "grid": look.answer.ab.shape[:2],
    }


def _keep(folder: Path, look: Look) -> None:
    ab, logits = look.answer
    np.savez(folder / "answer.npz", ab=ab, logits=logits.astype(np.float16))
    sure = upsample_plane(confidence(logits), ab.shape[:2])[..., None] * 100  # its grid may be coarser
    planes = np.concatenate([*anchor_planes(look.answer), sure], -1)
    limit = np.iinfo(np.int16).max
    (folder / "planes").write_bytes((planes * PLANE_STEPS).round().clip(-limit, limit).astype("<i2").tobytes())
    preview = folder / "gray.jpg"
    if not preview.exists():
        Image.fromarray(L_to_gray8(_small(look.photo, PREVIEW))).save(preview, "JPEG", quality=92)


def _small(photo: Photo, side: int) -> NDArray[np.float32]:
    """L* (h, w) of a photo, its longer side at most `side`."""
    width, height = photo.size
    scale = min(1.0, side / max(width, height))
    return resize_plane(photo.L, (max(1, round(height * scale)), max(1, round(width * scale))))


def _picture(look: Look, tuning: Tuning) -> str:
    """A small JPEG picture in base64."""
    L = _small(look.photo, PICTURE)
    stream = io.BytesIO()
    rgb = lab_to_srgb8(L, upsample_ab(tuned(anchor_planes(look.answer), tuning), L))
    Image.fromarray(rgb).save(stream, "JPEG", quality=85)
    return base64.b64encode(stream.getvalue()).decode()


def _answer(folder: Path) -> Answer:
    with np.load(folder / "answer.npz", allow_pickle=False) as kept:
        return Answer(kept["ab"], kept["logits"].astype(np.float32))


def _objects(listed: list[dict[str, Any]]) -> tuple[DetectedObject, ...]:
    return tuple(DetectedObject(tuple(o["box"]), o["label"], o["score"]) for o in listed)


def _listed(objects: list[DetectedObject] | tuple[DetectedObject, ...]) -> list[dict[str, Any]]:
    return [{k: v for k, v in asdict(o).items() if k != "mask"} for o in objects]


def _hints(wish: list[dict[str, Any]]) -> Hints:
    """Hints of spots and strokes, each in one colour, and of objects coloured whole."""
    parts: list[NDArray[np.float32]] = [Hints.none().points]
    for hint in wish:
        a, b = hint["ab"] if hint.get("ab") else srgb_to_lab(np.array(hint["rgb"], np.float32) / 255)[1:]
        if hint.get("box"):
            parts.append(object_hints(tuple(hint["box"]), (float(a), float(b))))
        if hint.get("points"):
            parts.append(np.array([(x, y, a, b) for x, y in hint["points"]], np.float32))
    return Hints(np.concatenate(parts))


def _points(hints: Hints) -> list[list[float]]:
    return [[round(float(v), 1) for v in point] for point in hints.points]
