"""`instcolor plugin`: what lets other programs call instcolor, copied to where they look for it."""

from __future__ import annotations

import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InstcolorError

plugin = typer.Typer(name="plugin", no_args_is_help=True, help="Bring instcolor into GIMP 3 or ComfyUI.")
PACKAGE = Path(__file__).parents[1]


class Host(StrEnum):
    """The programs that there is a plug-in for."""

    gimp = "gimp"
    comfyui = "comfyui"


@plugin.command("install")
def install(
    host: Annotated[Host, typer.Argument(help="The program.")],
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Its folder for plug-ins; of GIMP it is known, ComfyUI's is custom_nodes."),
    ] = None,
) -> None:
    """Copy a plug-in to where its program looks for it; one of an earlier version is replaced."""
    from .report import Report

    if to is None and host is Host.comfyui:
        raise typer.BadParameter("where is ComfyUI? --to PATH/ComfyUI/custom_nodes")
    with Report().setting_up():
        target = copy(host, to or gimp_folder())
    print(f"The plug-in lies in {target}. Restart {'GIMP' if host is Host.gimp else 'ComfyUI'} to see it.")


def gimp_folder() -> Path:
    """Where GIMP 3 looks for a user's plug-ins, by its documentation."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "GIMP"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support" / "GIMP"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "GIMP"
    return base / "3.0" / "plug-ins"


def copy(host: Host, folder: Path) -> Path:
    """The plug-in, in a folder named instcolor inside `folder`. Raises InstcolorError where that cannot be written."""
    packed = PACKAGE / "integrations"  # in a wheel; in a checkout they lie at its top
    source = (packed if packed.is_dir() else PACKAGE.parents[1] / "integrations") / host
    if host is Host.gimp:
        source /= "instcolor"
    target = folder / "instcolor"
    try:
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:  # shutil.Error too, which lists what each file met
        raise InstcolorError(f"{target}: cannot be written ({error.strerror or 'see its permissions'})") from None
    return target
