"""Who does a shard: a claim that one run alone can make, with a heartbeat, and that another takes over when it stops.

The claims of a shard are numbered files, and the highest number counts. A new one is made by exclusive creation, so
that of two runs that find a claim stale one alone takes it over; nothing is deleted while it could matter.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from dataclasses import dataclass

from .stores import HOME, Store, shard_name

BEAT_SECONDS = 30.0
STALE_SECONDS = 600.0
"""Without a heartbeat, after which a claim counts no more: longer than a photo takes; clocks may differ by minutes."""


@dataclass
class Claim:
    """A shard that is this process's own."""

    target: Store
    shard: int
    number: int
    owner: str
    beaten: float

    @classmethod
    def made(cls, target: Store, shard: int) -> Claim | None:
        """The claim of a shard; None where somebody else has it. Raises FileError."""
        numbers = _numbers(target, shard)
        if numbers:
            content = target.get(_name(shard, numbers[-1]))
            if content is None or not _is_stale(content):  # None: given back just now, and perhaps taken anew
                return None
        number = numbers[-1] + 1 if numbers else 0
        claim = cls(target, shard, number, secrets.token_hex(8), time.monotonic())
        return claim if target.create(_name(shard, number), claim._said()) else None

    def beat(self) -> bool:
        """Says now and then that the work goes on; False where another run has taken the shard over."""
        if time.monotonic() - self.beaten < BEAT_SECONDS:
            return True
        if _numbers(self.target, self.shard)[-1:] != [self.number]:
            return False
        self.beaten = time.monotonic()
        self.target.put(_name(self.shard, self.number), self._said())
        return True

    def release(self) -> None:
        """Lets others have the shard: all its claims go, the own one last."""
        for number in _numbers(self.target, self.shard):
            if number <= self.number:
                self.target.remove(_name(self.shard, number))

    @staticmethod
    def living(target: Store) -> str:
        """Who holds a claim that counts, "process 7 of host"; "" where nobody does. Raises FileError."""
        for shard in target.names(f"{HOME}/claims"):
            for number in _numbers(target, int(shard))[-1:]:
                content = target.get(_name(int(shard), number))
                if content and not _is_stale(content):
                    said = json.loads(content)
                    return f"process {said['process']} of {said['host']}"
        return ""

    def _said(self) -> bytes:
        said = {"owner": self.owner, "host": socket.gethostname(), "process": os.getpid(), "beat": time.time()}
        return json.dumps(said).encode()


def _name(shard: int, number: int) -> str:
    return f"{HOME}/claims/{shard_name(shard)}/{number:04}"


def _numbers(target: Store, shard: int) -> list[int]:
    return [int(name) for name in target.names(f"{HOME}/claims/{shard_name(shard)}") if name.isdigit()]


def _is_stale(content: bytes) -> bool:
    """Whether whoever made a claim has ended: no heartbeat for long, or a process of this machine that is gone."""
    try:
        said = json.loads(content)
        here = said["host"] == socket.gethostname()
        return time.time() - float(said["beat"]) > STALE_SECONDS or (here and not _runs(int(said["process"])))
    except (ValueError, KeyError, TypeError):
        return True  # torn


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
