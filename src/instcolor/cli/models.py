"""`instcolor models`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import MEGA

models = typer.Typer(help="List the models at hand, import and download others.", rich_markup_mode=None)


class MaskCenter(StrEnum):
    """What was taken from the hint mask in training."""

    zero = "0"
    half = "0.5"


@models.callback(invoke_without_command=True)
def table(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the models at hand; `show NAME` prints the card of one, `import` and `download` bring others."""
    if context.invoked_subcommand:
        return

    from ..errors import ModelError
    from ..models import registry
    from .report import Report

    report = Report()
    entries = []
    for name in registry.names():
        try:
            entry = registry.find(name)
            entries.append((entry, entry.size))
        except ModelError as error:
            report.error(str(error))
    if as_json:
        facts = [{"name": e.name, "size": size, "license": e.license, "summary": e.summary} for e, size in entries]
        print(json.dumps({"models": facts}, indent=1))
    else:
        for e, size in entries:
            report.line(f"{e.name:12} {size / MEGA:6.1f} MB  {e.license:12} {e.summary}")
    report.exit()


@models.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Print the card of a model: data, training, figures, limits, license."""
    from ..models import registry
    from .report import Report

    report = Report()
    with report.setting_up():
        print(registry.find(name).card(), end="")


@models.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILES", help="Checkpoints that belong together; or an ONNX file and its TOML."),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the model will be called (default: its kind, or its file).")
    ] = None,
    mask_center: Annotated[
        MaskCenter | None,
        typer.Option(help="Of siggraph17 weights that are not recognized: 0 (Caffe), 0.5 (retrained)."),
    ] = None,
) -> None:
    """Make a model of others' weights: siggraph17, eccv16, the three networks of the paper, or any ONNX file."""
    from ..models import registry
    from .extras import needing
    from .report import Report

    report = Report()
    with report.setting_up():
        with needing("importing checkpoints"):
            from ..packaging.installing import install

            center = None if mask_center is None else float(mask_center)
            entry = install(files, folder=registry.user_folder(), name=name, mask_center=center)
        report.line(f"{entry.name}: {entry.kind}, {entry.size / MEGA:.0f} MB in {entry.folder}")


@models.command()
def package(
    full: Annotated[Path, typer.Argument(metavar="FULL", help="Weights of the full-image stage (safetensors).")],
    instance: Annotated[Path, typer.Argument(metavar="INSTANCE", help="Weights of the instance stage.")],
    fusion: Annotated[Path, typer.Argument(metavar="FUSION", help="Weights of the fusion stage.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="What the model will be called.")],
    summary: Annotated[str, typer.Option(help="One line on it.")] = "trained with instcolor train",
    license: Annotated[str, typer.Option(help="Its license.")] = "not stated",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where its folder goes (default: the user's models).")
    ] = None,
) -> None:
    """Make a model of `lite` weights that `instcolor train` wrote."""
    from ..models import registry
    from .extras import needing
    from .report import Report

    report = Report()
    with report.setting_up():
        with needing("packaging weights"):
            from ..packaging.lite import package_lite
        weights = {"full": full, "instance": instance, "fusion": fusion}
        folder = (out or registry.user_folder()) / name
        package_lite(weights, folder, name=name, summary=summary, license=license)
        report.line(f"{name}: {folder}")


@models.command("export-detector")
def export_detector(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="What the detector stage wrote (safetensors).")],
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="The file for --detector.")],
) -> None:
    """Make an ONNX file of a detector that `instcolor train detector` wrote."""
    from .extras import needing
    from .report import Report

    report = Report()
    with report.setting_up():
        with needing("exporting weights"):
            from ..packaging.detector import export_detector as export
        report.line(f"{export(weights, out)}")


@models.command("export-masks")
def export_masks(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="What the masks stage wrote (safetensors).")],
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="The file, as the package has one.")],
) -> None:
    """Make an ONNX file of a mask network that `instcolor train masks` wrote."""
    from .extras import needing
    from .report import Report

    report = Report()
    with report.setting_up():
        with needing("exporting weights"):
            from ..packaging.masks import export_masks as export
        report.line(f"{export(weights, out)}")


@models.command()
def download(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which; without it, what there is.")] = None,
) -> None:
    """Download a detector that others publish, checked by its sha256; a download that was cut goes on."""
    from ..models.downloads import DOWNLOADS
    from ..models.downloads import download as run
    from .downloading import progress
    from .report import Report

    report = Report()
    if name is None:
        for known, wanted in DOWNLOADS.items():
            report.line(f"{known:14} {wanted.size / MEGA:6.1f} MB  {wanted.license:12} {wanted.summary}")
        return
    with report.setting_up():
        with progress() as told:
            path = run(name, told)
        report.line(f"{name}: {path}")
