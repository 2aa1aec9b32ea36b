"""The run over many photos: names, work, records; in this process or in several, told in the order of the photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InstcolorError
from ..photo.formats import SIGNATURE_BYTES
from ..sources import Item
from .jobs import Job, OtherSuffix, Task
from .journal import Journal
from .names import Names
from .processes import Gone, Worker, attempt, first_answers
from .records import Record
from .stopping import stop_signals

Tell = Callable[[Record], None]


def run(
    job: Job,
    items: Sequence[Item],
    names: Names,
    tell: Tell,
    *,
    happened: Tell = lambda record: None,
    journal: Journal | None = None,
    processes: int = 0,
) -> None:
    """Does a job on all items; whatever one raises, and whatever it does to its process, costs that one.

    Args:
        tell: is given the records in the order of the items.
        happened: is given each record as soon as there is one.
        journal: keeps the records; what it knows to be done is skipped.
        processes: so many worker processes; 0 does the work in this one, where a crash ends the run.

    Raises:
        InstcolorError: what all photos need is missing.
        KeyboardInterrupt, SystemExit: stopped by a signal; what was begun in other processes is finished and told of.
    """
    order = _InOrder(tell)

    def finish(place: int, record: Record) -> None:
        if journal:
            journal.add(record)
        happened(record)
        order.add(place, record)

    plan = _Plan(job, items, names, journal)
    if processes and len(items) > 1:
        _in_processes(job, plan, finish, order, min(processes, len(items)))
    else:
        _here(job, plan, finish)


class _Plan:
    """What is to be done with each item, settled in their order."""

    def __init__(self, job: Job, items: Sequence[Item], names: Names, journal: Journal | None):
        self._job, self._items, self._names, self._journal = job, items, names, journal

    def steps(self) -> Iterator[tuple[int, Task | Record]]:
        """Place and task of each item; its record where there is nothing to do."""
        for place, item in enumerate(self._items):
            known = self._journal.done(item) if self._journal else None
            if known is not None:
                self._names.keep(item, Path(known.out or ""))
                yield place, known
                continue
            try:
                at_hand = item.at_hand()
                yield place, self.task(at_hand, self._job.suffix(at_hand.start(SIGNATURE_BYTES)))
            except InstcolorError as error:
                yield place, Record.failure(item, error)

    def task(self, item: Item, suffix: str) -> Task | Record:
        """A task whose result will have this suffix. Raises InstcolorError where no place for it is to be had."""
        if not suffix:
            return Task(item)
        out, done = self._names.claim(item, suffix)
        if done and out:
            return Record.done_before(item, out)
        return Task(item, suffix, out)


class _InOrder:
    """Holds records back until those before them have been told."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._held, self._next = tell, dict[int, Record](), 0

    def add(self, place: int, record: Record) -> None:
        self._held[place] = record
        while self._next in self._held:
            self._next += 1
            self._tell(self._held.pop(self._next - 1))

    def flush(self) -> None:
        """Tells what is held, whatever is missing before it."""
        for place in sorted(self._held):
            self._tell(self._held.pop(place))


Finish = Callable[[int, Record], None]


def _here(job: Job, plan: _Plan, finish: Finish) -> None:
    work = job.load()
    for place, step in plan.steps():
        while isinstance(step, Task):
            task = step
            try:
                step = attempt(work, task)
            except OtherSuffix as other:
                step = _renamed(plan, task, str(other))
        finish(place, step)


def _renamed(plan: _Plan, task: Task, suffix: str) -> Task | Record:
    try:
        return plan.task(task.item, suffix)
    except InstcolorError as error:
        return Record.failure(task.item, error)


def _in_processes(job: Job, plan: _Plan, finish: Finish, order: _InOrder, count: int) -> None:
    idle = [Worker(job) for _ in range(count)]
    busy: dict[Worker, tuple[int, Task]] = {}

    def collect() -> None:
        """Waits a moment for answers, and finishes the photos that they are about."""
        for worker in first_answers(list(busy)):
            place, task = busy.pop(worker)
            step = _answered(worker, plan, task)
            if isinstance(step, Task):
                busy[worker] = place, step
                worker.give(step)
            else:
                idle.append(worker)
                finish(place, step)

    with stop_signals() as stop:
        try:
            for place, step in plan.steps():
                while not idle:
                    collect()
                if stop.wanted:
                    break
                if isinstance(step, Record):
                    finish(place, step)
                    continue
                worker = idle.pop()
                busy[worker] = place, step
                worker.give(step)
            while busy:
                collect()
            order.flush()
        finally:
            for worker in (*idle, *busy):
                worker.end()
        stop.obey()


def _answered(worker: Worker, plan: _Plan, task: Task) -> Task | Record:
    """What follows from a worker's answer. Raises InstcolorError where workers cannot work at all."""
    try:
        said = worker.answer()
    except Gone as error:
        return Record.failure(task.item, error)
    if "broken" in said:
        raise InstcolorError(said["broken"])
    if "suffix" in said:
        return _renamed(plan, task, said["suffix"])
    try:
        record = Record.from_json(said["record"])
    except (InstcolorError, KeyError, TypeError, ValueError) as error:
        return Record.failure(task.item, Gone(f"its process talks nonsense ({error!r})"))
    return replace(record, file=str(task.item.path), label=task.item.label, out=str(task.out) if task.out else None)
