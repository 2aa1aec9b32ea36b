"""A fixed number of worker processes, each with one photo at a time, and a bounded queue before them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

from .limits import Limits, Settings
from .messages import Message, Report, StageName, Task, WorkerSettings
from .problems import Problem

START_SECONDS = 120.0  # for loading a model on a busy machine
FROM_OUTSIDE = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)}
"""Signals that no photo sends. The kernel sends one of them where the machine's memory runs out."""
ANSWER_BYTES = 1 << 20  # one line of a worker's answer
OnStage = Callable[[StageName], None]
Result = TypeVar("Result", bound=Message)


class CannotStart(Exception):
    """A worker that has no model to work with; the sentence is for the owner of the machine only."""


class Answered(Problem):
    """A worker says that a photo cannot be done, and is ready for the next one."""


class Worker:
    """One process, started when first needed and again after it has died."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Waits until the process has its model. Raises CannotStart."""
        if self._process is not None and self._process.returncode is None:
            return
        settings, limits = self._settings, self._settings.limits
        argument = WorkerSettings(
            colorizer=settings.colorizer,
            model=settings.model,
            detector=settings.detector,
            faces=settings.faces,
            threads=settings.threads,
            pixels=limits.pixels,
            memory_bytes=limits.memory_bytes,
        )
        threads = str(settings.threads)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "instcolor.web.worker", argument.model_dump_json()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
                limit=ANSWER_BYTES,
                start_new_session=True,  # Ctrl-C in a terminal is for the server, which lets a worker finish
            )
            async with asyncio.timeout(START_SECONDS):
                await self._answer(None)
        except (Problem, TimeoutError, ValueError, OSError) as error:
            await self.stop()
            raise CannotStart(getattr(error, "detail", "") or f"no worker process starts: {error}") from error

    async def do(self, task: Task[Result], on_stage: OnStage) -> Result:
        """Has a task done. Raises Problem; after a crash or past a time limit the process is gone."""
        await self.start()
        process, limits = self._running(), self._settings.limits
        loop = asyncio.get_running_loop()
        begin = loop.time()
        assert process.stdin
        try:
            async with asyncio.timeout_at(begin + limits.decode_seconds) as clock:

                def reached(stage: StageName) -> None:
                    if stage == "decoded":
                        clock.reschedule(begin + limits.job_seconds)
                    else:
                        on_stage(stage)

                process.stdin.write(task.model_dump_json().encode() + b"\n")
                await process.stdin.drain()
                return cast(Result, task.result.model_validate(await self._answer(reached)))
        except TimeoutError:
            decoded = clock.when() != begin + limits.decode_seconds
            if decoded:
                raise Problem(504, "too_slow", f"This took longer than {limits.job_seconds:g} seconds.") from None
            raise Problem(422, "bad_photo", "The photo takes too long to decode.") from None
        except (ConnectionError, ValueError) as error:
            raise Problem(422, "bad_photo", "The photo could not be processed.") from error

    async def _answer(self, on_stage: OnStage | None) -> dict[str, Any]:
        process = self._running()
        assert process.stdout
        while line := await process.stdout.readline():
            report = Report.model_validate_json(line)
            if report.stage and on_stage:
                on_stage(report.stage)
            elif report.failed:
                raise Answered(422, report.failed.code, report.failed.sentence)
            elif report.done is not None:
                return report.done
        if -(await process.wait()) in FROM_OUTSIDE:
            sentence = "The program that colors photos was ended from outside; try again."
            raise Problem(503, "interrupted", sentence, retry_after=2)
        raise Problem(422, "bad_photo", "The photo stopped the program that reads photos; it may be damaged.")

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    async def stop(self) -> None:
        """Ends the process at once, whatever it does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None


class Place:
    """A place in the queue, held until it is left."""

    def __init__(self, pool: Pool):
        self._pool: Pool | None = pool
        pool.admitted += 1

    def leave(self) -> None:
        """Any number of times."""
        if self._pool is not None:
            self._pool.admitted -= 1
            self._pool = None


class Pool:
    """The workers and the queue before them."""

    def __init__(self, settings: Settings):
        self._workers = [Worker(settings) for _ in range(settings.workers)]
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        self._limits: Limits = settings.limits
        self.admitted = 0  # waiting or about to run
        self.running = 0
        self.stopping = False
        self._replacing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Starts all workers. Raises CannotStart where one cannot load its model."""
        for worker in self._workers:
            await worker.start()
            self._idle.put_nowait(worker)

    @property
    def waiting(self) -> int:
        """Tasks that no worker is free for."""
        return max(0, self.admitted - self._idle.qsize())

    def admit(self, count: int = 1) -> list[Place]:
        """Places in the queue, one for each task that is then to be `do`ne. Raises Problem when there is no room."""
        if self.stopping:
            raise Problem(503, "stopping", "The server is being stopped.", retry_after=30)
        if self.admitted + count > self._limits.queue + self._idle.qsize():
            raise Problem(503, "busy", "Many photos are waiting already; try again in a moment.", retry_after=5)
        return [Place(self) for _ in range(count)]

    async def do(self, place: Place, task: Task[Result], on_stage: OnStage = lambda stage: None) -> Result:
        """Has a task done by the next free worker; when canceled, the worker's process is ended. Raises Problem."""
        try:
            worker = await self._idle.get()
        finally:
            place.leave()
        if self.stopping:
            self._idle.put_nowait(worker)
            raise Problem(503, "stopping", "The server is being stopped.", retry_after=30)
        self.running += 1
        try:
            done = await worker.do(task, on_stage)
        except Answered:
            self._idle.put_nowait(worker)
            raise
        except BaseException:
            self._keep_task(asyncio.create_task(self._replace(worker)))
            raise
        else:
            self._idle.put_nowait(worker)
            return done
        finally:
            self.running -= 1

    async def _replace(self, worker: Worker) -> None:
        """A fresh process for a worker; where that fails now it is tried again with its next task."""
        await worker.stop()
        with contextlib.suppress(CannotStart):
            if not self.stopping:
                await worker.start()
        self._idle.put_nowait(worker)

    def _keep_task(self, task: asyncio.Task[None]) -> None:
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def close(self, deadline: float) -> None:
        """Takes no more work, lets what runs finish until `deadline` (of the loop's clock), ends the processes."""
        self.stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self.running:
                    await asyncio.sleep(0.05)
        for task in list(self._replacing):
            task.cancel()
        for worker in self._workers:
            await worker.stop()
