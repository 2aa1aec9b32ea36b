"""`instcolor prepare`: the objects of training photos, found once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..options import DETECTOR
from .options import NoFaces, Overwrite, Quiet, Threads

EVERY = 100  # photos


def prepare(
    data: Annotated[list[str], typer.Argument(help='Folders of photos, zip files or tar shards ("shards/*.tar").')],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The boxes file to write (JSON).")],
    detector: Annotated[
        str, typer.Option(metavar="builtin|FILE|NAME", help="What finds the objects: the package's own, or another.")
    ] = DETECTOR,
    no_faces: NoFaces = False,
    threshold: Annotated[
        float | None, typer.Option(metavar="X", min=0, max=1, help="Lowest score (default: the detector's own).")
    ] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Objects of a photo at most.")] = None,
    overwrite: Overwrite = False,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Find the objects of training photos once; the file is what a training's `boxes` names.

    A run that was stopped goes on where it was. The photos are only read.
    """
    from ..detectors import load_detector
    from ..errors import InstcolorError
    from ..files import already_exists
    from ..sources.kinds import expand
    from ..training.prepare import find_objects
    from .report import Report

    report = Report(quiet=quiet)
    shown = sys.stderr.isatty() and not quiet
    with report.setting_up():
        if out.exists() and not overwrite:
            raise already_exists(out)
        finder = load_detector(detector, threshold=threshold, limit=limit, threads=threads, faces=not no_faces)
        if finder is None:
            raise InstcolorError("--detector none: finds nothing, and a training without boxes needs no file")
        settings = {"detector": detector, "faces": not no_faces, "threshold": threshold, "limit": limit}
        found = find_objects(expand(data), finder.detect, out, settings, _watch if shown else _ignore)
    left_out = "".join(f", {count} {what} left out" for what, count in found.left_out.items())
    if shown:
        print("\r", end="", file=sys.stderr)
    report.line(f"{out}: {found.objects} objects on {found.photos} photos{left_out}")


def _watch(done: int) -> None:
    """How far the search is, on one line of the terminal."""
    if done % EVERY == 0:
        print(f"\r{done} photos", end="", file=sys.stderr, flush=True)


def _ignore(done: int) -> None:
    """Nobody watches."""
