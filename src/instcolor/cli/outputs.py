"""Where results go: beside their photos, into a folder, into one file, or to standard output; never over a photo."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path

import typer

from ..errors import PhotoError
from ..files import already_exists, make_folder
from ..photo.formats import SUFFIXES
from .inputs import RESULT, Item
from .options import STREAM


class Destinations:
    """Names the results of one run, so that no result takes the place of a photo of this run or of another result.

    Args:
        items: all photos of the run.
        out: a file, a folder, "-" for standard output, or None for beside each photo.
        folder: whether `out` must be a folder whatever the number of photos.
        option: what the command calls `out`.

    Raises:
        typer.BadParameter: `out` is one file, or standard output, and there are several photos.
    """

    def __init__(
        self,
        items: Iterable[Item],
        out: str | None,
        *,
        folder: bool = False,
        overwrite: bool = False,
        option: str = "--out",
    ):
        items = list(items)
        self.out = None if out is None else Path(out)
        self.overwrite = overwrite
        several = folder or len(items) > 1
        self.is_file = out is not None and out != STREAM and _is_file(out, several=several)
        if several and (self.is_file or out == STREAM):
            raise typer.BadParameter(f"{out} is one file, a folder is needed", param_hint=option)
        self._taken = {_key(item.path) for item in items}

    def claim(self, item: Item, suffix: str) -> Path | None:
        """The path of an item's result, kept free for it from now on; None for standard output.

        `suffix` is that of the result's format (".jpg"); the photo's own is kept where it means the same. The folder
        exists afterwards. Raises PhotoError where the result would replace the photo itself, FileError where a file of
        an earlier run stands there, or the folder cannot be made.
        """
        if self.out == Path(STREAM) or (self.out is None and item.is_stream):
            return None
        if self.is_file and self.out is not None:
            path = self.out
            if _key(path) in self._taken:
                raise PhotoError(f"{item.name}: the result would replace the photo itself")
        else:
            path = self._free(item, _suffix(item.path, suffix))
        if path.exists() and not self.overwrite:
            raise already_exists(path)
        self._taken.add(_key(path))
        if self.out is not None:
            make_folder(path.parent)
        return path

    def _free(self, item: Item, suffix: str) -> Path:
        """The first name that no photo and no result of this run has."""
        folder = item.path.parent if self.out is None else self.out / item.place.parent
        plain, marked = item.place.stem, item.place.stem + RESULT
        stems = chain(() if self.out is None else (plain,), (marked,), (f"{marked}-{number}" for number in count(2)))
        paths = (folder / (stem + suffix) for stem in stems)
        return next(path for path in paths if _key(path) not in self._taken)


def write_stdout(data: bytes) -> None:
    """Writes all bytes to standard output. Raises PhotoError where that is full or closed."""
    stream = sys.stdout.buffer
    raw = getattr(stream, "raw", stream)  # what a failed write leaves in a buffer would be tried again at the exit
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[raw.write(rest) :]
    except OSError as error:
        raise PhotoError(f"standard output: cannot be written ({error.strerror or error})") from error


def _is_file(out: str, *, several: bool) -> bool:
    """Whether `--out` names a file: it is none of a folder's names, and ends like a photo."""
    path = Path(out)
    if path.is_dir() or out.endswith(("/", os.sep)):
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    if path.suffix and not several:
        kinds = ", ".join(SUFFIXES)
        raise typer.BadParameter(f"{out} ends in none of {kinds}; a folder is given as {out}/", param_hint="--out")
    return False


def _suffix(path: Path, suffix: str) -> str:
    same = SUFFIXES.get(path.suffix.lower()) == SUFFIXES[suffix]
    return path.suffix if same else suffix


def _key(path: Path) -> str:
    """The same for two paths that name one file, also on a disk that does not tell upper from lower case."""
    return os.path.realpath(path).casefold()
