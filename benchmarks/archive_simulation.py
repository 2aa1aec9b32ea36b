"""A million photographs on up to a thousand workers, in minutes: clock, store and network are simulated, all else real.

    python benchmarks/archive_simulation.py [--photos 1000000] [--workers 1000] [--shard 50] [--seed 0]

What runs is what runs in production: `planned`, `carry_out`, `serve`, `do_shard`, claims, heartbeats, retries, `look`,
the `Store` over fsspec. Made up are the file system behind it (every call takes a moment, some fail, before or after
they had their effect), the process that colors (it sleeps), and the machines: each has its own driver and up to 16
workers, some are slow, and they die at random moments with all that they were doing and are started again later.

Ends with exit code 1 where a photo is lost, has two lines, or more results were written twice than workers have died
and calls have failed.
"""

from __future__ import annotations

import argparse
import heapq
import io
import itertools
import json
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import fsspec
from fsspec import AbstractFileSystem

from instcolor.archive import Plan, Store, carry_out, claims, look, planned, progress, shards
from instcolor.archive.engines import serve
from instcolor.batch import Colorizing, Record, Task
from instcolor.batch.processes import Gone
from instcolor.sources import remote

PHOTO_SECONDS = 1.4
CALL_SECONDS = 0.03
CORES = 16
SLOW = 0.03  # of machines, which take twice as long
LIFE_SECONDS = 5_000.0  # of a machine on average
RESTART_SECONDS = 300.0
HICCUPS = 2e-4  # of calls to the store
FAILING, DEADLY, LONG = 2e-3, 2e-4, 1e-4  # of photos; long ones take a minute
JPEG = b"\xff\xd8\xff\xe0" + bytes(60)


class Killed(BaseException):
    """The machine is gone: no `except Exception` and no clean-up in the store comes after it."""


class Clock:
    """Threads take turns, the one whose time comes first; nothing waits for real."""

    def __init__(self) -> None:
        self.now, self._turns, self._numbers = 1e9, list[tuple[float, int, Any]](), itertools.count()
        self._own, self._over, self._living = threading.local(), threading.Event(), 0

    def sleep(self, seconds: float) -> None:
        self._wait(self.now + seconds)

    def start(self, work: Callable[[], None]) -> None:
        turn, self._living = threading.Lock(), self._living + 1
        turn.acquire()

        def begun() -> None:
            turn.acquire()
            self._own.turn = turn
            try:
                work()
            finally:
                self._living -= 1
                self._next() if self._turns else self._over.set()

        threading.Thread(target=begun, daemon=True).start()
        heapq.heappush(self._turns, (self.now, next(self._numbers), turn))

    def run(self) -> None:
        self._next()
        self._over.wait()

    def _wait(self, until: float) -> None:
        own = self._own.turn
        if self._turns and self._turns[0][0] <= until:
            heapq.heappush(self._turns, (until, next(self._numbers), own))
            self._next()
            own.acquire()
        else:
            self.now = until

    def _next(self) -> None:
        self.now, _, turn = heapq.heappop(self._turns)
        turn.release()


class World:
    """What all threads share."""

    def __init__(self, seed: int) -> None:
        self.clock, self.chance = Clock(), random.Random(seed)
        self.here = threading.local()  # .machine, .debt
        self.files: dict[str, bytes] = {}
        self.folders: defaultdict[str, set[str]] = defaultdict(set)
        self.results, self.calls = Counter[str](), Counter[str]()
        self.photos, self.hiccups, self.deaths, self.cut_off = 0, 0, 0, 0

    def call(self, kind: str, path: str) -> None:
        """A call to the store: takes its time, and ends a thread whose machine is gone."""
        machine = getattr(self.here, "machine", None)
        self.calls[kind] += 1
        if machine is None:
            return
        self.here.debt += CALL_SECONDS * self.chance.uniform(0.5, 2)
        if "/claims/" in path or "/done" in path or "/lines/" in path:  # where runs meet
            self.settle()
        machine.check()

    def settle(self, seconds: float = 0.0) -> None:
        debt, self.here.debt = self.here.debt, 0.0
        self.clock.sleep(debt + seconds)

    def hiccup(self) -> None:
        if getattr(self.here, "machine", None) and self.chance.random() < HICCUPS / 2:
            self.hiccups += 1
            raise ConnectionResetError(104, "Connection reset by peer")


