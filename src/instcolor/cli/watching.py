"""How far an archive is while a run works on it: a bar on a terminal, a line now and then where there is none."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .progress import LINE_SECONDS, pace

if TYPE_CHECKING:
    from ..archive import Outcome, Plan, Progress
    from .report import Report

BAR_SECONDS = 5.0
"""Between two looks at the target where there is a terminal."""


class Watch:
    """Shows how far all runs are, keeps the metrics, and stops the own run where too much has failed.

    Args:
        metrics: a file for Prometheus, or none.
        most: so many photographs of the archive may fail; None: all.
    """

    def __init__(
        self, report: Report, plan: Plan, stop: threading.Event, *, metrics: Path | None, most: int | None
    ) -> None:
        self._report, self._plan, self._stop = report, plan, stop
        self._metrics, self._most = metrics, most
        self._known: dict[int, Outcome] = {}
        self._begin, self._failed = time.time(), 0
        self._over, self._looking, self._open = threading.Event(), threading.Lock(), ExitStack()
        self._show: Any = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._failed = self._look().failed
        if sys.stderr.isatty() and not self._report.quiet:
            self._show = self._open.enter_context(Bar(self._plan.photos))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._open.close()

    def photo(self, line: dict[str, object]) -> None:
        """A photograph is done; called by many threads."""
        if line["status"] == "failed":
            self._failed += 1  # roughly: the next look counts them
            self._check()

    def shard(self, outcome: Outcome) -> None:
        """A shard is done."""
        if self._most is not None and outcome.failed:
            self._failed = self._look().failed
            self._check()

    def keep(self, progress: Progress) -> None:
        """Writes the metrics."""
        from ..files import write_whole

        if self._metrics:
            write_whole(self._metrics, progress.as_metrics().encode(), overwrite=True)

    def _check(self) -> None:
        if self._most is not None and self._failed > self._most:
            self._stop.set()

    def _look(self) -> Progress:
        from ..archive import look

        with self._looking:
            return look(self._plan, self._known, since=self._begin)

    def _watch(self) -> None:
        from ..errors import InstcolorError

        while not self._over.wait(BAR_SECONDS if self._show else LINE_SECONDS):
            try:
                progress = self._look()
                self.keep(progress)
            except InstcolorError as error:  # the run goes on; if the target is gone it says so itself
                self._report.note(str(error))
                continue
            self._failed = progress.failed
            self._check()
            if self._show:
                self._show(progress)
            elif not self._over.is_set():
                of = f"{progress.done:,} of {progress.photos:,} photos"
                self._report.aside(f"{of}{pace(progress)}, {progress.failed:,} failed")


class Bar:
    """A bar on standard error, as a function of the progress."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichBar

        columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
        self._bar = RichBar(*columns, console=Console(file=sys.stderr), transient=True, redirect_stdout=False)
        self._place = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        self._bar.update(
            self._place, completed=progress.done, description=f"{pace(progress)}{failed}".removeprefix(", ")
        )
