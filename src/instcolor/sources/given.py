"""From what stands on a command line to photos: files, folders, patterns, standard input."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..photo.formats import SIGNATURE_BYTES, is_photo, recognize
from .items import STREAM, FileItem, Item, StreamItem

MAGIC = set("*?[")
LeaveOut = Callable[[Path, Path], bool]
"""Whether a file (first) that was found under a folder (second) is to be left out."""


@dataclass
class Found:
    """What the arguments stand for."""

    items: list[Item]
    others: Counter[str]
    """Files in the folders that are left out because of their kind, counted by kind."""


def find(inputs: Iterable[str], refuse: Callable[[str], None], leave_out: LeaveOut | None = None) -> Found:
    """The photos that the arguments stand for, each once, in the order of the arguments and sorted within each.

    Folders and patterns never lead out of themselves through links, and leave out hidden files and what `leave_out`
    says. What names nothing goes to `refuse` as a line.
    """
    items: dict[str, Item] = {}
    others: Counter[str] = Counter()

    def belongs(path: Path, base: Path) -> bool:
        return _is_inside(path, base) and not (leave_out and leave_out(path, base))

    def add(paths: Iterable[Path], base: Path) -> None:
        for path in paths:
            items.setdefault(str(real(path)), FileItem(base, path.relative_to(base).as_posix()))

    for text in inputs:
        path = Path(text)
        if text == STREAM:
            items.setdefault(STREAM, StreamItem())
        elif os.path.isdir(path):
            files = [file for file in _walk(path, refuse) if belongs(file, path)]
            others.update(kind_of(file) for file in files if not is_photo(file.name))
            found = sorted(file for file in files if is_photo(file.name))
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
    return Found(list(items.values()), others)


def kind_of(path: Path) -> str:
    """What a file is that is no photo by its name: "DNG" after its suffix, else what its first bytes tell."""
    if path.suffix:
        return path.suffix[1:].upper()
    format = recognize(FileItem(path.parent, path.name).start(SIGNATURE_BYTES))
    return f"{format or 'file'} without a suffix"


def _walk(folder: Path, refuse: Callable[[str], None]) -> Iterator[Path]:
    """The files in a folder and below."""

    def unreadable(error: OSError) -> None:
        refuse(f"{error.filename}: cannot be read ({error.strerror})")

    for place, below, files in os.walk(folder, onerror=unreadable):
        below[:] = [name for name in below if not name.startswith(".")]
        yield from (Path(place, name) for name in files)


def _split(path: Path) -> tuple[Path, str]:
    """The folder in front of the first part with a wildcard that is no name itself, and the pattern from there on."""
    base = Path()
    parts = list(path.parts)
    while len(parts) > 1 and (not MAGIC & set(parts[0]) or os.path.lexists(base / parts[0])):
        base /= parts.pop(0)
    return base, str(Path(*parts))


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
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # a null byte
        return path
