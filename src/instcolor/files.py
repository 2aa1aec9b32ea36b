"""Names and bytes on the disk: files whole or not at all, folders, and how messages show a path."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import FileError


def shown(path: Path) -> str:
    """The path as messages show it: on one line, and printable on every terminal, whatever the name holds."""
    name = str(path)
    return name if name.isprintable() else ascii(name)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal. Raises OSError where it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_whole(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Writes a file whole or not at all; see `written_whole`, also for the errors."""
    with written_whole(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def whole_file(path: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A file to write into; see `written_whole`, also for the errors."""
    with written_whole(path, overwrite=overwrite) as temporary, open(temporary, "r+b") as file:
        yield file


@contextlib.contextmanager
def written_whole(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary name beside a file's place; what is written there is then brought to the disk and given its name.

    Nothing is left behind when that fails or is interrupted, and a file of that name is only replaced with `overwrite`.

    Raises:
        FileError: it exists, the folder is missing or read-only, the disk is full.
    """
    # short, so that every name which the file system takes can be written
    temporary = path.parent / f".instcolor-{secrets.token_hex(6)}.tmp"
    try:
        try:
            # a new file with the usual permissions, which the tempfile module would narrow to the owner's
            open(temporary, "xb").close()
            yield temporary
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            if overwrite:
                os.replace(temporary, path)
            else:
                _rename_new(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
    except FileExistsError as error:
        raise already_exists(path) from error
    except FileNotFoundError as error:
        raise FileError(f"{shown(path)}: cannot be written, there is no folder {shown(path.parent)}") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise cannot_be_written(path, error) from error


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, where they are missing. Raises FileError where the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{shown(folder)}: the folder cannot be made ({reason})") from error


def already_exists(path: Path) -> FileError:
    """The error for a result that would replace a file unasked."""
    return FileError(f"{shown(path)}: exists already and is not replaced unless asked")


def cannot_be_written(path: Path, error: OSError | ValueError) -> FileError:
    """The error for a disk that refuses, or a name that no disk takes."""
    return FileError(f"{shown(path)}: cannot be written ({getattr(error, 'strerror', None) or error})")


def _rename_new(temporary: Path, path: Path) -> None:
    """Renames without ever replacing: a hard link fails where the name is taken, also by a file made just now."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        # a file system without hard links; which number says so differs from one to the next
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        os.replace(temporary, path)
