"""A run over many photos, as commands tell of it: a line for each, how far it is, what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from .progress import progress_of

if TYPE_CHECKING:
    from ..batch import Job, Names, Record
    from ..batch.journal import Journal
    from ..sources.given import Found
    from .report import Report


def go_through(
    report: Report,
    job: Job,
    found: Found,
    names: Names,
    line: Callable[[Record], str],
    *,
    jobs: int | None = None,
    journal: Journal | None = None,
) -> list[Record]:
    """Does a job on all photos and tells of each; the records, in the order of the photos.

    `line` is what is said of a photo that is done. `jobs` are processes; None is one for each core. Ctrl-C ends the
    run; what was begun is finished. Raises InstcolorError where what all photos need is missing.
    """
    from ..batch import run
    from ..cores import core_count

    records: list[Record] = []

    def tell(record: Record) -> None:
        records.append(record)
        for note in record.notes:
            report.note(f"{record.label} {note}")
        if record.status == "failed":
            report.error(f"{record.label}: {record.reason}")
        elif record.status == "done":
            report.line(line(record))

    processes = core_count() if jobs is None else jobs
    try:
        with progress_of(report, len(found.items)) as progress:
            run(job, found.items, names, tell, happened=progress, journal=journal, processes=processes)
    except KeyboardInterrupt:
        report.interrupt()
    _tell_of_the_rest(report, records, found)
    return records


def _tell_of_the_rest(report: Report, records: list[Record], found: Found) -> None:
    """What has not been done, and need not be."""
    skipped = sum(record.status == "skipped" for record in records)
    if skipped:
        report.note(f"{skipped} of {len(found.items)} photos {'was' if skipped == 1 else 'were'} done before")
    if found.others:
        report.note(f"left out: {_listed(found.others)}")


def _listed(kinds: Counter[str]) -> str:
    """Kinds of files with their numbers, the most frequent first."""
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
