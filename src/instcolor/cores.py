"""The processor as this process has it."""

from __future__ import annotations

import os

_given: int | None = None


def core_count() -> int:
    """The cores that this process may use."""
    if _given is not None:
        return _given
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def given_cores() -> int | None:
    """The cores that `use_cores` has given this process; None where nobody has."""
    return _given


def use_cores(count: int) -> None:
    """Has this process use so many cores from now on, because others use the rest."""
    global _given
    _given = count
