"""The journal of a run: a line of JSON for each photo as it happens, from which a killed run goes on."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InstcolorError
from ..files import cannot_be_written
from ..sources import Item
from .records import DONE_BEFORE, Record

FIELDS = [field.name for field in fields(Record) if field.name != "file"]


class Journal:
    """Appends records to a file; knows those that an earlier run of the same job has left there.

    Args:
        path: the file, made where there is none; a last line that was torn by a kill does not count.
        facts: what tells this job from another, under the names in the file ("model", "sha256", "options").

    Raises:
        FileError: the file cannot be read or written.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self._path, self._facts = path, {**json.loads(json.dumps(facts)), "version": __version__}
        self._known: dict[str, Record] = {}
        try:
            with path.open("a+b") as file:
                file.seek(0)
                line = b"\n"
                for line in file:
                    self._read(line)
                if not line.endswith(b"\n"):
                    file.write(b"\n")
        except OSError as error:
            raise cannot_be_written(path, error) from error

    def done(self, item: Item) -> Record | None:
        """What an earlier run of this job has made of an item; None where it has not, or its result is gone."""
        known = self._known.get(str(item.path))
        if known is None or known.out is None or not os.path.exists(known.out):
            return None
        return replace(known, label=item.label, status="skipped", reason=DONE_BEFORE)

    def add(self, record: Record) -> None:
        """Appends a record, unless it says what is known already. Raises FileError where the disk refuses."""
        if record.status == "skipped" and record.file in self._known:
            return
        said = record.as_json()
        line = {"path": said.pop("file"), **said, **self._facts}
        try:
            with self._path.open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
        except OSError as error:
            raise cannot_be_written(self._path, error) from error

    def _read(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            if any(said[name] != value for name, value in self._facts.items()):
                return
            record = Record.from_json({"file": said["path"], **{name: said[name] for name in FIELDS}})
        except (ValueError, TypeError, KeyError, InstcolorError):
            return  # torn, or somebody else's
        if record.status == "failed":
            self._known.pop(record.file, None)
        else:
            self._known[record.file] = record
