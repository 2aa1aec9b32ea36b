"""A folder for photos on their way that is gone when the process is, even when that was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows, where a killed process's folder stays
    fcntl = None  # type: ignore[assignment]

PREFIX = "instcolor-"
LOCK = ".owner"


class PrivateFolder:
    """A new folder in the machine's temporary one, for this user only; those of processes that have died are deleted.

    A living process holds a lock in its folder, which the system takes back however it ends.
    """

    def __init__(self) -> None:
        if fcntl is not None:
            _delete_abandoned(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock: int | None = None if fcntl is None else _locked(self.path)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Deletes it, any number of times."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(folder: Path) -> int:
    made = os.open(folder / f"{LOCK}-new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.rename(folder / f"{LOCK}-new", folder / LOCK)  # nobody meets it without its lock
    return made


def _delete_abandoned(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, a living process's, or gone meanwhile
            facts = folder.lstat()
            if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
                continue
            found = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(found)
