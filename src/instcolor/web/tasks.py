"""What a worker does with a photo's folder: messages to calls, and what they return to messages.

A folder holds `original` (the bytes as they came), then `answer.npz` (what the networks said), `planes` (the small ab
planes of the styles and the confidence, for the page) and `gray.jpg` (the photo in gray at preview size).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..colorizer import Colorizer, Look
from ..colorspace import srgb_to_lab
from ..editing import previews
from ..editing.borrowing import borrow
from ..editing.suggestions import alternatives, object_hints, suggest
from ..hints import Hints
from ..objects import DetectedObject, select
from ..photo import Photo, read_colors
from ..runtime.model import Answer
from . import messages, schemas
from .messages import Message, StageName

OnStage = Callable[[StageName], None]


class Tasks:
    """The tasks of one worker, with its Colorizer and the name of the model, which every result tells."""

    def __init__(self, colorizer: Colorizer, model: str):
        self._colorizer, self._model = colorizer, model

    def run(self, task: messages.AnyTask, stage: OnStage) -> Message:
        """Does a task. Raises PhotoError where the photo is at fault."""
        match task:
            case messages.LookAt():
                look = self._look(task.folder, task.request, stage)
                keep(task.folder, look)
                return looked(look)
            case messages.Colorize():
                return self._paint(self._look(task.folder, task.options, stage), task, stage)
            case messages.Paint():
                kept = Look(self._open(task.folder, stage), _objects(task.objects), kept_answer(task.folder))
                return self._paint(kept, task, stage)
            case messages.Detect():
                photo = self._open(task.folder, stage)
                stage("objects")
                return messages.Detected(size=photo.size, objects=_listed(self._colorizer.detect(photo)))
            case messages.Borrow():
                data = (task.folder / "reference").read_bytes()
                reference = read_colors(data, max_pixels=self._colorizer.max_pixels)
                return messages.Borrowed(hints=_points(borrow(self._open(task.folder, stage).L, reference)))
            case messages.Suggest():
                stage("decoded")
                found = suggest(kept_answer(task.folder).logits, task.size, task.region)
                return messages.Suggested(colors=[(round(s.a, 2), round(s.b, 2), round(s.share, 4)) for s in found])
            case messages.FindAlternatives():
                return self._alternatives(task, stage)

    def _open(self, folder: Path, stage: OnStage) -> Photo:
        stage("reading")
        photo = Photo.open((folder / "original").read_bytes(), max_pixels=self._colorizer.max_pixels)
        stage("decoded")
        return photo

    def _look(self, folder: Path, request: schemas.LookRequest, stage: OnStage) -> Look:
        photo = self._open(folder, stage)
        stage("objects")
        if request.objects is None:
            objects = self._colorizer.detect(photo)
        else:
            limit = self._colorizer.limit
            objects = select(_objects(request.objects), photo.size, limit=limit, min_area=0.0, max_iou=1.0)
        stage("coloring")
        return self._colorizer.look_again(photo, objects, _hints(request.hints))

    def _paint(self, look: Look, task: messages.Paint | messages.Colorize, stage: OnStage) -> messages.Painted:
        stage("painting")
        options = task.options
        photo = look.paint(options.tuning())
        format = options.format or photo.format
        mark = replace(self._colorizer.mark(corner=options.corner), model=self._model)
        (task.folder / task.name).write_bytes(photo.encode(format, mark=mark, keep_gps=options.gps))
        return messages.Painted.model_validate({"format": format})

    def _alternatives(self, task: messages.FindAlternatives, stage: OnStage) -> messages.Alternatives:
        """What is kept stays: these looks are only shown."""
        photo, objects, request = self._open(task.folder, stage), _objects(task.objects), task.request
        hints = _hints(request.hints)
        first = self._colorizer.look_again(photo, objects, hints)
        found = alternatives(first.answer.logits, photo.size, objects, count=request.count, seed=request.seed)

        def shown(look: Look) -> str:
            return base64.b64encode(previews.picture(look, request.tuning())).decode()

        def with_more(more: Hints) -> Look:
            return self._colorizer.look_again(photo, objects, Hints(np.concatenate([hints.points, more.points])))

        told = [messages.Alternative(hints=_points(more), picture=shown(with_more(more))) for more in found]
        return messages.Alternatives(first=shown(first), alternatives=told)


def looked(look: Look) -> messages.Looked:
    """What a client may know of a look."""
    photo = look.photo
    rows, columns = look.answer.ab.shape[:2]
    facts = {"size": photo.size, "format": photo.format, "bits": photo.source.bits, "notes": list(photo.source.notes)}
    return messages.Looked.model_validate({**facts, "objects": _listed(look.objects), "grid": (rows, columns)})


def keep(folder: Path, look: Look) -> None:
    """Writes what the networks said, and what a page paints with."""
    ab, logits = look.answer
    np.savez(folder / "answer.npz", ab=ab, logits=logits.astype(np.float16))
    (folder / "planes").write_bytes(previews.planes(look.answer).tobytes())
    preview = folder / "gray.jpg"
    if not preview.exists():
        preview.write_bytes(previews.gray_picture(look.photo))


def kept_answer(folder: Path) -> Answer:
    """What `keep` has written."""
    with np.load(folder / "answer.npz", allow_pickle=False) as kept:
        return Answer(kept["ab"], kept["logits"].astype(np.float32))


def _objects(listed: Iterable[schemas.Object]) -> tuple[DetectedObject, ...]:
    return tuple(DetectedObject(o.box, o.label, o.score) for o in listed)


def _listed(objects: Iterable[DetectedObject]) -> list[schemas.Object]:
    return [schemas.Object(box=o.box, label=o.label[:64], score=o.score) for o in objects]


def _hints(told: Iterable[schemas.Hint]) -> Hints:
    """Hints of spots and strokes, each in one color, and of objects colored whole."""
    parts: list[NDArray[np.float32]] = [Hints.none().points]
    for hint in told:
        a, b = hint.ab or color_ab(hint.color or "")
        if hint.box:
            parts.append(object_hints(hint.box, (a, b)))
        if hint.points:
            parts.append(np.array([(x, y, a, b) for x, y in hint.points], np.float32))
    return Hints(np.concatenate(parts))


def color_ab(color: str) -> tuple[float, float]:
    """a*, b* of "#rrggbb"."""
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    _, a, b = srgb_to_lab(rgb)
    return float(a), float(b)


def _points(hints: Hints) -> list[messages.Point]:
    return [(x, y, a, b) for x, y, a, b in hints.points.astype(np.float64).round(1).tolist()]
