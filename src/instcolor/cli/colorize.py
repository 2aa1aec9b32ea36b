"""`instcolor colorize`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import ABOUT_CORNER, ABOUT_GPS, MODEL, SATURATION, STRENGTH, STYLE, WARMTH, Style
from .options import (
    MAX_MEGAPIXELS,
    STREAM,
    Boxes,
    Detector,
    Format,
    Hint,
    Inputs,
    Jobs,
    Journal,
    Json,
    MaxMegapixels,
    Model,
    NoFaces,
    Overwrite,
    Pages,
    Quality,
    Quiet,
    Reference,
    StyleName,
    Threads,
    chosen,
    pixels,
    unfolded,
)

if TYPE_CHECKING:
    from ..batch import Colorizing, Record


@dataclass(frozen=True)
class Options:
    """How photos are colored, and what is said about it."""

    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE|FOLDER|-", help="Where results go (default: beside each photo)."),
    ] = None
    style: StyleName = STYLE.value
    saturation: Annotated[float, chosen(SATURATION)] = SATURATION.default
    strength: Annotated[float, chosen(STRENGTH)] = STRENGTH.default
    warmth: Annotated[float, chosen(WARMTH)] = WARMTH.default
    hint: Hint = None
    reference: Reference = None
    detector: Detector = None
    no_faces: NoFaces = False
    boxes: Boxes = None
    model: Model = MODEL
    limit: Annotated[
        int, typer.Option(metavar="N", min=0, help="Objects colored by themselves at most; small ones count a third.")
    ] = 8
    corner: Annotated[bool, typer.Option("--mark", help=ABOUT_CORNER)] = False
    keep_gps: Annotated[bool, typer.Option("--keep-gps", help=ABOUT_GPS)] = False
    format: Format = None
    quality: Quality = None
    pages: Pages = ""
    jobs: Jobs = None
    threads: Threads = None
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS
    overwrite: Overwrite = False
    journal: Journal = None
    as_json: Json = False
    quiet: Quiet = False

    def job(self) -> Colorizing:
        """What is done to each photo."""
        from ..batch import Colorizing

        return Colorizing(
            model=self.model,
            detector=self.detector,
            faces=not self.no_faces,
            boxes=self.boxes,
            limit=self.limit,
            style=self.style if self.style in list(Style) else float(self.style),
            saturation=self.saturation,
            strength=self.strength,
            warmth=self.warmth,
            hints=tuple(self.hint or ()),
            reference=self.reference,
            corner=self.corner,
            keep_gps=self.keep_gps,
            format=self.format,
            quality=self.quality,
            pages=self.pages,
            max_pixels=pixels(self.max_megapixels),
            overwrite=self.overwrite,
            threads=self.threads,
        )


@unfolded
def colorize(inputs: Inputs, options: Options) -> None:
    """Color photos.

    A result has its photo's size and format. Without --out it lies beside the photo, old-color.jpg beside old.jpg; in
    a folder given with --out it keeps the photo's name and sub-folder. A photo is never replaced. What comes from
    standard input goes to standard output.
    """
    streams = options.out == STREAM or (options.out is None and STREAM in inputs)
    _check(options, streams)

    from ..batch.journal import Journal
    from ..batch.names import results
    from ..sources.given import find
    from .places import names_for
    from .report import Report, print_records
    from .runs import go_through

    report = Report(quiet=options.quiet, aside=options.as_json or streams)
    found = find(inputs, report.error, results(options.out))
    folder = any(os.path.isdir(text) for text in inputs)
    names = names_for(found.items, options.out, folder=folder, overwrite=options.overwrite)
    counts = options.boxes is None and options.detector != "none"
    if not found.items:
        report.exit()
    with report.setting_up():
        job = options.job()
        journal = Journal(options.journal, job.facts()) if options.journal else None
        records = go_through(
            report, job, found, names, lambda record: _line(record, counts), jobs=options.jobs, journal=journal
        )
    if options.as_json:
        print_records(records, found.others)
    report.exit()


def _check(options: Options, streams: bool) -> None:
    """Raises typer.BadParameter for options that do not go together."""
    if options.boxes is not None and options.detector not in (None, "none"):
        raise typer.BadParameter("boxes stand in for a detector: give one of the two", param_hint="--boxes")
    if streams and options.as_json:
        raise typer.BadParameter("standard output carries the photo already: give --out", param_hint="--json")
    if streams and sys.stdout.isatty():
        raise typer.BadParameter("a photo is not written to a terminal: give a file", param_hint="--out")


def _line(record: Record, counts: bool) -> str:
    """What is said of a photo that is done; `counts`: also that it has no objects."""
    from .report import summary

    objects = record.all_objects
    pages = f"{record.pages} pages, " if record.pages > 1 else ""
    found = f" ({pages}{summary(objects)})" if objects or counts or pages else ""
    return f"{record.label} -> {record.out or 'standard output'}{found}"
