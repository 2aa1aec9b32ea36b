"""What results are called: beside their photos, in a folder, or one file; never the name of a photo."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path

from ..errors import PhotoError
from ..files import already_exists, make_folder
from ..photo.formats import SUFFIXES
from ..sources import Item
from ..sources.given import LeaveOut, real
from ..sources.items import STREAM

RESULT = "-color"
"""What a result's name has more than its photo's."""


class Names:
    """Names the results of one run, so that no result takes the place of a photo of this run or of another result.

    Args:
        items: all photos of the run.
        out: a folder, one file (`is_file`), "-" for standard output, or None for beside each photo.
    """

    def __init__(self, items: Iterable[Item], out: str | None, *, is_file: bool = False, overwrite: bool = False):
        self.out = None if out is None else Path(out)
        self.is_file, self.overwrite = is_file, overwrite
        self._taken = {_key(item.path) for item in items}
        self._claimed: dict[Path, str] = {}

    def claim(self, item: Item, suffix: str) -> Path | None:
        """The path of an item's result, kept free for it from now on; None for standard output.

        `suffix` is that of the result's format (".jpg"); the photo's own is kept where it means the same. The folder
        exists afterwards; what the item had claimed before is free again. Raises PhotoError where the result would
        replace the photo itself, FileError where a file of an earlier run stands there or the folder cannot be made.
        """
        self._taken.discard(self._claimed.pop(item.path, ""))
        if self.out == Path(STREAM) or (self.out is None and item.path == Path(STREAM)):
            return None
        if self.is_file and self.out is not None:
            path = self.out
            if _key(path) in self._taken:
                raise PhotoError(f"{item.label}: the result would replace the photo itself")
        else:
            path = self._free(item, _suffix(item.path, suffix))
        if path.exists() and not self.overwrite:
            raise already_exists(path)
        self._taken.add(_key(path))
        self._claimed[item.path] = _key(path)
        if self.out is not None:
            make_folder(path.parent)
        return path

    def _free(self, item: Item, suffix: str) -> Path:
        """The first name that no photo and no result of this run has."""
        place = Path(item.name)
        folder = item.path.parent if self.out is None else self.out / place.parent
        plain, marked = place.stem, place.stem + RESULT
        stems = chain(() if self.out is None else (plain,), (marked,), (f"{marked}-{number}" for number in count(2)))
        paths = (folder / (stem + suffix) for stem in stems)
        return next(path for path in paths if _key(path) not in self._taken)


def results(out: str | None) -> LeaveOut:
    """What to leave out of folders: results of an earlier run that lie beside their photos, and the folder `out`."""
    target = None if out is None else real(Path(out))

    def leave_out(path: Path, base: Path) -> bool:
        root = real(base)
        # where results go among the photos themselves, their folder is no reason to leave a file out
        inside = target is not None and target != root and target.is_relative_to(root)
        return (inside and target is not None and real(path).is_relative_to(target)) or _is_result(path)

    return leave_out


def _is_result(path: Path) -> bool:
    """Whether an `old-color.jpg` or `old-color-2.jpg` lies beside an `old.*`."""
    photo, mark, number = path.stem.rpartition(RESULT)
    if not mark or not (number == "" or (number[0] == "-" and number[1:].isdigit())):
        return False
    return any(path.with_name(photo + suffix).exists() for suffix in (path.suffix, *SUFFIXES))


def _suffix(path: Path, suffix: str) -> str:
    same = SUFFIXES.get(path.suffix.lower()) == SUFFIXES[suffix]
    return path.suffix if same else suffix


def _key(path: Path) -> str:
    """The same for two paths that name one file, also on a disk that does not tell upper from lower case."""
    return os.path.realpath(path).casefold()
