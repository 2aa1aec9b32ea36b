"""`instcolor detect`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import DETECTOR
from .options import (
    MAX_MEGAPIXELS,
    Detector,
    Inputs,
    Jobs,
    Json,
    MaxMegapixels,
    NoFaces,
    Overwrite,
    Quiet,
    Threads,
    finite,
    pixels,
    unfolded,
)

if TYPE_CHECKING:
    from ..batch import Detecting, Record


@dataclass(frozen=True)
class Options:
    """How objects are found, and where they are written."""

    detector: Detector = None
    no_faces: NoFaces = False
    masks: Annotated[
        bool, typer.Option("--masks", help="Add the mask of each object, as COCO's run lengths over the photo.")
    ] = False
    threshold: Annotated[
        float | None,
        typer.Option(metavar="X", min=0, max=1, callback=finite, help="Lowest score (default: the detector's own)."),
    ] = None
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Objects of a photo at most (default: the detector's own).")
    ] = None
    draw: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Write each photo there with its objects framed and outlined.")
    ] = None
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the objects there, for colorize --boxes."),
    ] = None
    coco: Annotated[bool, typer.Option("--coco", help="The objects as COCO annotations, printed or in --out.")] = False
    jobs: Jobs = None
    threads: Threads = None
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS
    overwrite: Overwrite = False
    as_json: Json = False
    quiet: Quiet = False

    def job(self) -> Detecting:
        """What is done to each photo."""
        from ..batch import Detecting

        return Detecting(
            detector=self.detector or DETECTOR,
            faces=not self.no_faces,
            masks=self.masks,
            threshold=self.threshold,
            limit=self.limit,
            drawing=self.draw is not None,
            max_pixels=pixels(self.max_megapixels),
            overwrite=self.overwrite,
            threads=self.threads,
        )


@unfolded
def detect(inputs: Inputs, options: Options) -> None:
    """Find the objects of photos.

    The file that --out writes, like what --json and --coco print, can be changed by hand and given to `instcolor
    colorize --boxes`.
    """
    if options.detector == "none":
        raise typer.BadParameter("none finds nothing: leave it out, or name a detector", param_hint="--detector")
    if options.out is not None and options.out.suffix.lower() != ".json":  # above all, it must not be a photo
        raise typer.BadParameter(f"{options.out} does not end in .json", param_hint="--out")

    from ..batch.names import results
    from ..files import already_exists
    from ..sources.given import find
    from .places import names_for
    from .report import Report
    from .runs import go_through

    report = Report(quiet=options.quiet, aside=options.as_json or (options.coco and options.out is None))
    found = find(inputs, report.error, results(options.draw))
    drawings = names_for(
        found.items,
        options.draw,
        folder=bool(options.draw),
        overwrite=options.overwrite,
        resumes=False,
        option="--draw",
    )
    if not found.items:
        report.exit()
    with report.setting_up():
        if options.out is not None and os.path.lexists(options.out) and not options.overwrite:
            raise already_exists(options.out)
        records = go_through(report, options.job(), found, drawings, _line, jobs=options.jobs)
        _hand_out(options, records, found.others)
    report.exit()


def _line(record: Record) -> str:
    found = ", ".join(f"{o.label} {o.score:.2f}" for o in record.objects) or "nothing found"
    return f"{record.label}: {found}"


def _hand_out(options: Options, records: list[Record], others: Mapping[str, int]) -> None:
    """Prints the objects and writes them to a file, as far as it is wanted. Raises FileError."""
    from ..files import write_whole
    from ..objects import to_coco, to_json
    from .report import print_records

    found = [record.found for record in records if record.status == "done"]
    listed = to_coco(found) if options.coco else to_json(found)
    if options.coco and (options.as_json or options.out is None):
        print(json.dumps(listed))
    elif options.as_json:
        print_records(records, others, files=False)
    if options.out is not None:
        write_whole(options.out, (json.dumps(listed, indent=1) + "\n").encode(), overwrite=options.overwrite)