WORLD = World(0)


class Simulated(AbstractFileSystem):  # type: ignore[misc]
    """Files under "in", all made up, and under "out", where those of `.instcolor` are kept and others counted."""

    protocol = "sim"
    cachable = False

    def walk(self, path: str, detail: bool = False, **_: Any) -> Iterator[Any]:
        for first in range(0, WORLD.photos, 1000):
            names = range(first, min(first + 1000, WORLD.photos))
            yield (
                f"{path}/fonds-{first // 1000:04}",
                {},
                {f"scan-{n:07}.jpg": {"size": n, "ETag": str(n)} for n in names},
            )

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        WORLD.call("read a photo", path)
        WORLD.hiccup()
        return io.BytesIO(JPEG)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        WORLD.call("put", path)
        WORLD.hiccup()
        if "/.instcolor/" not in path:
            WORLD.results[path] += 1
        else:
            if mode == "create" and path in WORLD.files:
                raise FileExistsError(path)
            WORLD.files[path] = value
            folder, _slash, name = path.rpartition("/")
            while name and name not in WORLD.folders[folder]:
                WORLD.folders[folder].add(name)
                folder, _slash, name = folder.rpartition("/")
        WORLD.hiccup()  # it is done, but nobody hears of it

    def cat_file(self, path: str, start: Any = None, end: Any = None, **_: Any) -> bytes:
        WORLD.call("get", path)
        WORLD.hiccup()
        if path not in WORLD.files:
            raise FileNotFoundError(path)
        return WORLD.files[path]

    def exists(self, path: str, **_: Any) -> bool:
        WORLD.call("head", path)
        return path in WORLD.files or path in WORLD.results

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        WORLD.call("list", path)
        WORLD.hiccup()
        return [f"{path}/{name}" for name in WORLD.folders.get(path.rstrip("/"), ())]

    def rm_file(self, path: str) -> None:
        WORLD.call("delete", path)
        if WORLD.files.pop(path, None) is None:
            raise FileNotFoundError(path)
        folder, _slash, name = path.rpartition("/")
        WORLD.folders[folder].discard(name)
        if "/claims/" in path and not WORLD.folders[folder]:  # stores have no empty folders
            above, _slash, name = folder.rpartition("/")
            WORLD.folders[above].discard(name)

    def rm(self, path: str, recursive: bool = False, maxdepth: Any = None) -> None:
        raise FileNotFoundError(path)


class Sleeper:
    """In the place of `Worker`: takes as long as a photo does, and writes a file as `Colorizing` would."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def give(self, task: Task) -> None:
        self._task = task

    def answer(self) -> dict[str, Any]:
        task, out = self._task, self._task.out
        assert out is not None
        photo = random.Random(task.item.name)  # the same in every try
        kind, seconds = photo.random(), photo.lognormvariate(0, 0.4) / 1.083 * PHOTO_SECONDS
        WORLD.settle((60.0 if kind > 1 - LONG else seconds) * self._machine.slowness)
        self._machine.check()
        if kind < DEADLY:
            raise Gone("its process was ended by SIGKILL")
        if kind < DEADLY + FAILING:
            return {"record": Record(task.item.name, task.item.label, "failed", "is damaged", "DamagedError").as_json()}
        out.write_bytes(JPEG)
        record = Record(task.item.name, task.item.label, size=(3000, 2000), out=str(out), seconds=round(seconds, 3))
        return {"record": json.loads(json.dumps(record.as_json()))}

    def end(self) -> None:
        """Nothing is left of a sleep."""


class Machine:
    """An engine: threads of the simulated clock in the place of processes; and when it dies."""

    def __init__(self, workers: int, slowness: float) -> None:
        self._workers, self.slowness = workers, slowness
        self._dies = WORLD.clock.now + WORLD.chance.expovariate(1 / LIFE_SECONDS)
        self._living = 0

    def check(self) -> None:
        if WORLD.clock.now >= self._dies:
            raise Killed

    def run(self, plan: Plan, shards: Iterable[int], stop: Any, done: Callable[[Any], None]) -> None:
        waiting = SimpleQueue[int]()
        for shard in shards:
            waiting.put(shard)

        def work() -> None:
            WORLD.here.machine, WORLD.here.debt = self, 0.0
            try:
                serve(plan, waiting, Sleeper(self), stop, done)  # type: ignore[arg-type]
            except Killed:
                WORLD.cut_off += 1
            finally:
                self._living -= 1

        for _ in range(min(self._workers, waiting.qsize())):
            self._living += 1
            WORLD.clock.start(work)
        while self._living:
            WORLD.clock.sleep(5)
        self.check()


class Going:
    """In the place of the event that stops a run."""

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        WORLD.clock.sleep(seconds)
        return False


def driver(plan: Plan, workers: int, slowness: float) -> None:
    """A machine's whole history: `archive run`, again after each death, until there is nothing left."""
    WORLD.here.debt = 0.0
    while True:
        machine = Machine(workers, slowness)
        WORLD.here.machine = machine
        try:
            carry_out(machine, plan, range(plan.shards), Going(), lambda outcome: None)  # type: ignore[arg-type]
            return
        except Killed:
            WORLD.deaths += 1
            WORLD.clock.sleep(RESTART_SECONDS)


