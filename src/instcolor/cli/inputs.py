"""From what stands on the command line to a list of photos: files, folders, patterns, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import PhotoError
from ..files import shown
from ..limits import MAX_STREAM_BYTES
from ..photo.formats import SUFFIXES
from .options import STREAM

RESULT = "-color"
"""What a result's name has more than its photo's."""
MAGIC = set("*?[")


@dataclass(frozen=True)
class Item:
    """A photo to do: its path, and its place under the folder that was walked (of single files, the name)."""

    path: Path
    place: Path

    @property
    def is_stream(self) -> bool:
        return str(self.path) == STREAM

    @property
    def name(self) -> str:
        """As messages show it."""
        return "standard input" if self.is_stream else shown(self.path)

    def source(self) -> Path | bytes:
        """What `Photo.open` takes. Raises PhotoError for a stream that is too long or cannot be read."""
        return read_stream() if self.is_stream else self.path


def read_stream(limit: int = MAX_STREAM_BYTES) -> bytes:
    """All of standard input, up to `limit` bytes."""
    try:
        data = sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise PhotoError(f"standard input: cannot be read ({error.strerror or error})") from error
    if len(data) > limit:
        raise PhotoError(f"standard input: is longer than {limit:,} bytes")
    return data


def expand(inputs: Iterable[str], refuse: Callable[[str], None], *, out: str | None = None) -> list[Item]:
    """The photos that the arguments stand for, each once, in the order of the arguments and sorted within each.

    Folders and patterns never lead out of themselves through links, and leave out hidden files, results of an earlier
    run that lie beside their photos, and what lies in the folder `out`. What names nothing goes to `refuse` as a line.
    """
    items: dict[str, Item] = {}
    results = None if out is None else _real(Path(out))
    for text in inputs:
        path = Path(text)
        if text == STREAM:
            items.setdefault(STREAM, Item(path, Path("stdin")))
        elif path.is_dir():
            found = sorted(_walk(path, refuse, results))
            if not found:
                refuse(f"{text}: there are no photos in this folder")
            _add(items, found, path)
        elif MAGIC & set(text) and not os.path.lexists(path):
            base, pattern = _split(path)
            found = sorted(p for p in _matches(base, pattern) if _belongs(p, base, results))
            if not found:
                refuse(f"{text}: there are no photos of such a name")
            _add(items, found, base)
        else:
            _add(items, [path], path.parent)
    return list(items.values())


def _add(items: dict[str, Item], paths: Iterable[Path], base: Path) -> None:
    for path in paths:
        items.setdefault(os.path.realpath(path), Item(path, path.relative_to(base)))


def _walk(folder: Path, refuse: Callable[[str], None], results: Path | None) -> Iterator[Path]:
    """The files in a folder and below whose suffix is a photo's."""

    def unreadable(error: OSError) -> None:
        refuse(f"{error.filename}: cannot be read ({error.strerror})")

    for place, below, files in os.walk(folder, onerror=unreadable):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in files:
            path = Path(place, name)
            if path.suffix.lower() in SUFFIXES and _belongs(path, folder, results):
                yield path


def _split(path: Path) -> tuple[Path, str]:
    """The folder in front of the first part with a wildcard, and the pattern from there on."""
    first = next(place for place, part in enumerate(path.parts) if MAGIC & set(part))
    return Path(*path.parts[:first]), str(Path(*path.parts[first:]))


def _matches(base: Path, pattern: str) -> Iterator[Path]:
    try:
        yield from (path for path in base.glob(pattern) if path.is_file())
    except (OSError, ValueError):  # ValueError: no pattern that pathlib understands, such as "a**"
        return


def _belongs(path: Path, base: Path, results: Path | None) -> bool:
    """Whether a file that was found under `base` is one of its photos."""
    if any(part.startswith(".") for part in path.relative_to(base).parts):
        return False
    root, real = _real(base), _real(path)
    if not real.is_relative_to(root):  # a link
        return False
    # where results go among the photos themselves, their folder is no reason to leave a file out
    if results is not None and results != root and results.is_relative_to(root) and real.is_relative_to(results):
        return False
    return not _is_result(path)


def _is_result(path: Path) -> bool:
    """Whether an `old-color.jpg` or `old-color-2.jpg` lies beside an `old.*`."""
    photo, mark, number = path.stem.rpartition(RESULT)
    if not mark or not (number == "" or (number[0] == "-" and number[1:].isdigit())):
        return False
    return any(path.with_name(photo + suffix).exists() for suffix in (path.suffix, *SUFFIXES))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises where links run in circles
