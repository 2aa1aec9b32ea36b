"""Photos and what was made of them, in a private folder that is gone when the server is."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..private_folder import PrivateFolder
from .limits import Limits
from .messages import Looked
from .problems import not_found

ID_BYTES = 16  # 128 random bits


@dataclass(eq=False)
class Entry:
    """One photo of one client."""

    id: str
    owner: str
    name: str
    folder: Path
    born: float = field(default_factory=time.monotonic)
    status: str = "waiting"
    version: int = 0
    """Grows with every look that is ready, so that a page knows when to fetch the planes again."""
    looked: Looked | None = None
    """What was found in it, when it was looked at last."""
    problem: dict[str, str | int] | None = None

    @property
    def busy(self) -> bool:
        """Whether somebody works on it, or will."""
        return self.status not in ("done", "failed")

    def size(self) -> int:
        """Bytes of everything in its folder."""
        total = 0
        with contextlib.suppress(OSError):  # a worker may rename a file meanwhile
            for path in self.folder.iterdir():
                total += path.stat().st_size
        return total


class Store:
    """Entries by id. Somebody else's entry is as absent as one that never was."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._entries: dict[str, Entry] = {}
        self._private = PrivateFolder()

    def incoming(self) -> Path:
        """A new file name in the private folder, for what is still coming in or going out."""
        return self._private.path / secrets.token_hex(ID_BYTES)

    def add(self, owner: str, name: str) -> Entry:
        """A new entry with a folder of its own and an id that nobody can guess."""
        id = secrets.token_urlsafe(ID_BYTES)
        folder = self.incoming()
        folder.mkdir(mode=0o700)
        self._entries[id] = entry = Entry(id, owner, name, folder)
        return entry

    def get(self, owner: str, id: str) -> Entry:
        """Raises Problem 404."""
        entry = self._entries.get(id)
        if entry is None or not secrets.compare_digest(entry.owner.encode(), owner.encode()):
            raise not_found()
        return entry

    def of(self, owner: str) -> list[Entry]:
        """An owner's entries, oldest first."""
        return [entry for entry in self._entries.values() if entry.owner == owner]

    def remove(self, entry: Entry) -> None:
        """Forgets the entry and deletes its folder."""
        self._entries.pop(entry.id, None)
        shutil.rmtree(entry.folder, ignore_errors=True)

    def due(self) -> Iterator[Entry]:
        """What has been kept for long enough, then the oldest that do not fit any more."""
        now = time.monotonic()
        entries = sorted(self._entries.values(), key=lambda entry: entry.born)
        sizes = {entry.id: entry.size() for entry in entries}
        total = sum(sizes.values())
        for entry in entries:
            if now - entry.born >= self._limits.keep_seconds or (total > self._limits.store_bytes and not entry.busy):
                total -= sizes[entry.id]
                yield entry

    @property
    def bytes(self) -> int:
        """What all entries take on the disk."""
        return sum(entry.size() for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def close(self) -> None:
        """Deletes everything."""
        self._private.close()
