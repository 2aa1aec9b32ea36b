"""`instcolor colorize`."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    BUILTIN,
    MAX_MEGAPIXELS,
    STREAM,
    Detector,
    Inputs,
    Json,
    MaxMegapixels,
    Overwrite,
    Quiet,
    Threads,
    finite,
    pixels,
)

if TYPE_CHECKING:
    from .inputs import Item


class Style(StrEnum):
    """The names of `styles.STYLES`, known without loading it."""

    faithful = "faithful"
    natural = "natural"
    vivid = "vivid"


def colorize(
    inputs: Inputs,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE|FOLDER|-", help="Where results go (default: beside each photo)."),
    ] = None,
    style: Annotated[
        Style, typer.Option(help="faithful: the mean of what is likely; vivid: the likeliest; natural: between.")
    ] = Style.natural,
    saturation: Annotated[
        float, typer.Option(metavar="X", min=0, max=10, callback=finite, help="Factor on the colors.")
    ] = 1.0,
    strength: Annotated[
        float, typer.Option(metavar="X", min=0, max=1, callback=finite, help="0 is gray, 1 full color.")
    ] = 1.0,
    detector: Detector = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Objects of each photo: as detect --json prints them, COCO, or a folder of .npz files."
        ),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="See `instcolor models`.")] = "lite",
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="Objects colored by themselves at most.")] = 8,
    corner: Annotated[bool, typer.Option("--mark", help='Write "colorized" into a corner of each result.')] = False,
    keep_gps: Annotated[bool, typer.Option("--keep-gps", help="Keep where a photo was taken.")] = False,
    threads: Threads = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Color photos.

    A result has its photo's size and format. Without --out it lies beside the photo, old-color.jpg beside old.jpg; in
    a folder given with --out it keeps the photo's name and sub-folder. A photo is never replaced. What comes from
    standard input goes to standard output.
    """
    streams = out == STREAM or (out is None and STREAM in inputs)
    if boxes is not None and detector not in (None, "none"):
        raise typer.BadParameter("boxes stand in for a detector: give one of the two", param_hint="--boxes")
    if streams and as_json:
        raise typer.BadParameter("standard output carries the photo already: give --out", param_hint="--json")
    if streams and sys.stdout.isatty():
        raise typer.BadParameter("a photo is not written to a terminal: give a file", param_hint="--out")

    from ..colorizer import Colorizer, load_model
    from ..objects import PhotoObjects, read_boxes, to_json
    from ..photo import Photo
    from ..photo.metadata import Mark
    from .inputs import expand
    from .outputs import Destinations, write_stdout
    from .report import Report, print_photos, summary

    report = Report(quiet=quiet, aside=as_json or streams)
    mark = Mark(model=model, corner=corner)
    items = expand(inputs, report.error, out=out)
    destinations = Destinations(items, out, folder=any(Path(text).is_dir() for text in inputs), overwrite=overwrite)
    if not items:
        report.exit()
    with report.setting_up():
        marked = None if boxes is None else read_boxes(boxes)
        colorizer = Colorizer(
            load_model(model, threads),
            detector=detector or (BUILTIN if marked is None else "none"),
            limit=limit,
            threads=threads,
            max_pixels=pixels(max_megapixels),
        ).load()

    def work(item: Item) -> tuple[dict[str, Any], str]:
        start = time.perf_counter()
        photo = Photo.open(item.source(), max_pixels=colorizer.max_pixels)
        for note in photo.source.notes:
            report.note(f"{item.name} {note}")
        target = destinations.claim(item, photo.suffix)
        objects = None if marked is None else marked.for_photo(item.path, photo.size)
        photo = colorizer.colorize(photo, objects=objects, style=style, saturation=saturation, strength=strength)
        if target is None:
            write_stdout(photo.encode(mark=mark, keep_gps=keep_gps))
        else:
            photo.save(target, overwrite=overwrite, mark=mark, keep_gps=keep_gps)
        entry = to_json([PhotoObjects(str(item.path), photo.size, photo.objects)])["photos"][0]
        entry |= {"out": str(target), "seconds": round(time.perf_counter() - start, 3)}
        found = f" ({summary(photo.objects)})" if photo.objects or colorizer.detector else ""
        return entry, f"{item.name} -> {target or 'standard output'}{found}"

    done = report.run(items, work)
    if as_json:
        print_photos(done)
    report.exit()
