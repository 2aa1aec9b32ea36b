"""Shard in, outcome out: the one function that every engine calls."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..batch import Record, Task
from ..batch.processes import Gone, Worker
from ..errors import InstcolorError
from ..photo.formats import SIGNATURE_BYTES
from ..private_folder import PrivateFolder
from .claims import Claim
from .planning import Entry, Plan
from .stores import HOME, shard_name

Line = dict[str, Any]
"""What came of one photograph: "path", "status", "reason", "kind", "seconds", "time", "objects", "size", "out",
"bytes", "sha256"."""
CRASH = "crash"
"""The kind of error of a photo that has ended its process twice."""


@dataclass(frozen=True)
class Outcome:
    """What came of a shard, small enough for a marker or an object store."""

    shard: int
    photos: int
    failed: int = 0
    seconds: float = 0.0
    """Of coloring, over all photos."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Errors by kind."""
    times: tuple[float, float] = (0.0, 0.0)
    """When its first photo was done and when its last, seconds since 1970."""

    @classmethod
    def of(cls, shard: int, lines: list[Line]) -> Outcome:
        """The outcome of a shard whose photos have these lines."""
        kinds = Counter(line["kind"] for line in lines if line["status"] == "failed")
        ends = [line["time"] for line in lines] or [0.0]
        seconds = round(sum(line["seconds"] for line in lines), 3)
        return cls(shard, len(lines), kinds.total(), seconds, dict(kinds), (min(ends), max(ends)))

    @classmethod
    def from_json(cls, content: bytes) -> Outcome:
        """What a marker says. Raises ValueError, TypeError."""
        said = json.loads(content)
        return cls(**{**said, "times": tuple(said["times"])})


class Stopper(Protocol):
    """Says whether the run is to stop; `threading.Event` is one."""

    def is_set(self) -> bool:
        """True from the moment on at which no further photo shall begin."""
        ...


Tell = Callable[[Line], None]


def do_shard(plan: Plan, shard: int, worker: Worker, stop: Stopper, tell: Tell = lambda line: None) -> Outcome | None:
    """Colors what is not yet colored of a shard, and marks it as done.

    Args:
        worker: the process that colors; whatever a photo does to it costs that photo alone.
        stop: looked at between two photos.
        tell: is given a line as soon as there is one.

    Returns:
        None where another run does it, or has taken it over, or this one was stopped.

    Raises:
        InstcolorError: the store refuses, the disk is full, or what all photos need is missing. What was done is kept.
    """
    marker = f"{HOME}/done/{shard_name(shard)}.json"
    claim = Claim.made(plan.target, shard)
    if claim is None:
        return None
    try:
        content = plan.target.get(marker)  # after the claim: who had it before may just have finished
        if content is not None:
            return Outcome.from_json(content)
        if not plan.is_current():
            raise InstcolorError(f"{plan.target.address}: was planned anew, run again")
        lines = _Shard(plan, shard, worker, claim, stop, tell).lines()
        if lines is None:
            return None
        name = shard_name(shard)
        outcome = Outcome.of(shard, lines)
        plan.target.put(f"{HOME}/lines/{name}.jsonl", b"".join(map(packed, lines)))
        plan.target.put(marker, json.dumps(vars(outcome)).encode())
        plan.target.remove(f"{HOME}/parts/{name}.jsonl")
        return outcome
    finally:
        claim.release()


class _Shard:
    """A shard being done."""

    def __init__(self, plan: Plan, shard: int, worker: Worker, claim: Claim, stop: Stopper, tell: Tell) -> None:
        self._plan, self._shard, self._worker = plan, shard, worker
        self._claim, self._stop, self._tell = claim, stop, tell
        self._part = f"{HOME}/parts/{shard_name(shard)}.jsonl"

    def lines(self) -> list[Line] | None:
        """The lines of all photos in the plan's order; None where they are not all done."""
        entries = self._plan.entries(self._shard)
        lines = self._done_before()
        todo = [entry for entry in entries if entry.name not in lines]
        suspects: list[Entry] = []
        with PrivateFolder() as scratch:
            for entry in todo:
                if not self._goes_on():
                    return None
                line = self._done(entry, scratch)
                if line["kind"] == CRASH:  # perhaps the memory was short for a moment
                    suspects.append(entry)
                else:
                    lines[entry.name] = self._kept(line)
            for entry in suspects:
                if not self._goes_on():
                    return None
                self._worker.end()  # alone in a process of its own
                lines[entry.name] = self._kept(self._done(entry, scratch))
        return [lines[entry.name] for entry in entries]

    def _goes_on(self) -> bool:
        return not self._stop.is_set() and self._claim.beat()

    def _done_before(self) -> dict[str, Line]:
        """What a broken run has left, as far as its results are still there; a torn line does not count."""
        lines: dict[str, Line] = {}
        for line in unpacked(self._plan.target.get(self._part) or b""):
            if line["status"] == "failed" or self._plan.target.has(line["out"]):
                lines[line["path"]] = line
        if lines:  # without the torn line, which the next one would be joined to
            self._plan.target.put(self._part, b"".join(map(packed, lines.values())))
        return lines

    def _kept(self, line: Line) -> Line:
        line = {**line, "time": round(time.time(), 3)}
        self._plan.target.append(self._part, packed(line))
        self._tell(line)
        return line

    def _done(self, entry: Entry, scratch: Path) -> Line:
        """Colors a photo and puts the result in its place. Raises InstcolorError for what concerns all photos."""
        item = self._plan.item(entry)
        line: Line = {"path": entry.name, "status": "failed", "reason": "", "kind": "", "seconds": 0.0, "objects": []}
        out = scratch / "result"
        try:
            at_hand = item.at_hand()
            suffix = self._plan.job.suffix(at_hand.start(SIGNATURE_BYTES)) or Path(entry.stem).suffix.lower()
            record, suffix = _colored(self._worker, Task(at_hand, suffix, out.with_suffix(suffix)))
        except Gone as error:
            return {**line, "kind": CRASH, "reason": str(error)}
        except _Broken as error:
            raise InstcolorError(str(error)) from error
        except InstcolorError as error:
            return {**line, "kind": type(error).__name__, "reason": str(error).removeprefix(f"{item.label}: ")}
        if record.status == "failed":
            return {**line, "kind": record.kind, "reason": record.reason}
        result = out.with_suffix(suffix)
        data, name = result.read_bytes(), entry.result(suffix)
        result.unlink()
        self._plan.target.put(name, data)
        said = record.as_json()
        return {
            **line,
            "status": "done",
            "seconds": record.seconds,
            "size": said["size"],
            "objects": said["objects"],
            "out": name,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }


class _Broken(Exception):
    """No photo can be colored; the message says why."""


def _colored(worker: Worker, task: Task) -> tuple[Record, str]:
    """The record of a task and its result's suffix. Raises Gone, _Broken."""
    while True:
        worker.give(task)
        said = worker.answer()
        if "broken" in said:
            raise _Broken(said["broken"])
        if "suffix" not in said:
            return Record.from_json(said["record"]), task.suffix
        assert task.out is not None
        task = task._replace(suffix=said["suffix"], out=task.out.with_suffix(said["suffix"]))


def packed(line: Line) -> bytes:
    """A line as it stands in files."""
    return json.dumps(line).encode() + b"\n"


def unpacked(content: bytes) -> list[Line]:
    """The lines of a file, without one that was torn by a kill."""
    lines: list[Line] = []
    for text in content.splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines
