"""How far a download is, on one line of the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .options import MEGA
from .report import CLEAR_LINE


@contextmanager
def progress() -> Iterator[Callable[[int, int], None] | None]:
    """What a download tells its bytes, done and in all; None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        yield _show
    finally:
        print(CLEAR_LINE, end="", file=sys.stderr, flush=True)


def _show(done: int, size: int) -> None:
    print(f"\r{done / MEGA:.1f} of {size / MEGA:.1f} MB", end="", file=sys.stderr, flush=True)
