"""Photos that have not been read: what they are called, and how their bytes are had. All of them can be pickled."""

from __future__ import annotations

import functools
import stat
import sys
import tarfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from ..errors import PhotoError
from ..files import shown
from ..limits import MAX_STREAM_BYTES

STREAM = "-"
"""Standard input among what is given."""
ZIP_ERRORS = (OSError, RuntimeError, NotImplementedError, ValueError, EOFError, zipfile.BadZipFile)
"""What `zipfile` raises where a member is damaged, encrypted, or packed by an unknown method."""
_lock = threading.Lock()


class Item(Protocol):
    """A photo that has not been read."""

    @property
    def name(self) -> str:
        """Its place in its source, with slashes: "album/old.jpg"."""

    @property
    def path(self) -> Path:
        """Where it is; inside an archive a path that leads through the archive."""

    @property
    def label(self) -> str:
        """What messages call it, on one line."""

    def read(self) -> bytes:
        """All bytes. Raises PhotoError."""

    def content(self) -> Path | bytes:
        """What `Photo.open` takes: a file's path, or all bytes. Raises PhotoError."""

    def start(self, count: int) -> bytes:
        """The first `count` bytes, fewer where there are no more or they cannot be read."""

    def at_hand(self) -> Item:
        """Itself; with its bytes where no other process could read them. Raises PhotoError."""


class _Plain:
    """What items have in common whose bytes any process can read."""

    def at_hand(self) -> Item:
        return cast(Item, self)


@dataclass(frozen=True)
class FileItem(_Plain):
    """A file in or under a folder."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def label(self) -> str:
        return shown(self.path)

    def read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            raise PhotoError(f"{self.label}: cannot be read ({_reason(error)})") from error

    def content(self) -> Path:
        return self.path

    def start(self, count: int) -> bytes:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):  # opening a pipe that nobody writes to would wait for ever
                return b""
            with self.path.open("rb") as file:
                return file.read(count)
        except (OSError, ValueError):
            return b""


class _Inside(_Plain):
    """What members of archives share."""

    archive: Path
    name: str

    @property
    def path(self) -> Path:
        return self.archive / self.name

    @property
    def label(self) -> str:
        return shown(self.path)

    def read(self) -> bytes:
        raise NotImplementedError

    def content(self) -> bytes:
        return self.read()

    def start(self, count: int) -> bytes:
        try:
            return self.read()[:count]
        except PhotoError:
            return b""

    def _damaged(self, error: object) -> PhotoError:
        return PhotoError(f"{self.label}: cannot be read ({error})")


@dataclass(frozen=True)
class ZipItem(_Inside):
    """A member of a zip file."""

    archive: Path
    name: str

    def read(self) -> bytes:
        try:
            packed = _zip_file(self.archive, self.archive.stat().st_mtime_ns)
            if packed.getinfo(self.name).file_size > MAX_STREAM_BYTES:
                raise self._damaged(f"longer than {MAX_STREAM_BYTES:,} bytes")
            return packed.read(self.name)
        except (*ZIP_ERRORS, KeyError) as error:
            raise self._damaged(_reason(error)) from error


@dataclass(frozen=True)
class TarItem(_Inside):
    """A member of a tar shard: `size` bytes from `offset` on of what the shard is unpacked."""

    archive: Path
    name: str
    offset: int
    size: int

    def read(self) -> bytes:
        if self.size > MAX_STREAM_BYTES:
            raise self._damaged(f"longer than {MAX_STREAM_BYTES:,} bytes")
        try:
            with _lock:  # one place in the file for all threads
                stream = _tar_file(self.archive, self.archive.stat().st_mtime_ns).fileobj
                assert stream
                stream.seek(self.offset)
                data: bytes = stream.read(self.size)
        except (OSError, EOFError, tarfile.TarError) as error:
            raise self._damaged(_reason(error)) from error
        if len(data) < self.size:
            raise self._damaged("the shard ends in it")
        return data


@dataclass(frozen=True)
class TornItem(_Inside):
    """What a damaged archive does not give any more, as one photo that cannot be read; named as the archive."""

    archive: Path
    name: str
    reason: str

    @property
    def label(self) -> str:
        return shown(self.archive)

    def read(self) -> bytes:
        raise self._damaged(self.reason)


@dataclass(frozen=True)
class BytesItem(_Plain):
    """A photo whose bytes are at hand."""

    name: str
    path: Path
    label: str
    data: bytes

    def read(self) -> bytes:
        return self.data

    def content(self) -> bytes:
        return self.data

    def start(self, count: int) -> bytes:
        return self.data[:count]


@dataclass(frozen=True)
class StreamItem:
    """Standard input, which can be read once and by this process alone."""

    name: str = "stdin"
    path: Path = Path(STREAM)
    label: str = "standard input"

    def read(self) -> bytes:
        return read_stream()

    def content(self) -> bytes:
        return self.read()

    def start(self, count: int) -> bytes:
        return b""

    def at_hand(self) -> BytesItem:
        return BytesItem(self.name, self.path, self.label, self.read())


def read_stream(limit: int = MAX_STREAM_BYTES) -> bytes:
    """All of standard input, up to `limit` bytes. Raises PhotoError where it is longer or cannot be read."""
    try:
        data = sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise PhotoError(f"standard input: cannot be read ({error.strerror or error})") from error
    if len(data) > limit:
        raise PhotoError(f"standard input: is longer than {limit:,} bytes")
    return data


class _OpenTar(tarfile.TarFile):
    def __del__(self) -> None:
        self.close()


@functools.lru_cache(maxsize=4)
def _zip_file(path: Path, changed: int) -> zipfile.ZipFile:
    """Kept open: reading the list of members again for each of them would be most of the work."""
    return zipfile.ZipFile(path)


@functools.lru_cache(maxsize=1)
def _tar_file(path: Path, changed: int) -> tarfile.TarFile:
    """Kept open, so that a compressed shard whose photos are read in order is unpacked once."""
    return _OpenTar.open(path, "r:*")


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
