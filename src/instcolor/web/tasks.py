"""What a worker does with a photo's folder: messages to calls, and what they return to messages.

A folder holds `original` (the bytes as they came), then `answer.npz` (what the networks said, also with regions that
decide together), `planes` (the small ab planes of the styles and the confidence, for the page), `gray.jpg` (the photo
in gray at preview size), `outlines.json` (the objects that were found, with their masks, which clients do not send
back) and, where objects or spots have been given colors, `layer`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..colorizer import Colorizer, Look
from ..colorspace import srgb_to_lab
from ..editing import previews
from ..editing.borrowing import borrow
from ..editing.suggestions import alternatives, object_hints, suggest
from ..hints import Hints
from ..objects import Box, DetectedObject, Mask, iou, select
from ..photo import Photo, read_colors
from ..regions import Layer, object_layer, spot_layer
from ..runtime.model import Answer
from . import messages, schemas
from .messages import Message, StageName

ANSWERS = ("answer", "coherent")  # of a `Look`
OUTLINES = "outlines.json"
SAME_OBJECT = 0.8
"""Overlap from which a hint's box is that of an object."""
OnStage = Callable[[StageName], None]


class Tasks:
    """The tasks of one worker, with its Colorizer and the name of the model, which every result tells.

    Boxes and points are in pixels of the upright photo, colors in Lab units, sizes are (width, height).
    """

    def __init__(self, colorizer: Colorizer, model: str):
        self._colorizer, self._model = colorizer, model

    def run(self, task: messages.AnyTask, stage: OnStage) -> Message:
        """Does a task in its photo's folder and says what came of it; `stage` hears how far it is.

        Raises PhotoError where the photo is at fault, ModelError or DetectorError where a network is. `Paint` and
        `Suggest` need what a `LookAt` before them has kept.
        """
        match task:
            case messages.LookAt():
                look = self._look(task.folder, task.request, stage)
                keep(task.folder, look)
                return looked(look)
            case messages.Colorize():
                return self._paint(self._look(task.folder, task.options, stage), task, stage)
            case messages.Paint():
                photo = self._open(task.folder, stage)
                look = Look(photo, _objects(task.objects), *kept(task.folder))
                return self._paint(look, task, stage)
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
                found = suggest(kept(task.folder)[0].logits, task.size, task.region)
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
            asked = _with_outlines(folder, _objects(request.objects))
            objects = select(asked, photo.size, limit=limit, min_area=0.0, max_iou=1.0)
        stage("coloring")
        return self._color(photo, objects, request.hints)

    def _color(self, photo: Photo, objects: Iterable[DetectedObject], told: Iterable[schemas.Hint]) -> Look:
        """A look with all hints: what the networks are told, and what lies over what they say."""
        told = list(told)
        look = self._colorizer.look_again(photo, objects, _hints(hint for hint in told if hint.reach == "network"))
        layer: Layer | None = None
        for hint in told:
            if hint.reach == "edges":
                upper = _layer(look, hint)
                layer = upper if layer is None else upper.over(layer)
        return replace(look, layer=layer)

    def _paint(self, look: Look, task: messages.Paint | messages.Colorize, stage: OnStage) -> messages.Painted:
        stage("painting")
        options = task.options
        if options.side is not None:
            look = replace(look, photo=previews.small(look.photo, options.side))
        photo = look.paint(options.tuning())
        if options.beside:
            photo = previews.beside(photo)
        format = options.format or photo.format
        mark = replace(self._colorizer.mark(corner=options.corner), model=self._model)
        (task.folder / task.name).write_bytes(
            photo.encode(format, mark=mark, keep_gps=options.gps, quality=options.quality)
        )
        return messages.Painted.model_validate({"format": format})

    def _alternatives(self, task: messages.FindAlternatives, stage: OnStage) -> messages.Alternatives:
        """What is kept stays: these looks are only shown."""
        photo, request = self._open(task.folder, stage), task.request
        objects = _with_outlines(task.folder, _objects(task.objects))
        first = self._color(photo, objects, request.hints)
        found = alternatives(first.answer.logits, photo.size, objects, count=request.count, seed=request.seed)

        def shown(look: Look) -> str:
            return base64.b64encode(previews.picture(look, request.tuning())).decode()

        def with_more(more: Hints) -> Look:
            more_hints = [schemas.Hint(points=[(x, y)], ab=(a, b)) for x, y, a, b in _points(more)]
            return self._color(photo, objects, [*request.hints, *more_hints])

        told = [messages.Alternative(hints=_points(more), picture=shown(with_more(more))) for more in found]
        return messages.Alternatives(first=shown(first), alternatives=told)


