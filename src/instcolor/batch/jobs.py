"""What is done to each photo of a run. A job is settings that can be pickled; loaded, it is a function of a task."""

from __future__ import annotations

import io
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..colorizer import Colorizer
from ..detectors import BUILTIN, load_detector
from ..detectors.drawing import draw
from ..detectors.packaged import load_masks
from ..detectors.picture import gray_picture
from ..editing.borrowing import borrow
from ..errors import InstcolorError, PhotoError
from ..files import write_whole
from ..hints import Hints, read_hints
from ..limits import MAX_PIXELS
from ..models import registry
from ..objects import LIMIT, DetectedObject, read_boxes, without_masks
from ..photo import Photo
from ..photo.formats import SUFFIXES, result_suffix, usual_suffix
from ..photo.made import digest_of
from ..photo.pages import page_ranges, page_sizes, save_pages, wanted_pages, write_pages
from ..photo.reference import read_colors
from ..photo.xmp import Mark
from ..sources import Item
from ..styles import DEFAULT as STYLE
from .records import PageRecord, Record
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


PIECE = 1 << 20  # bytes that go to standard output at a time
UNSEEN = ("model", "overwrite", "threads")
"""Settings that do not show in results, or stand elsewhere."""
Work = Callable[[Task], Record]


class _Pages(NamedTuple):
    """Pages of a file, from 1 on, and their (width, height) as they are stored."""

    numbers: list[int]
    sizes: list[tuple[int, int]]


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
    faces: bool = True
    boxes: Path | None = None
    limit: int = LIMIT
    style: str | float = STYLE
    saturation: float = 1.0
    strength: float = 1.0
    warmth: float = 0.0
    hints: tuple[str, ...] = ()
    """Each "x,y,#rrggbb" in pixels of every photo, or the name of a JSON file with a list of such."""
    reference: Path | None = None
    """A color photograph whose colors are borrowed as hints."""
    corner: bool = False
    keep_gps: bool = False
    format: str | None = None
    """Of results; None: each photo's own."""
    quality: int | None = None
    pages: str = ""
    """Which of a TIFF file of many, as "1-3,7"; "" for all of them."""
    max_pixels: int = MAX_PIXELS
    overwrite: bool = False
    threads: int | None = None

    def suffix(self, start: bytes) -> str:
        own = result_suffix(start)
        return usual_suffix(self.format) if own and self.format else own

    def facts(self) -> dict[str, Any]:
        entry = registry.find(self.model)
        options = {name: value for name, value in vars(self).items() if name not in UNSEEN}
        paths = {name: str(options[name] or "") for name in ("boxes", "reference")}
        return {"model": entry.name, "sha256": entry.sha256, "options": {**options, **paths}}

    def load(self) -> Work:
        marked = None if self.boxes is None else read_boxes(self.boxes)
        told = _told(self.hints)
        lent = None if self.reference is None else _lent(self.reference, self.max_pixels)
        detector = self.detector or (BUILTIN if marked is None else "none")
        colorizer = Colorizer(
            self.model,
            detector=detector,
            faces=self.faces,
            limit=self.limit,
            threads=self.threads,
            max_pixels=self.max_pixels,
        ).load()

        def color(photo: Photo, path: Path) -> Photo:
            boxes = None
            if marked is not None:  # boxes files know of first pages only
                boxes = marked.for_photo(path, photo.size) if photo.source.page == 1 else []
            borrowed = Hints.none() if lent is None else borrow(photo.L, lent)
            return colorizer.colorize(
                photo,
                objects=boxes,
                hints=Hints(np.concatenate([borrowed.points, told.points])),
                style=self.style,
                saturation=self.saturation,
                strength=self.strength,
                warmth=self.warmth,
            )

        def work(task: Task) -> Record:
            start = time.perf_counter()
            content = task.item.content()
            mark = colorizer.mark(corner=self.corner, source=digest_of(content))
            pages = self._pages(task, content)
            if pages is not None and len(pages.numbers) > 1:
                return _pages_done(task, *_all_pages(task, content, pages, color, mark, self), start)
            photo = Photo.open(content, max_pixels=self.max_pixels, page=pages and pages.numbers[0])
            if not self.format and photo.suffix != task.suffix:
                raise OtherSuffix(photo.suffix)
            photo = color(photo, task.item.path)
            if task.out is None:
                write_stdout(photo.encode(self.format, mark=mark, keep_gps=self.keep_gps, quality=self.quality))
            else:
                photo.save(task.out, overwrite=self.overwrite, mark=mark, keep_gps=self.keep_gps, quality=self.quality)
            return _done(task, photo, without_masks(photo.objects), start)

        return work

    def _pages(self, task: Task, content: Path | bytes) -> _Pages | None:
        """The pages to color; None for the only photo of a file, or for the first where the result holds no more.

        Raises PhotoError where pages are asked for that there are not, or that the result cannot hold.
        """
        sizes = page_sizes(content)
        try:
            numbers = wanted_pages(page_ranges(self.pages) if self.pages else (), max(1, len(sizes)))
        except ValueError as error:
            raise PhotoError(f"{task.item.label}: {error}") from error
        holds_many = SUFFIXES.get((task.out.suffix if task.out else task.suffix).lower()) == "TIFF"
        if len(numbers) > 1 and not holds_many and self.pages:
            raise PhotoError(f"{task.item.label}: only a TIFF file holds {len(numbers)} pages")
        if len(sizes) < 2 or (len(numbers) > 1 and not holds_many):
            return None
        return _Pages(numbers, [sizes[number - 1] for number in numbers])


