"""Who calls `do_shard`: processes of this machine, or Ray. An engine knows nothing of photographs."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from ..batch.processes import Worker
from ..errors import InstcolorError
from .planning import Plan
from .shards import Outcome, Stopper, Tell, do_shard
from .stores import HOME, Store, shard_name

Done = Callable[[Outcome], None]
POLL_SECONDS = 1.0
WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 60.0
"""Before it is asked again how far other runs are; each time twice as long, up to the longest."""
LOOKS = 100
"""So many shards that others had are asked for again at a time: of a thousand runs each would else ask for all."""


class Engine(Protocol):
    """Runs shards on some machines."""

    def run(self, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> None:
        """Does shards until `stop` is set, but for those that others have; `done` is given what came of each.

        Raises InstcolorError where no photo can be colored, or the target refuses.
        """


def carry_out(engine: Engine, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> None:
    """Has an engine do shards, and waits for those that other runs do; takes over what those leave behind.

    Raises InstcolorError as `Engine.run`.
    """
    left, pause = _open(plan, shards), WAIT_SECONDS
    engine.run(plan, left, stop, done)
    while (left := _open(plan, left)) and not stop.wait(pause):
        engine.run(plan, left[:LOOKS], stop, done)
        pause = min(2 * pause, LONGEST_WAIT_SECONDS)


def _open(plan: Plan, shards: Iterable[int]) -> list[int]:
    """Those that are not done, from any one on: runs that begin together would else all ask for the same."""
    finished = set(plan.target.names(f"{HOME}/done"))
    left = [shard for shard in shards if f"{shard_name(shard)}.json" not in finished]
    begin = random.randrange(len(left)) if left else 0
    return left[begin:] + left[:begin]


def serve(
    plan: Plan, waiting: SimpleQueue[int], worker: Worker, stop: Stopper, done: Done, tell: Tell = lambda line: None
) -> None:
    """Does one waiting shard after the other. Raises InstcolorError as `do_shard`."""
    while not stop.is_set():
        try:
            shard = waiting.get_nowait()
        except Empty:
            return
        outcome = do_shard(plan, shard, worker, stop, tell)
        if outcome:
            done(outcome)


@dataclass(frozen=True)
class Local:
    """Processes of this machine, one core each; a thread beside each reads, writes and keeps the lines."""

    workers: int
    tell: Tell = lambda line: None

    def run(self, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> None:
        waiting = SimpleQueue[int]()
        for shard in shards:
            waiting.put(shard)

        def served() -> None:
            worker = Worker(plan.job)
            try:
                serve(plan, waiting, worker, stop, done, self.tell)
            except BaseException:
                stop.set()
                raise
            finally:
                worker.end()

        with ThreadPoolExecutor(self.workers) as pool:
            futures = [pool.submit(served) for _ in range(min(self.workers, waiting.qsize()))]
            while wait(futures, POLL_SECONDS).not_done:  # in pieces, so that signals are heard
                pass
        for future in futures:
            future.result()


@dataclass(frozen=True)
class OnRay:
    """Actors on a Ray cluster, one a core; only numbers of shards and what came of them go through its object store.

    An actor that dies is started again and its shard goes on. Without an address a cluster is started on this machine.
    """

    workers: int | None = None
    """None: one for each core of the cluster."""
    address: str | None = None

    def run(self, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray
        from ray.exceptions import RayError

        waiting = list(shards)[::-1]
        try:
            if not ray.is_initialized():
                own: dict[str, Any] = {} if self.address else {"num_cpus": self.workers, "include_dashboard": False}
                ray.init(address=self.address or "local", log_to_driver=False, **own)  # None would join any it finds
            cluster: Any = ray.cluster_resources  # without types
            count = min(self.workers or int(cluster().get("CPU", 1)), len(waiting))
            # two threads, so that one hears `halt` while the other works
            kind: Any = ray.remote(_Actor)
            kind = kind.options(num_cpus=1, max_restarts=-1, max_task_retries=-1, max_concurrency=2)
            idle = [kind.remote(plan.target) for _ in range(count)]
            busy: dict[Any, Any] = {}
            halted = False
            while busy or (waiting and not stop.is_set()):
                while idle and waiting and not stop.is_set():
                    actor = idle.pop()
                    busy[actor.do.remote(waiting.pop())] = actor
                if stop.is_set() and not halted:
                    halted = True
                    for actor in busy.values():
                        actor.halt.remote()
                for answer in ray.wait(list(busy), timeout=POLL_SECONDS)[0]:
                    idle.append(busy.pop(answer))
                    outcome = ray.get(answer)
                    if outcome:
                        done(outcome)
            for actor in idle:
                ray.kill(actor)
        except InstcolorError as error:  # Ray's traceback of it would be its message
            raise InstcolorError(str(getattr(error, "cause", error))) from error
        except (RayError, ConnectionError, RuntimeError) as error:
            raise InstcolorError(f"Ray: {' '.join(str(error).split())[:300]}; run again to go on") from error


class _Actor:
    """On a core of a cluster: does one shard after the other."""

    def __init__(self, target: Store) -> None:
        self._plan, self._stop = Plan.of(target), threading.Event()
        self._plan.check()  # another machine may have other weights
        self._worker = Worker(self._plan.job)

    def do(self, shard: int) -> Outcome | None:
        return do_shard(self._plan, shard, self._worker, self._stop)

    def halt(self) -> None:
        self._stop.set()
