"""What is done to each photo of a run. A job is settings that can be pickled; loaded, it is a function of a task."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..colorizer import Colorizer
from ..detectors import BUILTIN, load_detector
from ..detectors.drawing import draw
from ..detectors.picture import gray_picture
from ..errors import InstcolorError
from ..files import write_whole
from ..limits import MAX_PIXELS
from ..models import registry
from ..objects import LIMIT, DetectedObject, read_boxes
from ..photo import Photo
from ..photo.formats import result_suffix
from ..photo.made import digest_of
from ..sources import Item
from ..styles import DEFAULT as STYLE
from .records import Record
from .streams import write_stdout


class Task(NamedTuple):
    """One photo to do, and where its result goes."""

    item: Item
    suffix: str = ""
    """Of the format that `out` was named for; "" where no result is to be written."""
    out: Path | None = None
    """The result's path; None for standard output."""


class OtherSuffix(Exception):
    """A photo's result has another format than its first bytes promised: its task needs a name with this suffix."""


UNSEEN = ("model", "overwrite", "threads")
"""Settings that do not show in results, or stand elsewhere."""
Work = Callable[[Task], Record]


class Job(Protocol):
    """Anything that can be done to many photos. It can be pickled, so that other processes do it."""

    def suffix(self, start: bytes) -> str:
        """The suffix of the result of a file with these first bytes; "" where there will be none."""

    def facts(self) -> dict[str, Any]:
        """What tells it from another job, for a journal: "model", "sha256" of its files, "options". JSON."""

    def load(self) -> Work:
        """Gets ready for photos. Raises InstcolorError where what all of them need is missing.

        What it returns may raise anything that concerns its photo alone, and OtherSuffix.
        """


@dataclass(frozen=True)
class Colorizing:
    """How photos are colored; names and meanings as those of `Colorizer` and `Photo.save`."""

    model: str = registry.DEFAULT
    detector: str | None = None
    """None: the packaged one, or none where there are boxes."""
    boxes: Path | None = None
    limit: int = LIMIT
    style: str = STYLE
    saturation: float = 1.0
    strength: float = 1.0
    corner: bool = False
    keep_gps: bool = False
    max_pixels: int = MAX_PIXELS
    overwrite: bool = False
    threads: int | None = None

    def suffix(self, start: bytes) -> str:
        return result_suffix(start)

    def facts(self) -> dict[str, Any]:
        entry = registry.find(self.model)
        options = {name: value for name, value in vars(self).items() if name not in UNSEEN}
        return {"model": entry.name, "sha256": entry.sha256, "options": {**options, "boxes": str(self.boxes or "")}}

    def load(self) -> Work:
        marked = None if self.boxes is None else read_boxes(self.boxes)
        detector = self.detector or (BUILTIN if marked is None else "none")
        colorizer = Colorizer(
            self.model, detector=detector, limit=self.limit, threads=self.threads, max_pixels=self.max_pixels
        ).load()

        def work(task: Task) -> Record:
            start = time.perf_counter()
            photo = Photo.open(task.item.content(), max_pixels=self.max_pixels)
            if photo.suffix != task.suffix:
                raise OtherSuffix(photo.suffix)
            photo = colorizer.colorize(
                photo,
                objects=None if marked is None else marked.for_photo(task.item.path, photo.size),
                style=self.style,
                saturation=self.saturation,
                strength=self.strength,
            )
            mark = colorizer.mark(corner=self.corner, source=digest_of(task.item.content()))
            if task.out is None:
                write_stdout(photo.encode(mark=mark, keep_gps=self.keep_gps))
            else:
                photo.save(task.out, overwrite=self.overwrite, mark=mark, keep_gps=self.keep_gps)
            return _done(task, photo, photo.objects, start)

        return work


@dataclass(frozen=True)
class Detecting:
    """How objects are found. With `drawing` they are framed in a copy of the photo, a JPEG."""

    detector: str = BUILTIN
    threshold: float | None = None
    limit: int | None = None
    drawing: bool = False
    max_pixels: int = MAX_PIXELS
    overwrite: bool = False
    threads: int | None = None

    def suffix(self, start: bytes) -> str:
        return ".jpg" if self.drawing and result_suffix(start) else ""

    def facts(self) -> dict[str, Any]:
        options = {name: value for name, value in vars(self).items() if name not in UNSEEN}
        return {"model": self.detector, "sha256": {}, "options": options}

    def load(self) -> Work:
        finder = load_detector(self.detector, threshold=self.threshold, limit=self.limit, threads=self.threads)
        if finder is None:
            raise InstcolorError(f"{self.detector}: finds nothing")

        def work(task: Task) -> Record:
            start = time.perf_counter()
            photo = Photo.open(task.item.content(), max_pixels=self.max_pixels)
            objects = tuple(finder.detect(photo.L))
            if task.out is not None:
                stream = io.BytesIO()
                draw(gray_picture(photo.L), objects).save(stream, "JPEG", quality=90)
                write_whole(task.out, stream.getvalue(), overwrite=self.overwrite)
            return _done(task, photo, objects, start)

        return work


def _done(task: Task, photo: Photo, objects: tuple[DetectedObject, ...], start: float) -> Record:
    return Record(
        str(task.item.path),
        task.item.label,
        size=photo.size,
        objects=objects,
        notes=photo.source.notes,
        out=None if task.out is None else str(task.out),
        seconds=round(time.perf_counter() - start, 3),
    )