def _told(texts: Iterable[str]) -> Hints:
    """Hints as the command line has them. Raises InstcolorError."""
    parts = [Hints.none().points]
    for text in texts:
        match = re.fullmatch(r"(\d+(?:\.\d+)?),(\d+(?:\.\d+)?),(#?[0-9a-fA-F]{6})", text)
        if match:
            parts.append(Hints.of([(float(match[1]), float(match[2]), match[3])]).points)
        elif text.lower().endswith(".json"):
            parts.append(read_hints(Path(text)).points)
        else:
            raise InstcolorError(f"--hint {text}: neither X,Y,#RRGGBB nor a JSON file")
    return Hints(np.concatenate(parts))


def _lent(path: Path, max_pixels: int) -> NDArray[np.float32]:
    """The colors of a reference. Raises PhotoError."""
    try:
        return read_colors(path.read_bytes(), max_pixels=max_pixels)
    except OSError as error:
        raise PhotoError(f"{path}: cannot be read ({error.strerror or error})") from error
    except PhotoError as error:
        raise PhotoError(f"{path}: {str(error).removeprefix('<bytes>: ')}") from error


@dataclass(frozen=True)
class Detecting:
    """How objects are found. With `drawing` they are framed and outlined in a copy of the photo, a JPEG."""

    detector: str = BUILTIN
    faces: bool = True
    masks: bool = False
    """Whether records have the objects' masks."""
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
        finder = load_detector(
            self.detector, threshold=self.threshold, limit=self.limit, threads=self.threads, faces=self.faces
        )
        if finder is None:
            raise InstcolorError(f"{self.detector}: finds nothing")
        outlines = load_masks(self.threads) if self.masks or self.drawing else None

        def work(task: Task) -> Record:
            start = time.perf_counter()
            photo = Photo.open(task.item.content(), max_pixels=self.max_pixels)
            objects = finder.detect(photo.L)
            if outlines:
                objects = outlines.outlined(photo.L, objects)
            if task.out is not None:
                stream = io.BytesIO()
                draw(gray_picture(photo.L), objects).save(stream, "JPEG", quality=90)
                write_whole(task.out, stream.getvalue(), overwrite=self.overwrite)
            return _done(task, photo, tuple(objects) if self.masks else without_masks(objects), start)

        return work


def _all_pages(
    task: Task,
    content: Path | bytes,
    pages: _Pages,
    color: Callable[[Photo, Path], Photo],
    mark: Mark,
    job: Colorizing,
) -> tuple[list[PageRecord], tuple[str, ...]]:
    """Colors pages one after the other into one file; what is to be recorded of them, and their notes."""
    done: list[PageRecord] = []
    notes: list[str] = []

    def colored() -> Iterator[Photo]:
        for number in pages.numbers:
            photo = color(Photo.open(content, max_pixels=job.max_pixels, page=number), task.item.path)
            done.append(PageRecord(number, photo.size, without_masks(photo.objects)))
            notes.extend(f"(page {number}) {note}" for note in photo.source.notes)
            yield photo

    if task.out is not None:
        save_pages(colored(), task.out, pages.sizes, overwrite=job.overwrite, mark=mark, keep_gps=job.keep_gps)
        return done, tuple(notes)
    with tempfile.TemporaryFile() as file:
        write_pages(colored(), file, pages.sizes, mark=mark, keep_gps=job.keep_gps)
        file.seek(0)
        while data := file.read(PIECE):
            write_stdout(data)
    return done, tuple(notes)


def _pages_done(task: Task, pages: list[PageRecord], notes: tuple[str, ...], start: float) -> Record:
    first = pages[0]
    return Record(
        str(task.item.path),
        task.item.label,
        size=first.size,
        objects=first.objects,
        notes=notes,
        out=None if task.out is None else str(task.out),
        seconds=round(time.perf_counter() - start, 3),
        pages=len(pages),
        each=tuple(pages),
    )


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
