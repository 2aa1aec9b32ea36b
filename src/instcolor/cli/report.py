"""What a run tells the person: a line for each photo, notes, errors, progress; and how it ends."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from ..errors import InstcolorError

if TYPE_CHECKING:
    from ..batch import Record
    from ..objects import DetectedObject

PLURALS = {"person": "people", "knife": "knives", "mouse": "mice"}
PLURALS |= {name: name for name in ("broccoli", "scissors", "sheep", "skis")}
CLEAR_LINE = "\r\x1b[K"


class Report:
    """Lines about photos go to standard output, or to standard error where that carries the result (`aside`)."""

    def __init__(self, *, quiet: bool = False, aside: bool = False) -> None:
        self.quiet, self._aside = quiet, aside
        self.failed = 0
        self._interrupted = False
        self._show: Callable[[str, Any], None] = lambda text, stream: print(text, file=stream, flush=True)

    def line(self, text: str) -> None:
        """One photo done."""
        if not self.quiet:
            self._print(text, sys.stderr if self._aside else sys.stdout)

    def note(self, text: str) -> None:
        """Something worth knowing that is no error."""
        self.aside(f"note: {text}")

    def aside(self, text: str) -> None:
        """A line on standard error that is no error."""
        if not self.quiet:
            self._print(text, sys.stderr)

    def error(self, text: str) -> None:
        """Something that was asked for and is not done; the exit code will say so too."""
        self.failed += 1
        self._print(f"error: {text}", sys.stderr)

    def interrupt(self) -> None:
        """Ctrl-C has ended what was going on."""
        self._interrupted = True
        self._print("interrupted", sys.stderr)

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """Around what all photos need: an error there is one line and the end of the command, with exit code 1."""
        try:
            yield
        except InstcolorError as error:
            self.error(str(error))
            raise typer.Exit(1) from error

    @contextmanager
    def printing_with(self, show: Callable[[str, Any], None]) -> Iterator[None]:
        """Inside, `show` prints every line; it is given the line and its stream."""
        before, self._show = self._show, show
        try:
            yield
        finally:
            self._show = before

    def exit(self) -> None:
        """Ends the command with the exit code of what has happened."""
        raise typer.Exit(130 if self._interrupted else 1 if self.failed else 0)

    def _print(self, text: str, stream: Any) -> None:
        self._show(printable(text), stream)


def printable(text: str) -> str:
    """The text on one line, and without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_records(records: Sequence[Record], others: Mapping[str, int], *, files: bool = True) -> None:
    """What a run has done, as JSON that a boxes file may be; each photo on a line of its own.

    `{"photos": [...]}`, and where there are some `"skipped"` and `"failed"` (photos), `"left_out"` (kinds of files).
    `files`: also where results are, and how long they took.
    """
    from ..objects import to_json

    of = {status: [r for r in records if r.status == status] for status in ("done", "skipped", "failed")}
    photos = to_json(record.found for record in of["done"])["photos"]
    for record, entry in zip(of["done"], photos, strict=True):
        entry |= {"out": record.out, "seconds": record.seconds} if files else {}
        entry |= {"notes": record.notes} if record.notes else {}
        entry |= {"pages": [page.as_json() for page in record.each]} if record.each else {}
    said = {
        "photos": photos,
        "skipped": [{"file": r.file, "reason": r.reason, "out": r.out} for r in of["skipped"]],
        "failed": [{"file": r.file, "reason": r.reason} for r in of["failed"]],
    }
    parts = [f'"{name}": {_lines(entries)}' for name, entries in said.items() if entries or name == "photos"]
    parts += [f'"left_out": {json.dumps(others)}'] if others else []
    print("{" + ",\n".join(parts) + "}")


def _lines(entries: Iterable[Mapping[str, Any]]) -> str:
    return "[" + ",".join("\n  " + json.dumps(entry) for entry in entries) + "\n]"


def summary(objects: Iterable[DetectedObject]) -> str:
    """Objects in a few words, the most frequent first, then as they come: "2 people, 1 dog"."""
    counted = Counter(item.label for item in objects).most_common()
    return ", ".join(f"{n} {label if n == 1 else plural(label)}" for label, n in counted) or "no objects"


def plural(label: str) -> str:
    """The English plural of a label, as far as it follows from COCO's classes."""
    *first, last = label.split(" ")
    regular = last + ("es" if last.endswith(("s", "sh", "ch", "x")) else "s")
    return " ".join((*first, PLURALS.get(last, regular)))
