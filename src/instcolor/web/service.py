"""Between requests and workers: takes photos in, has them looked at and painted, tells their owners."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .limits import Settings
from .messages import LookAt, Looked, Message, Paint, Task
from .metrics import Metrics
from .pool import OnStage, Place, Pool
from .problems import Problem, broken, not_found
from .schemas import LookRequest, PaintOptions
from .store import Entry, Store

SWEEP_SECONDS = 5.0
Result = TypeVar("Result", bound=Message)
Tell = Callable[[dict[str, Any]], None]
log = logging.getLogger("instcolor.web")


class Service:
    """All state of a running server."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.metrics = Metrics()
        self.pool = Pool(settings)
        self.store = Store(settings.limits)
        self.closing = asyncio.Event()
        self.connections: Callable[[], int] = lambda: 0
        """How many there are; the server around the application knows."""
        self._stop_at = 0.0
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._listeners: dict[str, set[Tell]] = {}

    # photos

    def take(self, owner: str, photos: Sequence[tuple[str, Path]], request: LookRequest) -> list[Entry]:
        """Takes photos (name, file that is moved in) into the queue, all or none. Raises Problem when it is full."""
        entries = []
        for place, (name, path) in zip(self.pool.admit(len(photos)), photos, strict=True):
            entry = self.store.add(owner, name)
            path.rename(entry.folder / "original")
            self._begin(entry, request, place)
            entries.append(entry)
        self.sweep()
        return entries

    def look_again(self, entry: Entry, request: LookRequest) -> None:
        """Runs the networks again with other objects and hints; what still ran for this photo is given up."""
        (place,) = self.pool.admit()
        self._cancel(entry)
        self._begin(entry, request, place)

    def remove(self, entry: Entry) -> None:
        """Ends all work on a photo, deletes it and tells its owner."""
        self._cancel(entry)
        self.store.remove(entry)
        self._tell(entry.owner, {"id": entry.id, "status": "removed"})

    async def paint(self, entry: Entry, options: PaintOptions) -> tuple[Path, str]:
        """A photo in full size; the file, which the caller deletes, and its format. Raises Problem."""
        name = "result-" + secrets.token_hex(8)
        objects = looked_at(entry).objects
        done = await self.work(Paint(folder=entry.folder, objects=objects, options=options, name=name))
        return entry.folder / name, done.format

    async def work(self, task: Task[Result]) -> Result:
        """Admits a task and has it done. Raises Problem."""
        (place,) = self.pool.admit()
        return await self._measured(place, task, lambda stage: None)

    # owners

    def subscribe(self, owner: str, tell: Tell) -> Callable[[], None]:
        """Calls `tell` with every change of the owner's photos until the returned function is called."""
        self._listeners.setdefault(owner, set()).add(tell)

        def end() -> None:
            self._listeners[owner].discard(tell)
            if not self._listeners[owner]:
                del self._listeners[owner]

        return end

    def state(self, entry: Entry) -> dict[str, Any]:
        """What an owner may know of a photo."""
        left = self.settings.limits.keep_seconds - (time.monotonic() - entry.born)
        known: dict[str, Any] = {"id": entry.id, "name": entry.name, "status": entry.status, "version": entry.version}
        known["seconds_left"] = max(0, round(left))
        if entry.looked:
            known |= entry.looked.model_dump(mode="json")
        if entry.problem:
            known["problem"] = entry.problem
        if entry.version:
            root = f"/api/photos/{entry.id}"
            known["links"] = {name: f"{root}/{name}" for name in ("gray", "planes", "result")}
        return known

    # the server

    async def keep_tidy(self) -> None:
        """Deletes what is due, for as long as the server runs."""
        while True:
            self.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    def sweep(self) -> None:
        """Removes the photos whose time is over."""
        for entry in list(self.store.due()):
            self.remove(entry)

    def stop_taking(self) -> None:
        """From now on nothing new is begun, and the clock for what runs is ticking."""
        if not self.closing.is_set():
            self.closing.set()
            self.pool.stopping = True
            self._stop_at = asyncio.get_running_loop().time() + self.settings.limits.stop_seconds

    async def close(self) -> None:
        """Gives up what waits, lets what runs finish, deletes everything."""
        self.stop_taking()
        await self.pool.close(self._stop_at)
        for job in list(self._jobs.values()):
            job.cancel()
        await asyncio.gather(*self._jobs.values(), return_exceptions=True)
        self.store.close()

    def _begin(self, entry: Entry, request: LookRequest, place: Place) -> None:
        entry.status, entry.problem = "waiting", None
        self._tell(entry.owner, self.state(entry))
        job = asyncio.create_task(self._run(entry, request, place))
        self._jobs[entry.id] = job

        def forget(finished: asyncio.Task[None]) -> None:
            place.leave()  # also when it was given up before it began
            if self._jobs.get(entry.id) is finished:
                del self._jobs[entry.id]

        job.add_done_callback(forget)

    async def _run(self, entry: Entry, request: LookRequest, place: Place) -> None:
        def on_stage(stage: str) -> None:
            entry.status = stage
            self._tell(entry.owner, self.state(entry))

        try:
            entry.looked = await self._measured(place, LookAt(folder=entry.folder, request=request), on_stage)
            entry.status, entry.version = "done", entry.version + 1
        except Problem as problem:
            entry.status, entry.problem = "failed", problem.body()
        except Exception:
            log.exception("a job failed")
            entry.status, entry.problem = "failed", broken().body()
        self._tell(entry.owner, self.state(entry))

    async def _measured(self, place: Place, task: Task[Result], on_stage: OnStage) -> Result:
        begin, outcome = time.monotonic(), "canceled"
        try:
            done = await self.pool.do(place, task, on_stage)
            outcome = "done"
            return done
        except Problem as problem:
            outcome = problem.code
            raise
        finally:
            self.metrics.job(outcome, time.monotonic() - begin)

    def _cancel(self, entry: Entry) -> None:
        job = self._jobs.pop(entry.id, None)
        if job is not None:
            job.cancel()

    def _tell(self, owner: str, event: dict[str, Any]) -> None:
        for tell in list(self._listeners.get(owner, ())):
            tell(event)


def looked_at(entry: Entry) -> Looked:
    """What was found in a photo. Raises Problem where it has no colors, or they are being made anew."""
    if entry.status != "done" or entry.looked is None:
        raise Problem(409, "not_ready", "This photo has no colors yet.")
    return entry.looked


def file_of(entry: Entry, name: str) -> Path:
    """A file of a photo that has been looked at. Raises Problem 404."""
    path = entry.folder / name
    with contextlib.suppress(OSError):
        if entry.version and path.is_file():
            return path
    raise not_found()
