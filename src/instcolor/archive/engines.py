"""Who calls `do_shard`: processes of this machine, or Ray. An engine knows nothing of photographs."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

from ..batch.processes import Worker
from ..errors import InstcolorError
from .planning import Plan
from .shards import Line, Outcome, do_shard
from .stores import Store

Done = Callable[[Outcome], None]
POLL_SECONDS = 1.0
WAIT_SECONDS = 5.0
"""Before it is asked again how far other runs are."""


class Engine(Protocol):
    """Runs shards on some machines."""

    def run(self, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> list[int]:
        """Does shards until `stop` is set; `done` is given what came of each. Those that are left, or others have.

        Raises InstcolorError where no photo can be colored, or the target refuses.
        """


def carry_out(engine: Engine, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> None:
    """Has an engine do shards, and waits for those that other runs do; takes over what those leave behind.

    Raises InstcolorError as `Engine.run`.
    """
    left = engine.run(plan, shards, stop, done)
    while left and not stop.wait(WAIT_SECONDS):
        left = engine.run(plan, left, stop, done)


@dataclass(frozen=True)
class Local:
    """Processes of this machine, one core each; a thread beside each reads, writes and keeps the lines."""

    workers: int
    tell: Callable[[Line], None] = lambda line: None

    def run(self, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> list[int]:
        waiting, left = queue.SimpleQueue[int](), list[int]()
        for shard in shards:
            waiting.put(shard)

        def serve() -> None:
            worker = Worker(plan.job)
            try:
                while not stop.is_set() and not waiting.empty():
                    shard = waiting.get_nowait()
                    outcome = do_shard(plan, shard, worker, stop, self.tell)
                    if outcome:
                        done(outcome)
                    else:
                        left.append(shard)
            except queue.Empty:  # another thread was quicker
                return
            except BaseException:
                stop.set()
                raise
            finally:
                worker.end()

        with ThreadPoolExecutor(self.workers) as pool:
            futures = [pool.submit(serve) for _ in range(min(self.workers, waiting.qsize()))]
            while wait(futures, POLL_SECONDS).not_done:  # in pieces, so that signals are heard
                pass
        for future in futures:
            future.result()
        return left


@dataclass(frozen=True)
class OnRay:
    """Actors on a Ray cluster, one a core; only numbers of shards and what came of them go through its object store.

    An actor that dies is started again and its shard goes on. Without an address a cluster is started on this machine.
    """

    workers: int | None = None
    """None: one for each core of the cluster."""
    address: str | None = None

    def run(self, plan: Plan, shards: Iterable[int], stop: threading.Event, done: Done) -> list[int]:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray
        from ray.exceptions import RayError

        waiting, left = list(shards)[::-1], list[int]()
        try:
            if not ray.is_initialized():
                own: dict[str, Any] = {} if self.address else {"num_cpus": self.workers, "include_dashboard": False}
                ray.init(address=self.address, log_to_driver=False, **own)
            cluster: Any = ray.cluster_resources  # without types
            count = min(self.workers or int(cluster().get("CPU", 1)), len(waiting))
            # two threads, so that one hears `halt` while the other works
            kind: Any = ray.remote(_Actor)
            kind = kind.options(num_cpus=1, max_restarts=-1, max_task_retries=-1, max_concurrency=2)
            idle = [kind.remote(plan.target) for _ in range(count)]
            busy: dict[Any, tuple[Any, int]] = {}
            halted = False
            while busy or (waiting and not stop.is_set()):
                while idle and waiting and not stop.is_set():
                    actor, shard = idle.pop(), waiting.pop()
                    busy[actor.do.remote(shard)] = actor, shard
                if stop.is_set() and not halted:
                    halted = True
                    for actor, _ in busy.values():
                        actor.halt.remote()
                for answer in ray.wait(list(busy), timeout=POLL_SECONDS)[0]:
                    actor, shard = busy.pop(answer)
                    outcome = ray.get(answer)
                    idle.append(actor)
                    if outcome:
                        done(outcome)
                    else:
                        left.append(shard)
            for actor in idle:
                ray.kill(actor)
        except InstcolorError as error:  # Ray's traceback of it would be its message
            raise InstcolorError(str(getattr(error, "cause", error))) from error
        except (RayError, ConnectionError, RuntimeError) as error:
            raise InstcolorError(f"Ray: {' '.join(str(error).split())[:300]}; run again to go on") from error
        return left + waiting


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
