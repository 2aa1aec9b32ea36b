"""What `--out` means: one file, a folder, or standard output."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .options import STREAM

if TYPE_CHECKING:
    from ..batch import Names
    from ..sources import Item


def names_for(
    items: Sequence[Item],
    out: str | None,
    *,
    folder: bool = False,
    overwrite: bool = False,
    resumes: bool = True,
    option: str = "--out",
) -> Names:
    """The names of a run's results.

    Args:
        out: a file, a folder, "-" for standard output, or None for beside each photo.
        folder: whether `out` must be a folder whatever the number of photos.
        resumes: as `Names` has it.
        option: what the command calls `out`.

    Raises:
        typer.BadParameter: `out` is one file, or standard output, and there are several photos.
    """
    from ..batch import Names

    several = folder or len(items) > 1
    is_file = out is not None and out != STREAM and _is_file(out, several=several)
    if several and (is_file or out == STREAM):
        raise typer.BadParameter(f"{out} is one file, a folder is needed", param_hint=option)
    return Names(items, out, is_file=is_file, overwrite=overwrite, resumes=resumes)


def _is_file(out: str, *, several: bool) -> bool:
    """Whether `--out` names a file: it is none of a folder's names, and ends like a photo."""
    from ..photo.formats import SUFFIXES

    path = Path(out)
    if os.path.isdir(path) or out.endswith(("/", os.sep)):
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    if path.suffix and not several:
        kinds = ", ".join(SUFFIXES)
        raise typer.BadParameter(f"{out} ends in none of {kinds}; a folder is given as {out}/", param_hint="--out")
    return False
