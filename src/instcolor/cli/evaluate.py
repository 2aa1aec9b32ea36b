"""`instcolor evaluate`: how good the colors are, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Overwrite, Threads


def evaluate(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Color photos: a folder, a zip file, or a COCO annotation file.")
    ],
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Name of a model; may be given several times.")
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILES", help="Torch weights of a training: FULL, or FULL,INSTANCE,FUSION (safetensors files)."
        ),
    ] = None,
    imported: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Imported weights of somebody else's network.")
    ] = None,
    detector: Annotated[
        list[str] | None,
        typer.Option(
            metavar="annotations|builtin|none|FILE|NAME",
            help="What finds the objects to fuse (default: annotations where there are any, else builtin).",
        ),
    ] = None,
    detection: Annotated[
        bool,
        typer.Option("--detection", help="Measure detectors instead of colors; --detector may be given several times."),
    ] = False,
    boxes: Annotated[Path | None, typer.Option(metavar="FILE", help="Boxes file of the annotated objects.")] = None,
    size: Annotated[
        str, typer.Option(metavar="SIDE|own", help="Side of the square in which pictures are compared.")
    ] = "256",
    squash: Annotated[
        bool, typer.Option("--squash", help="With --size own: a square for the network, not the aspect.")
    ] = False,
    style: Annotated[
        list[str] | None, typer.Option(metavar="STYLE", help="Only this style; may be given several times.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only so many photos, spread over the data.")
    ] = None,
    lpips: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|torchmetrics", help="Measure LPIPS too: its shift-tolerant weights, or torchmetrics."
        ),
    ] = None,
    inception: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An Inception network (ONNX), to measure FID too.")
    ] = None,
    ablations: Annotated[
        bool, typer.Option("--ablations", help="Rows for fewer taps and other choices of boxes (with --weights).")
    ] = False,
    hints: Annotated[
        bool, typer.Option("--hints", help="Rows with a true color at the center of every object.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Write results.csv, .json and .md, and a gallery there."),
    ] = None,
    overwrite: Overwrite = False,
    threads: Threads = None,
) -> None:
    """Measures models on color photos made gray, by the protocol of the paper unless told otherwise."""
    from .report import Report

    report = Report()
    with report.setting_up():
        if detection:
            from ..evaluation.detection import command as detectors

            failures = detectors.run(
                data,
                boxes=boxes,
                detectors=detector or (),
                limit=limit,
                threads=threads,
                out=out,
                overwrite=overwrite,
            )
        else:
            from ..evaluation.color import command as colors

            if detector and len(detector) > 1:
                raise typer.BadParameter(
                    "several detectors are measured with --detection only", param_hint="--detector"
                )
            request = colors.Request(
                data=data,
                models=tuple(model or ()),
                weights=tuple(weights or ()),
                imported=tuple(imported or ()),
                detector=detector[0] if detector else None,
                boxes=boxes,
                size=size,
                squash=squash,
                styles=tuple(style or ()),
                limit=limit,
                threads=threads,
                lpips=lpips,
                inception=inception,
                ablations=ablations,
                hints=hints,
                out=out,
                overwrite=overwrite,
            )
            failures = colors.run(request)
    for failure in failures:
        report.error(failure)
    report.exit()