def simulated(photos: int, workers: int, shard: int) -> bool:
    """Prints what came of it; whether it is as it should be."""
    WORLD.photos = photos
    begin = time.perf_counter()
    plan = planned("sim://in", Store("sim://out"), Colorizing(), size=shard)
    print(f"plan: {plan.photos:,} photos in {plan.shards:,} shards, {time.perf_counter() - begin:.1f} s")
    begun, begin = WORLD.clock.now, time.process_time()
    WORLD.calls.clear()
    for first in range(0, workers, CORES):
        slowness = 2.0 if WORLD.chance.random() < SLOW else 1.0
        WORLD.clock.start(lambda first=first, slow=slowness: driver(plan, min(CORES, workers - first), slow))  # type: ignore[misc]
    WORLD.clock.run()
    real, took = time.process_time() - begin, WORLD.clock.now - begun
    calls, begin = dict(WORLD.calls), time.perf_counter()
    state = look(plan)
    print(f"status: {time.perf_counter() - begin:.2f} s; {state.done:,} done, {state.failed:,} failed: {state.kinds}")
    told = Counter(json.loads(line)["path"] for path, data in WORLD.files.items()
                   if "/lines/" in path for line in data.splitlines())  # fmt: skip
    twice = sum(count - 1 for count in WORLD.results.values() if count > 1)
    lost = photos - len(told)
    print(
        f"{workers:,} workers: {took / 3600:.1f} simulated hours, {photos / took / workers * 3600:,.0f} photos an hour "
        f"and worker; {WORLD.deaths} machines died with {WORLD.cut_off} workers, {WORLD.hiccups} hiccups"
    )
    print(
        f"{lost} lost, {sum(told.values()) - len(told)} with two lines, {twice} written twice, "
        f"{len(WORLD.results) + state.failed - photos} results missing"
    )
    print(f"calls to the store a photo: {sum(calls.values()) / photos:.2f} {calls}")
    print(f"files beside results: {len(WORLD.files):,}; CPU a photo, simulation and all: {real / photos * 1e6:.0f} us, "
          f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", flush=True)  # fmt: skip
    whole = state.is_finished and state.done == photos == sum(told.values()) and not lost
    return whole and len(WORLD.results) + state.failed == photos and twice <= WORLD.cut_off + WORLD.hiccups


def main() -> None:
    global WORLD
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--shard", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    WORLD = World(given.seed)
    fsspec.register_implementation("sim", Simulated)
    if Path("/dev/shm").is_dir():
        tempfile.tempdir = "/dev/shm"
    for module in (claims, shards, progress, remote):
        module.time = SimpleNamespace(  # type: ignore[attr-defined]
            time=lambda: WORLD.clock.now, monotonic=lambda: WORLD.clock.now, sleep=WORLD.clock.sleep
        )
    if not simulated(given.photos, given.workers, given.shard):
        sys.exit(1)


if __name__ == "__main__":
    main()
