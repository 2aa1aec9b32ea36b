"""A folder or an fsspec address as a place for files that are written whole, and for claims that only one can make."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..files import make_folder, write_whole
from ..sources.remote import file_system, is_address, persistent

HOME = ".instcolor"
"""The folder of the target where everything stands that is known of it."""


def shard_name(shard: int) -> str:
    """Of a shard, in names of files."""
    return f"{shard:05}"


@dataclass(frozen=True)
class Store:
    """Files by name (with slashes) under a folder of this machine or an address. Can be pickled.

    Every method raises FileError where the place says no. What stands behind an address is asked again for a quarter of
    a minute where it fails for a reason that may pass.
    """

    address: str

    def put(self, name: str, data: bytes) -> None:
        """Writes a file whole, over one that may be there: a rename in a folder, one put elsewhere."""
        with self._errors(name):
            if self._is_folder:
                path = Path(self._path(name))
                make_folder(path.parent)
                write_whole(path, data, overwrite=True)
            else:
                persistent(lambda: self._system.pipe_file(self._path(name), data))

    def create(self, name: str, data: bytes) -> bool:
        """Writes a file unless there is one: exclusive creation in a folder, a conditional put elsewhere.

        `data` is the caller's alone: whether it stands there in the end is what is returned.
        """
        with self._errors(name):
            path = self._path(name)
            try:
                if self._is_folder:
                    make_folder(Path(path).parent)
                    write_whole(Path(path), data)  # never seen empty
                else:
                    persistent(lambda: self._system.pipe_file(path, data, mode="create"))
            except FileExistsError:  # also where the answer to an own try was lost
                pass
            except FileError as error:
                if not isinstance(error.__cause__, FileExistsError):
                    raise
            except OSError:
                if self.get(name) is None:
                    raise
                # a store that has words of its own for a file that is there
        return self.get(name) == data  # a store that knows no conditions lets the last writer win

    def append(self, name: str, data: bytes) -> None:
        """Adds to the end of a file, which is made where there is none."""
        with self._errors(name):
            if self._is_folder:
                make_folder(Path(self._path(name)).parent)
                with open(self._path(name), "ab") as file:
                    file.write(data)
            else:
                self.put(name, (self.get(name) or b"") + data)

    def get(self, name: str) -> bytes | None:
        """All bytes of a file; None where there is none."""
        with self._errors(name):
            try:
                if self._is_folder:
                    return Path(self._path(name)).read_bytes()
                data: bytes = persistent(lambda: self._system.cat_file(self._path(name)))
                return data
            except FileNotFoundError:
                return None

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        with self._errors(name):
            path = self._path(name)
            return os.path.exists(path) if self._is_folder else persistent(lambda: bool(self._system.exists(path)))

    def remove(self, name: str) -> None:
        """Removes a file, which may be gone already."""
        with self._errors(name), contextlib.suppress(FileNotFoundError):
            path = self._path(name)
            os.unlink(path) if self._is_folder else persistent(lambda: self._system.rm_file(path))

    def names(self, folder: str) -> list[str]:
        """The names of what lies in a folder, sorted; none where there is no such folder."""
        with self._errors(folder):
            try:
                if self._is_folder:
                    return sorted(name for name in os.listdir(self._path(folder)) if not name.startswith("."))
                found = persistent(lambda: self._system.ls(self._path(folder), detail=False))
            except (FileNotFoundError, NotADirectoryError):
                return []
            return sorted(name for path in found if (name := str(path).rstrip("/").rpartition("/")[2]))

    def all(self, folder: str, known: Container[str] = ()) -> dict[str, bytes]:
        """All files of a folder by name, but for those that are known; behind an address many are fetched at a time."""
        names = [name for name in self.names(folder) if name not in known]
        found = dict[str, bytes]()
        if not self._is_folder and names:
            with self._errors(folder):
                paths = {self._path(f"{folder}/{name}"): name for name in names}
                fetched = self._system.cat(list(paths), on_error="omit")
                found = {paths[path]: data for path, data in fetched.items() if path in paths}
        for name in names:  # also what has gone since, or met a hiccup
            data = found[name] if name in found else self.get(f"{folder}/{name}")
            if data is not None:
                found[name] = data
        return found

    def clear(self, folder: str) -> None:
        """Removes a folder with all that is in it, if there is one."""
        with self._errors(folder), contextlib.suppress(FileNotFoundError):
            if self._is_folder:
                shutil.rmtree(self._path(folder))
            else:
                persistent(lambda: self._system.rm(self._path(folder), recursive=True))

    @property
    def _is_folder(self) -> bool:
        return not is_address(self.address)

    @property
    def _system(self) -> Any:
        return file_system(self.address)[0]

    def _path(self, name: str) -> str:
        root = self.address if self._is_folder else file_system(self.address)[1]
        return f"{root.rstrip('/')}/{name}"

    @contextlib.contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except (FileError, FileNotFoundError):
            raise
        except Exception as error:  # each kind of store raises its own
            reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
            raise FileError(f"{self.address.rstrip('/')}/{name}: {reason}") from error
