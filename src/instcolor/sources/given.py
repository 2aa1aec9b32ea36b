"""From what stands on a command line to photos: files, folders, patterns, standard input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .items import STREAM, FileItem, Item, StreamItem
from .kinds import is_photo

MAGIC = set("*?[")
LeaveOut = Callable[[Path, Path], bool]
"""Whether a file (first) that was found under a folder (second) is to be left out."""


def find(inputs: Iterable[str], refuse: Callable[[str], None], leave_out: LeaveOut | None = None) -> list[Item]:
    """The photos that the arguments stand for, each once, in the order of the arguments and sorted within each.

    Folders and patterns never lead out of themselves through links, and leave out hidden files and what `leave_out`
    says. What names nothing goes to `refuse` as a line.
    """
    items: dict[str, Item] = {}

    def belongs(path: Path, base: Path) -> bool:
        return _is_inside(path, base) and not (leave_out and leave_out(path, base))

    def add(paths: Iterable[Path], base: Path) -> None:
        for path in paths:
            items.setdefault(os.path.realpath(path), FileItem(base, path.relative_to(base).as_posix()))

    for text in inputs:
        path = Path(text)
        if text == STREAM:
            items.setdefault(STREAM, StreamItem())
        elif path.is_dir():
            found = sorted(file for file in _walk(path, refuse) if belongs(file, path))
            if not found:
                refuse(f"{text}: there are no photos in this folder")
            add(found, path)
        elif MAGIC & set(text) and not os.path.lexists(path):
            base, pattern = _split(path)
            found = sorted(file for file in _matches(base, pattern) if belongs(file, base))
            if not found:
                refuse(f"{text}: there are no photos of such a name")
            add(found, base)
        else:
            add([path], path.parent)
    return list(items.values())


def _walk(folder: Path, refuse: Callable[[str], None]) -> Iterator[Path]:
    """The files in a folder and below whose suffix is a photo's."""

    def unreadable(error: OSError) -> None:
        refuse(f"{error.filename}: cannot be read ({error.strerror})")

    for place, below, files in os.walk(folder, onerror=unreadable):
        below[:] = [name for name in below if not name.startswith(".")]
        yield from (Path(place, name) for name in files if is_photo(name))


def _split(path: Path) -> tuple[Path, str]:
    """The folder in front of the first part with a wildcard, and the pattern from there on."""
    first = next(place for place, part in enumerate(path.parts) if MAGIC & set(part))
    return Path(*path.parts[:first]), str(Path(*path.parts[first:]))


def _matches(base: Path, pattern: str) -> Iterator[Path]:
    try:
        yield from (path for path in base.glob(pattern) if path.is_file())
    except (OSError, ValueError):  # ValueError: no pattern that pathlib understands, such as "a**"
        return


def _is_inside(path: Path, base: Path) -> bool:
    """Whether a file that was found under `base` is not hidden and, links followed, really there."""
    if any(part.startswith(".") for part in path.relative_to(base).parts):
        return False
    return real(path).is_relative_to(real(base))


def real(path: Path) -> Path:
    """The path with all links followed; `Path.resolve` raises where they run in circles."""
    return Path(os.path.realpath(path))
