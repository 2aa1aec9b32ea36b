"""What a run tells the person: a line for each photo, notes, errors, progress; and how it ends."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from ..errors import InstcolorError, PhotoError
from ..objects import DetectedObject
from .inputs import Item

T = TypeVar("T")
LONGEST_REASON = 300  # characters of an error that is not ours
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

    def run(self, items: Sequence[Item], work: Callable[[Item], tuple[T, str]]) -> list[T]:
        """Does the work on every item and prints the line that it gives; the results of those that did not fail.

        Whatever an item raises costs a line and that item. Ctrl-C ends the run; what is done is done.
        """
        done = []
        try:
            for number, item in enumerate(items, 1):
                self._show_progress(f"{number}/{len(items)} {item.name}")
                try:
                    result, line = work(item)
                except Exception as error:  # not ours only: memory may run out, ONNX Runtime raises what it likes
                    self.error(_one_line(item.name, error))
                    continue
                done.append(result)
                self.line(line)
        except KeyboardInterrupt:
            self.interrupted = True
            self._print("interrupted", sys.stderr)
        self._clear_progress()
        return done

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

    def _show_progress(self, text: str) -> None:
        if self._shows_progress:
            self._clear_progress()
            columns = shutil.get_terminal_size().columns  # a line that wraps could not be cleared
            print(printable(text)[: columns - 1], end="", file=sys.stderr, flush=True)
            self._progress = True

    def _clear_progress(self) -> None:
        if self._progress:
            print(CLEAR_LINE, end="", file=sys.stderr, flush=True)
            self._progress = False


def printable(text: str) -> str:
    """The text on one line, and without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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


def _one_line(name: str, error: Exception) -> str:
    """Name of the photo and reason; the errors of this package give the name themselves where they know it."""
    text = " ".join(str(error).split()).removeprefix("<bytes>: ")
    if isinstance(error, PhotoError) and text.startswith(f"{name}: "):
        return text
    if isinstance(error, MemoryError):
        text = f"there is not enough memory{text and f' ({text})'}"
    elif not isinstance(error, InstcolorError):
        text = f"{type(error).__name__}: {text[:LONGEST_REASON]}" if text else type(error).__name__
    return f"{name}: {text}"
