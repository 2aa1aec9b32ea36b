"""Bytes to a file: whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from ..errors import PhotoError
from .source import shown


def write_whole(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Writes a file under a temporary name beside its place, brings it to the disk, then gives it its name.

    Nothing is left behind when that fails or is interrupted, and a file of that name is only replaced with `overwrite`.

    Raises:
        PhotoError: it exists, the folder is missing or read-only, the disk is full.
    """
    temporary = path.with_name(f".instcolor-{secrets.token_hex(6)}.tmp")
    try:
        try:
            # a new file with the usual permissions, which the tempfile module would narrow to the owner's
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
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
        raise PhotoError(f"{shown(path)}: cannot be written, there is no folder {shown(path.parent)}") from error
    except OSError as error:
        raise PhotoError(f"{shown(path)}: cannot be written ({error.strerror or error})") from error


def already_exists(path: Path) -> PhotoError:
    """The error for a result that would replace a file unasked."""
    return PhotoError(f"{shown(path)}: exists already and is not replaced unless asked")


def _rename_new(temporary: Path, path: Path) -> None:
    """Renames without ever replacing: a hard link fails where the name is taken, also by a file made just now."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES):
            raise
        # a file system without hard links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        os.replace(temporary, path)
