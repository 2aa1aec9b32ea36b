"""What results are called: beside their photos, in a folder, or one file; never the name of a photo."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from ..errors import FileError, PhotoError
from ..files import already_exists, make_folder
from ..photo.formats import SUFFIXES
from ..photo.made import Made, digest_of, read_made
from ..sources import Item
from ..sources.given import LeaveOut, real
from ..sources.items import STREAM

RESULT = "-color"
"""What a result's name has more than its photo's."""
MAX_NAME_BYTES = 255
"""Of one name: no usual file system takes more."""


class Names:
    """Names the results of one run, so that no result takes the place of a photo of this run or of another result.

    Which photo a result was made from stands in it, so that names are the same in every run, whatever was colored
    before: a photo's result is found under any of its names, and the result of another photo is never taken for it.

    Args:
        items: all photos of the run.
        out: a folder, one file (`is_file`), "-" for standard output, or None for beside each photo.
        resumes: whether a photo whose result is there is done; else that is an error.
    """

    def __init__(
        self,
        items: Iterable[Item],
        out: str | None,
        *,
        is_file: bool = False,
        overwrite: bool = False,
        resumes: bool = True,
    ):
        self.out = None if out is None else Path(out)
        self.is_file, self.overwrite, self.resumes = is_file, overwrite, resumes
        self._photos = {key(item.path) for item in items}
        self._results: set[str] = set()
        self._claimed: dict[Path, str] = {}
        self._folders: dict[Path, dict[str, list[Path]]] = {}

    def claim(self, item: Item, suffix: str) -> tuple[Path | None, bool]:
        """The path of an item's result, kept free for it from now on, and whether the result is there already.

        The path is None for standard output. `suffix` is that of the result's format (".jpg"); the photo's own is kept
        where it means the same. The folder exists afterwards; what the item had claimed before is free again. Raises
        PhotoError where the result would replace the photo itself, FileError where a file that is no result of the
        item stands there or the folder cannot be made.
        """
        self._results.discard(self._claimed.pop(item.path, ""))
        if self.out == Path(STREAM) or (self.out is None and item.path == Path(STREAM)):
            return None, False
        if self.is_file and self.out is not None:
            if key(self.out) in self._photos:
                raise PhotoError(f"{item.label}: the result would replace the photo itself")
            candidates: Iterable[Path] = [self.out]
        else:
            candidates = self._candidates(item, _suffix(item.path, suffix))
        path, done = self._choose(item, candidates)
        if len(os.fsencode(path.name)) > MAX_NAME_BYTES:
            raise FileError(f"the name of its result would be longer than {MAX_NAME_BYTES} bytes, --out can help")
        self.keep(item, path)
        if self.out is not None:
            make_folder(path.parent)
        return path, done

    def keep(self, item: Item, path: Path) -> None:
        """Has a path be the result of an item and of no other."""
        self._results.add(key(path))
        self._claimed[item.path] = key(path)

    def _candidates(self, item: Item, suffix: str) -> Iterator[Path]:
        """The names that an item's result may have, the preferred one first."""
        place = Path(item.name)
        folder = item.path.parent if self.out is None else self.out / place.parent
        marked = place.stem + RESULT
        if self.out is not None:
            yield folder / (place.stem + suffix)
        yield folder / (marked + suffix)
        for number in count(2):
            yield folder / f"{marked}-{number}{suffix}"

    def _choose(self, item: Item, candidates: Iterable[Path]) -> tuple[Path, bool]:
        """The item's own result of an earlier run, else the first name that is free or may be replaced."""
        replaced: Path | None = None
        digest = functools.cache(lambda: digest_of(item.content()))
        for path in candidates:
            if key(path) in self._photos or key(path) in self._results:
                continue
            there = self._there(path)
            if not there:
                return replaced or path, False
            if not self.resumes and not self.overwrite:
                raise already_exists(path)
            for file in there:
                made = read_made(file)
                if made and made.source and made.source == digest():
                    return file, not self.overwrite
                if not self.overwrite and not (made and made.source):
                    return self._unmarked(item, file, made), True
            replaced = replaced or (path if self.overwrite else None)
        if replaced:
            return replaced, False
        assert self.out  # one file, and it is another photo's result
        raise already_exists(self.out)

    def _unmarked(self, item: Item, file: Path, made: Made | None) -> Path:
        """A file that does not say what it was made from, as BMP cannot: the item's result if it has the same size."""
        own = read_made(item.content())
        if made is None or own is None or made.size != own.size:
            raise already_exists(file)
        return file

    def _there(self, path: Path) -> list[Path]:
        """The files that have this name, or would on a disk that does not tell upper from lower case."""
        folder = path.parent
        if folder not in self._folders:
            self._folders[folder] = {}
            for file in _files(folder):
                self._folders[folder].setdefault(file.name.casefold(), []).append(file)
        found = self._folders[folder].get(path.name.casefold(), [])
        return found or ([path] if os.path.lexists(path) else [])


def results(out: str | None) -> LeaveOut:
    """What to leave out of folders: results of an earlier run that lie beside their photos, and the folder `out`."""
    target = None if out is None else real(Path(out))
    files = functools.cache(lambda folder: {name for file in _files(folder) for name in (file.stem, file.name)})

    def leave_out(path: Path, base: Path) -> bool:
        root = real(base)
        # where results go among the photos themselves, their folder is no reason to leave a file out
        inside = target is not None and target != root and target.is_relative_to(root)
        if inside and target is not None and real(path).is_relative_to(target):
            return True
        # an `old-color.jpg` or `old-color-2.jpg` beside an `old.*`, or an `old`
        photo, mark, number = path.stem.rpartition(RESULT)
        numbered = number == "" or (number[0] == "-" and number[1:].isdigit())
        return bool(mark) and numbered and photo in files(path.parent)

    return leave_out


def _files(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where it cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _suffix(path: Path, suffix: str) -> str:
    same = SUFFIXES.get(path.suffix.lower()) == SUFFIXES[suffix]
    return path.suffix if same else suffix


def key(path: Path) -> str:
    """The same for two paths that name one file, also on a disk that does not tell upper from lower case."""
    return str(real(path)).casefold()
