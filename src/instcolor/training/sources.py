"""Where training photos come from: folders (with any tree inside), zip files and tar shards. Nothing is written."""

from __future__ import annotations

import glob
import hashlib
import os
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import InstcolorError
from ..limits import MAX_STREAM_BYTES
from ..photo.formats import SUFFIXES

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")


def expand(names: Sequence[str]) -> list[Path]:
    """The sources that names stand for; `shards/train-*.tar` stands for many. Raises InstcolorError for none."""
    sources = []
    for name in names:
        found = sorted(glob.glob(name)) if glob.has_magic(name) and not Path(name).exists() else [name]
        missing = [path for path in found if not Path(path).exists()]
        if missing or not found:
            raise InstcolorError(f"{name}: no such folder or file of photos")
        sources += [Path(path) for path in found]
    return sources


def read_all(sources: Sequence[Path]) -> Iterator[tuple[str, bytes | None]]:
    """The photos of all sources, see `read_photos`; a name that came before gets the name of its source in front."""
    seen: set[str] = set()
    for source in sources:
        for name, data in read_photos(source):
            unique = f"{source.stem}/{name}" if name in seen else name
            seen.add(unique)
            yield unique, data


def read_photos(source: Path) -> Iterator[tuple[str, bytes | None]]:
    """Name inside the source and bytes of every photo, in an order that does not change; None for unreadable bytes.

    Raises InstcolorError where the source is of no known kind.
    """
    if source.is_dir():
        yield from _read_folder(source)
    elif zipfile.is_zipfile(source):
        yield from _read_zip(source)
    elif source.name.lower().endswith(TAR_SUFFIXES):
        yield from _read_tar(source)
    else:
        raise InstcolorError(f"{source}: neither a folder of photos nor a zip or tar file")


def fingerprint(source: Path) -> str:
    """Another text as soon as a photo comes, goes or changes (by size and time, not by content)."""
    paths = [source / name for name in _walk(source)] if source.is_dir() else [source]
    digest = hashlib.sha256(str(source.resolve()).encode())
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            continue
        digest.update(f"{path.relative_to(source)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_photo(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _walk(folder: Path) -> Iterator[str]:
    """Relative paths of the photos under a folder, links to folders not followed."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            if is_photo(file):
                yield (Path(place) / file).relative_to(folder).as_posix()


def _read_folder(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    for name in _walk(folder):
        try:
            yield name, (folder / name).read_bytes()
        except OSError:
            yield name, None


def _read_zip(source: Path) -> Iterator[tuple[str, bytes | None]]:
    with zipfile.ZipFile(source) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            if info.is_dir() or not is_photo(info.filename):
                continue
            try:
                yield info.filename, None if info.file_size > MAX_STREAM_BYTES else archive.read(info)
            except (OSError, RuntimeError, NotImplementedError, ValueError, EOFError, zipfile.BadZipFile):
                yield info.filename, None  # damaged, or encrypted, or packed by an unknown method


def _read_tar(source: Path) -> Iterator[tuple[str, bytes | None]]:
    """As a stream from front to end, in the order of the shard; what follows a damaged place is lost."""
    try:
        with tarfile.open(source, "r|*") as archive:
            for member in archive:
                if not member.isfile() or not is_photo(member.name):
                    continue
                stream = archive.extractfile(member) if member.size <= MAX_STREAM_BYTES else None
                yield member.name, stream.read() if stream else None
    except (OSError, EOFError, tarfile.TarError):
        yield source.name, None
