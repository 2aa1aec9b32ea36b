"""The kinds of places that hold photos, one class each; `KINDS` is where another one is added. Nothing is written."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from ..errors import InstcolorError, PhotoError
from ..objects.coco_file import CocoFile
from ..photo.formats import is_photo
from .items import ZIP_ERRORS, FileItem, Item, TarItem, TornItem, ZipItem

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")


class Source(Protocol):
    """A place that holds photos."""

    @classmethod
    def opened(cls, where: str | Path) -> Self | None:
        """The source that `where` names; None where it is of another kind."""

    def __iter__(self) -> Iterator[Item]:
        """The photos, in an order that does not change. Raises InstcolorError where the place cannot be listed."""

    def state(self) -> str:
        """Another text as soon as a photo comes, goes or changes (by size and time, not by content)."""


@dataclass(frozen=True)
class Folder:
    """A folder with whatever tree there is inside; links to folders are not followed."""

    path: Path

    @classmethod
    def opened(cls, where: str | Path) -> Self | None:
        return cls(Path(where)) if Path(where).is_dir() else None

    def __iter__(self) -> Iterator[FileItem]:
        for place, folders, files in os.walk(self.path):
            folders.sort()
            for file in sorted(files):
                if is_photo(file):
                    yield FileItem(self.path, (Path(place) / file).relative_to(self.path).as_posix())

    def state(self) -> str:
        return _state(self.path, [item.path for item in self])


@dataclass(frozen=True)
class ZipFile:
    """A zip file, its members by name."""

    path: Path

    @classmethod
    def opened(cls, where: str | Path) -> Self | None:
        return cls(Path(where)) if Path(where).is_file() and zipfile.is_zipfile(where) else None

    def __iter__(self) -> Iterator[ZipItem]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
        except ZIP_ERRORS as error:
            raise InstcolorError(f"{self.path}: cannot be read ({' '.join(str(error).split())})") from error
        yield from (ZipItem(self.path, name) for name in names if is_photo(name))

    def state(self) -> str:
        return _state(self.path, [self.path])


@dataclass(frozen=True)
class TarShard:
    """A tar file, compressed or not, in its own order; what follows a damaged place is lost."""

    path: Path

    @classmethod
    def opened(cls, where: str | Path) -> Self | None:
        return cls(Path(where)) if Path(where).is_file() and str(where).lower().endswith(TAR_SUFFIXES) else None

    def __iter__(self) -> Iterator[TarItem | TornItem]:
        try:
            with tarfile.open(self.path, "r:*") as archive:
                for member in archive:
                    if member.isfile() and is_photo(member.name):
                        yield TarItem(self.path, member.name, member.offset_data, member.size)
        except (OSError, EOFError, tarfile.TarError) as error:
            yield TornItem(self.path, self.path.name, " ".join(str(error).split()))

    def state(self) -> str:
        return _state(self.path, [self.path])


@dataclass(frozen=True)
class CocoList:
    """The images that a COCO annotation file names, by name.

    They are looked for beside it and, as COCO lies on a disk, in the folder `../<split>` for
    `annotations/instances_<split>.json`.
    """

    path: Path

    @classmethod
    def opened(cls, where: str | Path) -> Self | None:
        return cls(Path(where)) if Path(where).is_file() and str(where).lower().endswith(".json") else None

    def __iter__(self) -> Iterator[FileItem]:
        path = self.path
        try:
            names = sorted(image.file for image in CocoFile.of(str(path), json.loads(path.read_bytes())).images)
        except OSError as error:
            raise InstcolorError(f"{path}: cannot be read ({error.strerror or error})") from error
        except (ValueError, RecursionError, InstcolorError) as error:
            reason = str(error).removeprefix(f"{path}: ")
            raise InstcolorError(f"{path}: no COCO annotations ({reason})") from error
        split = path.stem.split("_", 1)[-1]
        above = path.parent.parent
        folders = [path.parent, path.parent / "images", above / split, above / "images" / split]
        for name in names:
            folder = next((folder for folder in folders if (folder / name).is_file()), None)
            if folder is None:
                raise InstcolorError(f"{path}: photo {name} is not beside it, nor in {folders[2]}")
            yield FileItem(folder, name)

    def state(self) -> str:
        return _state(self.path, [self.path, *(item.path for item in self)])


KINDS: list[type[Source]] = [Folder, ZipFile, TarShard, CocoList]
"""Asked in this order."""


def open_source(where: str | Path) -> Source:
    """The place of photos that `where` names. Raises InstcolorError where it is of no known kind."""
    for kind in KINDS:
        source = kind.opened(where)
        if source is not None:
            return source
    what = "neither a folder of photos nor a zip, tar or COCO file" if Path(where).exists() else "no such file"
    raise InstcolorError(f"{where}: {what}")


def expand(names: Sequence[str]) -> list[Path]:
    """The places that names stand for; `shards/train-*.tar` stands for many. Raises InstcolorError for none."""
    places = []
    for name in names:
        found = sorted(glob.glob(name)) if glob.has_magic(name) and not Path(name).exists() else [name]
        missing = [path for path in found if not Path(path).exists()]
        if missing or not found:
            raise InstcolorError(f"{name}: no such folder or file of photos")
        places += [Path(path) for path in found]
    return places


def read_all(places: Sequence[str | Path]) -> Iterator[tuple[str, bytes | None]]:
    """Name and bytes of the photos of all places; None for what cannot be read.

    A name that came before gets the name of its source in front. Raises InstcolorError as `open_source`.
    """
    seen: set[str] = set()
    for place in places:
        for item in open_source(place):
            unique = f"{Path(place).stem}/{item.name}" if item.name in seen else item.name
            seen.add(unique)
            try:
                yield unique, item.read()
            except PhotoError:
                yield unique, None


def _state(base: Path, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(str(base.resolve()).encode())
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            continue
        digest.update(f"{os.path.relpath(path, base)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
