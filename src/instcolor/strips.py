"""Pictures in strips of whole rows, so that what is needed on the way stays small whatever the size of the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from .cores import core_count

CACHED_PIXELS = 1 << 17
"""Pixels of a strip whose temporaries stay in the cache that the cores share. Smaller ones fit nearer caches and lose
more to the calls that every strip takes: 1 << 15 took 1.3 times the CPU seconds of Lab to 8-bit sRGB."""


def strips(shape: tuple[int, ...], pixels: int) -> Iterator[slice]:
    """Slices of rows that cover a picture of (height, width, ...), about `pixels` each, all but the last alike."""
    height, width = shape[:2]
    rows = max(1, pixels // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def each_strip(work: Callable[[slice], None], shape: tuple[int, ...]) -> None:
    """Calls `work` with strips of `CACHED_PIXELS`, on all cores where it pays."""
    pieces = list(strips(shape, CACHED_PIXELS))
    workers = min(core_count(), len(pieces))
    if workers < 2:
        for rows in pieces:
            work(rows)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, pieces))
