"""The options that several commands share."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from ..limits import MAX_PIXELS_CLI

STREAM = "-"
"""Standard input among the inputs, standard output as `--out`."""
MEGA = 1_000_000


def finite(value: float | None) -> float | None:
    """The callback of numbers: NaN passes every comparison that typer makes."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number")
    return value


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUTS", help='Photos, folders, quoted patterns ("album/**/*.jpg"), or - for stdin.'),
]
BUILTIN = "builtin"
"""`detectors.BUILTIN`, known without loading it."""
DETECTOR_METAVAR = "builtin|none|FILE|NAME"
Detector = Annotated[
    str | None,
    typer.Option(
        metavar=DETECTOR_METAVAR,
        help="What finds the objects: the package's own (default), none, an ONNX file, or one installed by name.",
    ),
]
Threads = Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads of a network (default: all cores).")]
MaxMegapixels = Annotated[
    float,
    typer.Option(metavar="N", min=0, callback=finite, help="Larger photos are refused before they are decoded."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results of an earlier run, never a photo.")]
Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON, all messages go to stderr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]

MAX_MEGAPIXELS = MAX_PIXELS_CLI / MEGA


def pixels(megapixels: float) -> int:
    return round(megapixels * MEGA)
