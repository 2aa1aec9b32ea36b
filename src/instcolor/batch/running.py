"""The run over many photos: names, work, records, in the order of the photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..photo.formats import SIGNATURE_BYTES
from ..sources import Item
from .jobs import Job, OtherSuffix, Task, Work
from .names import Names
from .records import Record

Tell = Callable[[Record], None]


def run(
    job: Job,
    items: Sequence[Item],
    names: Names,
    tell: Tell,
    begin: Callable[[Item], None] = lambda item: None,
) -> None:
    """Does a job on all items; whatever one raises costs that one. `begin` and `tell` are called around each.

    Raises InstcolorError before any photo where what all of them need is missing.
    """
    work = job.load()
    for item in items:
        begin(item)
        tell(_record(job, item, names, work))


def _record(job: Job, item: Item, names: Names, work: Work) -> Record:
    try:
        item = item.at_hand()
        suffix = job.suffix(item.start(SIGNATURE_BYTES))
        try:
            return work(_task(item, suffix, names))
        except OtherSuffix as other:
            return work(_task(item, str(other), names))
    except Exception as error:  # not ours only: memory may run out, ONNX Runtime raises what it likes
        return Record.failure(str(item.path), item.label, error)


def _task(item: Item, suffix: str, names: Names) -> Task:
    return Task(item, suffix, names.claim(item, suffix) if suffix else None)
