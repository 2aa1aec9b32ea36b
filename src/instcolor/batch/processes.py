"""Worker processes: each has one photo at a time, and whatever that does to a decoder costs that photo alone.

The parent sends tasks; JSON comes back, never objects, because a process that reads strangers' photos is not to be
believed blindly.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from ..cores import use_cores
from ..errors import InstcolorError
from .jobs import Job, OtherSuffix, Task, Work
from .records import Record

POLL_SECONDS = 0.25
"""After which a run looks whether it has been stopped."""
STOP_SECONDS = 5.0
"""For a process that was told to end, before it is killed."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_starting = threading.Lock()
"""What is set for a process while it is started is set for all threads of this one."""


class Gone(InstcolorError):
    """A process has ended in the middle of its photo; the message says how."""


def attempt(work: Work, task: Task) -> Record:
    """The record of a task, of a failed one too: whatever a photo raises costs that photo. Raises OtherSuffix."""
    try:
        return work(task)
    except OtherSuffix:
        raise
    except Exception as error:  # not ours only: memory may run out, ONNX Runtime raises what it likes
        return Record.failure(task.item, error)


class Worker:
    """One process with one core, started when it is given its first task and again after it has ended."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._process: BaseProcess | None = None
        self.connection: Connection | None = None

    def give(self, task: Task) -> None:
        """Sends a task. Raises PhotoError where only this process can read the photo, and it cannot."""
        task = task._replace(item=task.item.at_hand())
        if self._process is None or not self._process.is_alive():
            self.end()
            self._start()
        assert self.connection
        with suppress(ConnectionError):  # the process has just ended, `answer` will say how
            self.connection.send(task)

    def answer(self) -> dict[str, Any]:
        """What the process says: {"record": ...}, {"suffix": ...} or {"broken": sentence}. Raises Gone."""
        assert self.connection
        try:
            said: dict[str, Any] = json.loads(self.connection.recv_bytes())
        except (EOFError, OSError, ValueError) as error:
            raise Gone(self._ending()) from error
        return said

    def end(self) -> None:
        """Ends the process: at once where it is idle, else as soon as it has cleared away what is half done."""
        if self._process is None or self.connection is None:
            return
        self.connection.close()
        self._process.terminate()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self._process = self.connection = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share locks and threads that it does not have
        self.connection, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other, self._job), daemon=True)
        with _starting, _one_thread(), _deaf_to_interrupts():
            self._process.start()
        other.close()

    def _ending(self) -> str:
        assert self._process
        self._process.join(STOP_SECONDS)
        code = self._process.exitcode
        how = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"
        return f"its process was ended {how}; the photo may be damaged, or there was not enough memory"


def first_answers(workers: list[Worker]) -> list[Worker]:
    """Those of the busy workers that have answered or ended; waits a moment where none has."""
    ready = wait([worker.connection for worker in workers if worker.connection], POLL_SECONDS)
    return [worker for worker in workers if worker.connection in ready]


def serve(connection: Connection, job: Job) -> None:
    """The worker process: does tasks until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which lets a photo be finished
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # half-written files go on the way out
    use_cores(1)

    def say(kind: str, value: Any) -> None:
        connection.send_bytes(json.dumps({kind: value}).encode())

    with suppress(EOFError, ConnectionError):  # the parent is gone
        try:
            work = job.load()
        except InstcolorError as error:
            say("broken", str(error))
            return
        while True:
            try:
                say("record", attempt(work, connection.recv()).as_json())
            except OtherSuffix as other:
                say("suffix", str(other))


@contextmanager
def _one_thread() -> Iterator[None]:
    """What is started inside uses one thread for linear algebra: these libraries look when they are loaded."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """What is started inside does not hear Ctrl-C, from its first moment on."""
    try:
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread, which is the one that is interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)
