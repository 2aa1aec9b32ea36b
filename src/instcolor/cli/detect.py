"""`instcolor detect`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    BUILTIN,
    MAX_MEGAPIXELS,
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
    from ..objects import PhotoObjects
    from .inputs import Item


def detect(
    inputs: Inputs,
    detector: Detector = None,
    threshold: Annotated[
        float | None,
        typer.Option(metavar="X", min=0, max=1, callback=finite, help="Lowest score (default: the detector's own)."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Objects of a photo at most (default: the detector's own).")
    ] = None,
    draw: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Write each photo there with its objects framed.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the objects there, for colorize --boxes."),
    ] = None,
    coco: Annotated[bool, typer.Option("--coco", help="The objects as COCO annotations, printed or in --out.")] = False,
    threads: Threads = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the objects of photos.

    The file that --out writes, like what --json and --coco print, can be changed by hand and given to `instcolor
    colorize --boxes`.
    """
    if detector == "none":
        raise typer.BadParameter("none finds nothing: leave it out, or name a detector", param_hint="--detector")
    if out is not None and out.suffix.lower() != ".json":  # above all, it must not be a photo
        raise typer.BadParameter(f"{out} does not end in .json", param_hint="--out")

    from ..detectors import load_detector
    from ..detectors.drawing import draw as framed
    from ..detectors.picture import gray_picture
    from ..files import already_exists, write_whole
    from ..objects import PhotoObjects, to_coco, to_json
    from ..photo import Photo
    from .inputs import expand
    from .outputs import Destinations
    from .report import Report, print_photos

    prints = as_json or (coco and out is None)
    report = Report(quiet=quiet, aside=prints)
    items = expand(inputs, report.error, out=draw)
    drawings = Destinations(items, draw, folder=True, overwrite=overwrite, option="--draw") if draw else None
    if not items:
        report.exit()
    with report.setting_up():
        if out is not None and out.exists() and not overwrite:
            raise already_exists(out)
        finder = load_detector(detector or BUILTIN, threshold=threshold, limit=limit, threads=threads)

    def work(item: Item) -> tuple[PhotoObjects, str]:
        photo = Photo.open(item.source(), max_pixels=pixels(max_megapixels))
        for note in photo.source.notes:
            report.note(f"{item.name} {note}")
        target = drawings.claim(item, ".jpg") if drawings else None
        objects = tuple(finder.detect(photo.L)) if finder else ()
        if target:
            stream = io.BytesIO()
            framed(gray_picture(photo.L), objects).save(stream, "JPEG", quality=90)
            write_whole(target, stream.getvalue(), overwrite=overwrite)
        found = ", ".join(f"{o.label} {o.score:.2f}" for o in objects) or "nothing found"
        return PhotoObjects(str(item.path), photo.size, objects), f"{item.name}: {found}"

    done = report.run(items, work)
    listed = to_coco(done) if coco else to_json(done)
    if prints and coco:
        print(json.dumps(listed))
    elif prints:
        print_photos(listed["photos"])
    if out is not None:
        with report.setting_up():
            write_whole(out, (json.dumps(listed, indent=1) + "\n").encode(), overwrite=overwrite)
    report.exit()
