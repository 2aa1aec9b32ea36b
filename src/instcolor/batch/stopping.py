"""Signals that stop a run: the first lets what was begun be finished, the second ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Stop:
    """Which signal has come, if any."""

    def __init__(self) -> None:
        self.wanted: int | None = None
        self.tells: Callable[[], None] = lambda: None
        """Called when a signal comes."""
        self._before: dict[int, Any] = {}

    def listen(self) -> None:
        """Hears SIGINT and SIGTERM from now on, unless they are ignored; in another than the main thread nothing."""
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError):  # not the main thread, which is the one that hears signals
                before = signal.getsignal(number)
                if before != signal.SIG_IGN:
                    signal.signal(number, self._hear)
                    self._before[number] = before

    def restore(self) -> None:
        """Gives the signals back to what heard them before."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}

    def obey(self) -> None:
        """Does what the signal would have done at once. Raises KeyboardInterrupt or SystemExit."""
        if self.wanted == signal.SIGINT:
            raise KeyboardInterrupt
        if self.wanted:
            raise SystemExit(128 + self.wanted)

    def _hear(self, number: int, frame: object) -> None:
        self.wanted = number
        self.tells()
        self.restore()


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Inside, the first Ctrl-C or SIGTERM is only noted, because an exception between two steps would lose a photo."""
    stop = Stop()
    stop.listen()
    try:
        yield stop
    finally:
        stop.restore()
