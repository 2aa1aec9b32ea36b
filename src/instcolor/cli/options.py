"""The options that several commands share, and options as a dataclass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from ..limits import MAX_PIXELS_CLI
from ..options import ABOUT_STYLE, FORMATS, QUALITY, Number, Style

STREAM = "-"
"""Standard input among the inputs, standard output as `--out`."""
MEGA = 1_000_000


def finite(value: float | None) -> float | None:
    """The callback of numbers: NaN passes every comparison that typer makes."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number")
    return value


def ranges(value: str) -> str:
    """The callback of lists of pages."""
    if value:
        from ..photo.pages import page_ranges

        try:
            page_ranges(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    return value


def chosen(number: Number) -> Any:
    """The option for a number in its range."""
    return typer.Option(metavar="X", min=number.least, max=number.most, callback=finite, help=number.about)


def style(value: str) -> str:
    """The callback of styles: a name, or a number from 0 to 1."""
    try:
        known = value in list(Style) or 0 <= float(value) <= 1
    except ValueError:
        known = False
    if not known:
        raise typer.BadParameter(f"{value} is none of {', '.join(Style)}, and no number from 0 to 1")
    return value


def result_format(value: str | None) -> str | None:
    """The callback of formats: one that results are written in, in any case."""
    if value is not None and value.upper() not in FORMATS:
        raise typer.BadParameter(f"{value} is none of {', '.join(FORMATS)}")
    return value and value.upper()


Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUTS", help='Photos, folders, quoted patterns ("album/**/*.jpg"), or - for stdin.'),
]
DETECTOR_METAVAR = "builtin|none|FILE|NAME"
Detector = Annotated[
    str | None,
    typer.Option(
        metavar=DETECTOR_METAVAR,
        help="What finds the objects: the package's own (default), none, an ONNX file, or one installed by name.",
    ),
]
Boxes = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Objects of each photo: as detect --json prints them, COCO, or a folder of .npz files."
    ),
]
StyleName = Annotated[str, typer.Option("--style", metavar="NAME|X", callback=style, help=ABOUT_STYLE)]
Hint = Annotated[
    list[str] | None,
    typer.Option("--hint", metavar="X,Y,#RRGGBB|FILE", help="The color at a pixel, or a JSON list of such."),
]
Reference = Annotated[
    Path | None, typer.Option(metavar="PHOTO", help="A color photograph that lends its colors where it looks alike.")
]
Format = Annotated[
    str | None,
    typer.Option(metavar="|".join(FORMATS), callback=result_format, help="Of results (default: each photo's own)."),
]
Quality = Annotated[
    int | None,
    typer.Option(metavar="N", min=QUALITY[0], max=QUALITY[1], help="Of JPEG and WebP results (default: the photo's)."),
]
NoFaces = Annotated[bool, typer.Option("--no-faces", help="Do not look for faces beside what the detector finds.")]
Model = Annotated[str, typer.Option(metavar="NAME", help="See `instcolor models`.")]
Threads = Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads of a network (default: all cores).")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=0,
        help="Photos at a time, each in a process of its own with one thread (default: the cores). 0: in this process.",
    ),
]
Journal = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Append a line of JSON for each photo; a run that was stopped goes on from it."),
]
Pages = Annotated[
    str,
    typer.Option(metavar="RANGES", callback=ranges, help='Of TIFF files of many pages these: "1-3,7" (default: all).'),
]
MaxMegapixels = Annotated[
    float,
    typer.Option(metavar="N", min=0, callback=finite, help="Larger photos are refused before they are decoded."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results of an earlier run, never a photo.")]
Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON, all messages go to stderr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]

MAX_MEGAPIXELS = MAX_PIXELS_CLI / MEGA


def pixels(megapixels: float) -> int:
    """A limit in megapixels, as options have it, in pixels."""
    return round(megapixels * MEGA)


def unfolded(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose last parameter is a dataclass, with the fields of that as options in its place.

    So a set of options has a name and a type, can be handed on whole, and several commands can share one.
    """
    *own, last = signature(command, eval_str=True).parameters.values()
    kinds = get_type_hints(last.annotation, include_extras=True)
    options = [
        Parameter(option.name, Parameter.KEYWORD_ONLY, default=option.default, annotation=kinds[option.name])
        for option in fields(last.annotation)
    ]

    def unfolded_command(**given: Any) -> None:
        arguments = {parameter.name: given.pop(parameter.name) for parameter in own}
        command(**arguments, **{last.name: last.annotation(**given)})

    parameters = [*(parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own), *options]
    unfolded_command.__name__, unfolded_command.__doc__ = command.__name__, command.__doc__
    unfolded_command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    unfolded_command.__signature__ = signature(command).replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=None
    )
    return unfolded_command
