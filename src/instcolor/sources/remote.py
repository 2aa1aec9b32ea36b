"""Addresses that fsspec understands (`s3://`, `gs://`, `memory://`, `zip://`), and the photos behind them."""

from __future__ import annotations

import errno
import functools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self, TypeVar

from ..errors import InstcolorError, PhotoError
from ..limits import MAX_STREAM_BYTES
from ..photo.formats import is_photo
from .items import BytesItem

MARK = "://"
T = TypeVar("T")
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries of a call to a store, each more or less by half, so that many do not come again at once."""
LASTING = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    InstcolorError,
    ImportError,
    NotImplementedError,
    TypeError,
    ValueError,
)
"""What a store raises that would be the same the next time; so are these numbers of an OSError."""
LASTING_NUMBERS = (errno.EINVAL, errno.ENOSYS, errno.EPERM)


def is_address(where: str | Path) -> bool:
    """Whether it names a place through fsspec, and not a path on this machine."""
    return MARK in str(where)


@functools.lru_cache(maxsize=16)
def file_system(address: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and the address's path in it without a slash at its end.

    Raises InstcolorError where fsspec, or what it needs for this kind of address, is missing or says no.
    """
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(address, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        what = "pip install instcolor[archive]" if error.name == "fsspec" else str(error)
        raise InstcolorError(f"{address}: cannot be opened ({what})") from error
    except Exception as error:  # each kind of store raises its own
        raise InstcolorError(f"{address}: cannot be opened ({_line(error)})") from error
    return system, str(root).rstrip("/")


def persistent(call: Callable[[], T]) -> T:
    """What a call to a store gives, tried again while it raises what may pass; then what it raised last."""
    for wait in WAITS:
        try:
            return call()
        except LASTING:
            raise
        except Exception as error:  # each kind of store raises its own
            if isinstance(error, OSError) and error.errno in LASTING_NUMBERS:
                raise
        time.sleep(wait * random.uniform(0.5, 1.5))
    return call()


@dataclass(frozen=True)
class RemoteItem:
    """A file behind an address; `name` is its place there."""

    address: str
    name: str

    @property
    def path(self) -> Path:
        return Path(self.name)

    @property
    def label(self) -> str:
        text = f"{self.address.rstrip('/')}/{self.name}"
        return text if text.isprintable() else ascii(text)

    def read(self) -> bytes:
        def fetched() -> bytes:
            with system.open(path, "rb") as file:
                data: bytes = file.read(MAX_STREAM_BYTES + 1)
                return data

        try:
            system, root = file_system(self.address)
            path = f"{root}/{self.name}" if root else self.name
            data = persistent(fetched)
        except Exception as error:
            raise PhotoError(f"{self.label}: cannot be read ({_line(error)})") from error
        if len(data) > MAX_STREAM_BYTES:
            raise PhotoError(f"{self.label}: is longer than {MAX_STREAM_BYTES:,} bytes")
        return data

    def content(self) -> bytes:
        return self.read()

    def start(self, count: int) -> bytes:
        try:
            return self.read()[:count]
        except PhotoError:
            return b""

    def at_hand(self) -> BytesItem:
        return BytesItem(self.name, self.path, self.label, self.read())


@dataclass(frozen=True)
class Remote:
    """All photos behind an address, folder by folder; hidden files and folders are left out."""

    address: str

    @classmethod
    def opened(cls, where: str | Path) -> Self | None:
        return cls(str(where)) if is_address(where) else None

    def __iter__(self) -> Iterator[RemoteItem]:
        for name, _ in self.listed():
            yield RemoteItem(self.address, name)

    def listed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and fsspec's facts of each photo. Raises InstcolorError where the place cannot be listed."""
        system, root = file_system(self.address)
        try:
            for place, folders, files in system.walk(root, detail=True):
                for hidden in [name for name in folders if name.startswith(".")]:
                    del folders[hidden]
                below = str(place).removeprefix(root).strip("/")
                for name in sorted(files):
                    if is_photo(name) and not name.startswith("."):
                        yield str(PurePosixPath(below, name)), files[name]
        except InstcolorError:
            raise
        except Exception as error:
            raise InstcolorError(f"{self.address}: cannot be listed ({_line(error)})") from error

    def state(self) -> str:
        return str(hash(tuple((name, facts.get("size"), str(facts.get("ETag"))) for name, facts in self.listed())))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
