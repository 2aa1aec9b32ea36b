"""`instcolor colorize`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from .coloring import Coloring
from .options import STREAM, Inputs, Jobs, Journal, Json, Overwrite, Quiet, Threads, unfolded

if TYPE_CHECKING:
    from ..batch import Colorizing, Record


@dataclass(frozen=True)
class Options(Coloring):
    """How photos are colored, and what is said about it."""

    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE|FOLDER|-", help="Where results go (default: beside each photo)."),
    ] = None
    jobs: Jobs = None
    threads: Threads = None
    overwrite: Overwrite = False
    journal: Journal = None
    as_json: Json = False
    quiet: Quiet = False

    def job(self) -> Colorizing:
        return replace(super().job(), overwrite=self.overwrite, threads=self.threads)


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
    options.check()
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
