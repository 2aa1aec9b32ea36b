"""`instcolor page`: the page as files that need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import MEGA

page = typer.Typer(name="page", no_args_is_help=True, help="The page as files that need no server.")


@page.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")],
    runtime: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="dist of the npm package onnxruntime-web; downloaded without it."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty.")] = False,
) -> None:
    """Write the page with its networks, to be put on any host of files: photos are colored in the browser alone."""
    from ..models.downloads import download_runtime
    from ..web.alone import export as run
    from .downloading import progress
    from .report import Report

    report = Report()
    with report.setting_up():
        if runtime is None:
            with progress() as told:
                runtime = download_runtime(told)
        size = run(folder, runtime, overwrite=overwrite)
        report.line(f"{folder}: a first visit fetches {size / MEGA:.1f} MB, later ones nothing")
