"""How far a run is: a bar on a terminal, a line now and then where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..archive import Progress
    from ..batch import Record
    from ..video import Progress as FilmProgress
    from .report import Report

LINE_SECONDS = 30.0
"""Between two lines where there is no terminal."""
TERMINAL_SECONDS = 0.5
"""Between two looks on a terminal."""
Happened = Callable[["Record"], None]


@contextmanager
def progress_of(report: Report, total: int) -> Iterator[Happened]:
    """A function that is called with each record as soon as there is one; shows how far the run is on standard error.

    A run of one photo shows nothing, nor does a quiet one.
    """
    if report.quiet or total < 2:
        yield lambda record: None
    elif sys.stderr.isatty():
        with _bar(report, total) as happened:
            yield happened
    else:
        yield _lines(report, total)


@contextmanager
def _bar(report: Report, total: int) -> Iterator[Happened]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        """Photos a minute."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed * 60:.0f} photos a minute" if task.speed else "", style="progress.data.speed")

    console = Console(file=sys.stderr)
    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(elapsed_when_finished=True))
    bar = Bar(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    place = bar.add_task("", total=total)

    def show(text: str, stream: Any) -> None:
        """Above the bar where a line goes to the same terminal."""
        if stream.isatty():
            console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=stream, flush=True)

    with bar, report.printing_with(show):
        yield lambda record: bar.advance(place, record.status != "skipped")


def _lines(report: Report, total: int) -> Happened:
    begin = last = time.monotonic()
    done = skipped = 0

    def happened(record: Record) -> None:
        nonlocal last, done, skipped
        done += 1
        skipped += record.status == "skipped"
        now = time.monotonic()
        if now - last < LINE_SECONDS or done == total:
            return
        last = now
        rate = (done - skipped) / max(now - begin, 1e-9)
        left = f", {duration((total - done) / rate)} left" if rate else ""
        report.aside(f"{done} of {total} photos, {rate * 60:.0f} a minute{left}")

    return happened


@contextmanager
def frames_of(report: Report) -> Iterator[Callable[[FilmProgress], None]]:
    """A function that shows how far a film is: often on a terminal, now and then where there is none."""
    from .report import CLEAR_LINE

    if report.quiet:
        yield lambda progress: None
        return
    terminal = sys.stderr.isatty()
    following = time.monotonic() + (0 if terminal else LINE_SECONDS)

    def show(progress: FilmProgress) -> None:
        nonlocal following
        if time.monotonic() < following and progress.done < progress.total:
            return
        following = time.monotonic() + (TERMINAL_SECONDS if terminal else LINE_SECONDS)
        left = duration(progress.seconds_left)
        text = f"{progress.done} of {progress.total} frames, {progress.a_second:.1f} a second, {left} left"
        if terminal:
            print(f"{CLEAR_LINE}{text}", end="", file=sys.stderr, flush=True)
        elif progress.done < progress.total:
            report.aside(text)

    try:
        yield show
    finally:
        if terminal:
            print(CLEAR_LINE, end="", file=sys.stderr, flush=True)


def pace(progress: Progress) -> str:
    """Rate and time left of an archive, behind what is done; nothing where no run is at work or nothing is left."""
    if not progress.seconds_left:
        return ""
    return f", {progress.a_second * 60:,.0f} a minute, {duration(progress.seconds_left)} left"


def duration(seconds: float) -> str:
    """Seconds as a person says them: "40 s", "12 min", "3 h 5 min", "9 days"."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{minutes // 60} h {minutes % 60} min" if hours < 48 else f"{round(hours / 24)} days"