def looked(look: Look) -> messages.Looked:
    """What a client may know of a look."""
    photo = look.photo
    rows, columns = look.answer.ab.shape[:2]
    facts = {
        "size": photo.size,
        "format": photo.format,
        "bits": photo.source.bits,
        "notes": list(photo.source.notes),
        "objects": _listed(look.objects),
        "grid": (rows, columns),
        "layer": look.layer and look.layer.share.shape,
    }
    return messages.Looked.model_validate(facts)


def keep(folder: Path, look: Look) -> None:
    """Writes what the networks said, as float16, and what a page paints with. Raises OSError."""
    layer = {} if look.layer is None else {"share": look.layer.share, "layer": look.layer.ab}
    said = {f"{name}_{part}": plane for name in ANSWERS for part, plane in getattr(look, name)._asdict().items()}
    small: dict[str, Any] = {name: array.astype(np.float16) for name, array in (said | layer).items()}
    np.savez(folder / "answer.npz", **small)
    (folder / "planes").write_bytes(previews.planes(look).tobytes())
    if look.layer is not None:
        (folder / "layer").write_bytes(previews.layer_bytes(look.layer))
    found = {item.box: item.mask for item in look.objects if item.mask}
    told = [{"box": box, "mask": mask.packed()} for box, mask in (_outlines(folder) | found).items()]
    (folder / OUTLINES).write_text(json.dumps(told))
    preview = folder / "gray.jpg"
    if not preview.exists():
        preview.write_bytes(previews.gray_picture(look.photo))


def _outlines(folder: Path) -> dict[Box, Mask]:
    """The masks that `keep` has written, by their objects' boxes."""
    path = folder / OUTLINES
    told = json.loads(path.read_text()) if path.exists() else []
    return {(x0, y0, x1, y1): Mask.unpacked(one["mask"]) for one in told for x0, y0, x1, y1 in [one["box"]]}


def _with_outlines(folder: Path, objects: Iterable[DetectedObject]) -> list[DetectedObject]:
    """Objects that a client names, with the masks of those that were found before."""
    known = _outlines(folder)
    return [replace(item, mask=known.get(item.box)) for item in objects]


def kept(folder: Path) -> tuple[Answer, Answer, Layer | None]:
    """What `keep` has written, in float32: the answer, the coherent one, and the layer of given colors, if any."""
    with np.load(folder / "answer.npz", allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    layer = Layer(arrays["share"], arrays["layer"]) if "share" in arrays else None
    answer, coherent = (Answer(arrays[f"{name}_ab"], arrays[f"{name}_logits"]) for name in ANSWERS)
    return answer, coherent, layer


def _layer(look: Look, hint: schemas.Hint) -> Layer:
    """Where a color that reaches to the edges lies."""
    L, ab = look.photo.L, _ab(hint)
    item = None if hint.box is None else _object_at(look, hint.box)
    if hint.points:
        return spot_layer(L, hint.points, ab, item)
    assert item is not None  # a hint has points, a box or both
    return object_layer(L, item, ab)


def _object_at(look: Look, box: schemas.Box) -> DetectedObject:
    """The object that a hint's box means; one without an outline where there is none."""
    best = max(look.objects, key=lambda item: iou(item.box, box), default=None)
    return best if best and iou(best.box, box) >= SAME_OBJECT else DetectedObject(box, "object", 1.0)


def _objects(listed: Iterable[schemas.Object]) -> tuple[DetectedObject, ...]:
    return tuple(DetectedObject(o.box, o.label, o.score) for o in listed)


def _listed(objects: Iterable[DetectedObject]) -> list[schemas.Object]:
    return [schemas.Object(box=o.box, label=o.label[:64], score=o.score, outlined=o.mask is not None) for o in objects]


def _hints(told: Iterable[schemas.Hint]) -> Hints:
    """Hints of spots and strokes, each in one color, and of objects colored whole."""
    parts: list[NDArray[np.float32]] = [Hints.none().points]
    for hint in told:
        a, b = _ab(hint)
        if hint.box:
            parts.append(object_hints(hint.box, (a, b)))
        if hint.points:
            parts.append(np.array([(x, y, a, b) for x, y in hint.points], np.float32))
    return Hints(np.concatenate(parts))


def _ab(hint: schemas.Hint) -> tuple[float, float]:
    """a*, b* of a hint's color."""
    if hint.ab is not None:
        return hint.ab
    assert hint.color is not None  # one of the two is there
    rgb = np.array([int(hint.color[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    _, a, b = srgb_to_lab(rgb)
    return float(a), float(b)


def _points(hints: Hints) -> list[messages.Point]:
    return [(x, y, a, b) for x, y, a, b in hints.points.astype(np.float64).round(1).tolist()]
