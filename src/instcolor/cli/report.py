"""What a run tells the person: a line for each photo, notes, errors, progress; and how it ends."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InstcolorError

if TYPE_CHECKING:
    from ..batch import Record
    from ..objects import DetectedObject
    from ..sources import Item

PLURALS = {"person": "people", "knife": "knives", "mouse": "mice"}
PLURALS |= {name: name for name in ("broccoli", "scissors", "sheep", "skis")}
CLEAR_LINE = "\r\x1b[K"


class Report:
    """Lines about photos go to standard output, or to standard error where that carries the result (`aside`)."""

    def __init__(self, *, quiet: bool = False, aside: bool = False) -> None:
        self.quiet, self.aside = quiet, aside
        self.failed = 0
        self.interrupted = False
        self._shows_progress = sys.stderr.isatty() and not quiet
        self._progress = False

    def line(self, text: str) -> None:
        """One photo done."""
        if not self.quiet:
            self._print(text, sys.stderr if self.aside else sys.stdout)

    def note(self, text: str) -> None:
        """Something worth knowing that is no error."""
        if not self.quiet:
            self._print(f"note: {text}", sys.stderr)

    def error(self, text: str) -> None:
        """Something that was asked for and is not done; the exit code will say so too."""
        self.failed += 1
        self._print(f"error: {text}", sys.stderr)

    @contextmanager
    def running(self, line: Callable[[Record], str], total: int) -> Iterator[Told]:
        """Around a run over `total` photos, which tells of each. Ctrl-C ends the run; what is done is done.

        An error that is not about one photo is one line and the end of the command, as in `setting_up`.
        """
        try:
            with self.setting_up():
                yield Told(self, line, total)
        except KeyboardInterrupt:
            self.interrupted = True
            self._print("interrupted", sys.stderr)
        finally:
            self._clear_progress()

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """Around what all photos need: an error there is one line and the end of the command, with exit code 1."""
        try:
            yield
        except InstcolorError as error:
            self.error(str(error))
            raise typer.Exit(1) from error

    def exit(self) -> None:
        """Ends the command with the exit code of what has happened."""
        raise typer.Exit(130 if self.interrupted else 1 if self.failed else 0)

    def _print(self, text: str, stream: Any) -> None:
        self._clear_progress()
        print(printable(text), file=stream, flush=True)

    def show_progress(self, text: str) -> None:
        """How far a run is, on one line of the terminal."""
        if self._shows_progress:
            self._clear_progress()
            columns = shutil.get_terminal_size().columns  # a line that wraps could not be cleared
            print(printable(text)[: columns - 1], end="", file=sys.stderr, flush=True)
            self._progress = True

    def _clear_progress(self) -> None:
        if self._progress:
            print(CLEAR_LINE, end="", file=sys.stderr, flush=True)
            self._progress = False


class Told:
    """What has been told of a run."""

    def __init__(self, report: Report, line: Callable[[Record], str], total: int) -> None:
        self.records: list[Record] = []
        self._report, self._line, self._total = report, line, total
        self._begun = 0

    def begin(self, item: Item) -> None:
        """A photo is about to be done."""
        self._begun += 1
        self._report.show_progress(f"{self._begun}/{self._total} {item.label}")

    def tell(self, record: Record) -> None:
        """A photo is done, or has failed."""
        self.records.append(record)
        for note in record.notes:
            self._report.note(f"{record.label} {note}")
        if record.status == "failed":
            self._report.error(f"{record.label}: {record.reason}")
        else:
            self._report.line(self._line(record))


def printable(text: str) -> str:
    """The text on one line, and without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_records(records: Iterable[Record]) -> None:
    """What a run has done, as JSON that a boxes file may be."""
    from ..objects import to_json

    done = [record for record in records if record.status == "done"]
    entries = to_json(record.found for record in done)["photos"]
    for record, entry in zip(done, entries, strict=True):
        entry |= {"out": record.out, "seconds": record.seconds}
    print_photos(entries)


def print_photos(photos: Iterable[Mapping[str, Any]]) -> None:
    """`{"photos": [...]}`, each photo on a line of its own."""
    lines = ",".join("\n  " + json.dumps(photo) for photo in photos)
    print(f'{{"photos": [{lines}\n]}}')


def summary(objects: Iterable[DetectedObject]) -> str:
    """Objects in a few words, the most frequent first, then as they come: "2 people, 1 dog"."""
    counted = Counter(item.label for item in objects).most_common()
    return ", ".join(f"{n} {label if n == 1 else plural(label)}" for label, n in counted) or "no objects"


def plural(label: str) -> str:
    """The English plural of a label, as far as it follows from COCO's classes."""
    *first, last = label.split(" ")
    regular = last + ("es" if last.endswith(("s", "sh", "ch", "x")) else "s")
    return " ".join((*first, PLURALS.get(last, regular)))
