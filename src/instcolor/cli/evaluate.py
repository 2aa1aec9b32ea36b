"""`instcolor evaluate`: how good the colors are, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import DETECTOR, MODEL
from .extras import needing
from .options import NoFaces, Overwrite, Threads, unfolded

if TYPE_CHECKING:
    from ..evaluation.color.command import Request
    from ..evaluation.video.command import Request as Films


@dataclass(frozen=True)
class Options:
    """What is measured, and how."""

    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Name of a model; may be given several times.")
    ] = None
    weights: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILES", help="Torch weights of a training: FULL, or FULL,INSTANCE,FUSION (safetensors files)."
        ),
    ] = None
    imported: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Imported weights of somebody else's network.")
    ] = None
    detector: Annotated[
        list[str] | None,
        typer.Option(
            metavar="annotations|builtin|none|FILE|NAME",
            help="What finds the objects to fuse (default: annotations where there are any, else builtin).",
        ),
    ] = None
    no_faces: NoFaces = False
    no_masks: Annotated[bool, typer.Option("--no-masks", help="Leave objects without a mask as they are.")] = False
    true_masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="PLACE", help="Folder or zip file of true outlines: PNG files, 0 is outside."),
    ] = None
    no_truth: Annotated[
        bool, typer.Option("--no-truth", help="Photos without color: measure only what needs no true ones.")
    ] = False
    detection: Annotated[
        bool,
        typer.Option("--detection", help="Measure detectors instead of colors; --detector may be given several times."),
    ] = False
    video: Annotated[
        bool, typer.Option("--video", help="Measure films: DATA are some in color, or photos to make clips from.")
    ] = False
    boxes: Annotated[Path | None, typer.Option(metavar="FILE", help="Boxes file of the annotated objects.")] = None
    size: Annotated[
        str, typer.Option(metavar="SIDE|own", help="Side of the square in which pictures are compared.")
    ] = "256"
    squash: Annotated[
        bool, typer.Option("--squash", help="With --size own: a square for the network, not the aspect.")
    ] = False
    style: Annotated[
        list[str] | None, typer.Option(metavar="STYLE", help="Only this style; may be given several times.")
    ] = None
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only so many photos, spread over the data.")
    ] = None
    only: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Only photos whose names fit, such as 'street_*'.")
    ] = None
    lpips: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|lpips|torchmetrics", help="Measure LPIPS too: its shift-tolerant weights, or a package."
        ),
    ] = None
    inception: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An Inception network (ONNX), to measure FID too.")
    ] = None
    ablations: Annotated[
        bool, typer.Option("--ablations", help="Rows for fewer taps and other choices of boxes (with --weights).")
    ] = False
    hints: Annotated[bool, typer.Option("--hints", help="Rows with a true color at the center of every object.")] = (
        False
    )
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Write results.csv, .json and .md, and a gallery there."),
    ] = None
    overwrite: Overwrite = False
    threads: Threads = None

    def films(self, data: Path) -> Films:
        """The measuring of films. Raises typer.BadParameter for several models or detectors."""
        with needing("measuring films", "video"):
            from ..evaluation.video.command import Request as Films
        for name, given in (("--model", self.model), ("--detector", self.detector)):
            if given and len(given) > 1:
                raise typer.BadParameter("films are measured with one at a time", param_hint=name)
        return Films(
            data=data,
            model=self.model[0] if self.model else MODEL,
            detector=self.detector[0] if self.detector else DETECTOR,
            faces=not self.no_faces,
            masks=not self.no_masks,
            styles=tuple(self.style or ()),
            limit=self.limit,
            threads=self.threads,
            out=self.out,
            overwrite=self.overwrite,
        )

    def request(self, data: Path) -> Request:
        """The measuring of colors. Raises typer.BadParameter for several detectors."""
        from ..evaluation.color.command import Request

        if self.detector and len(self.detector) > 1:
            raise typer.BadParameter("several detectors are measured with --detection only", param_hint="--detector")
        return Request(
            data=data,
            models=tuple(self.model or ()),
            weights=tuple(self.weights or ()),
            imported=tuple(self.imported or ()),
            detector=self.detector[0] if self.detector else None,
            faces=not self.no_faces,
            masks=not self.no_masks,
            true_masks=self.true_masks,
            truth=not self.no_truth,
            only=self.only,
            boxes=self.boxes,
            size=self.size,
            squash=self.squash,
            styles=tuple(self.style or ()),
            limit=self.limit,
            threads=self.threads,
            lpips=self.lpips,
            inception=self.inception,
            ablations=self.ablations,
            hints=self.hints,
            out=self.out,
            overwrite=self.overwrite,
        )


@unfolded
def evaluate(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Color photos: a folder, a zip file, or a COCO annotation file.")
    ],
    options: Options,
) -> None:
    """Measures models on color photos made gray, by the protocol of the paper unless told otherwise."""
    from .report import Report

    report = Report()
    with report.setting_up():
        if options.detection:
            from ..evaluation.detection import command as detectors

            failures = detectors.run(
                data,
                boxes=options.boxes,
                detectors=options.detector or (),
                limit=options.limit,
                threads=options.threads,
                out=options.out,
                overwrite=options.overwrite,
            )
        elif options.video:
            request = options.films(data)
            from ..evaluation.video import command as films

            failures = films.run(request)
        else:
            from ..evaluation.color import command as colors

            failures = colors.run(options.request(data))
    for failure in failures:
        report.error(failure)
    report.exit()
