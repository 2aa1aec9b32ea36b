"""The journal: a line for each photo, from which a run goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instcolor import __version__
from instcolor.batch import Names, Record, run
from instcolor.batch.journal import Journal
from instcolor.errors import FileError
from support.jobs import Copying, photos

FACTS: dict[str, Any] = Copying().facts()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def again(folder: Path, journal: Path, facts: dict[str, Any] = FACTS, **options: Any) -> list[str]:
    """Copies what lies in a folder; what is done and what is not, told by its first letter."""
    items = photos(folder, "a.png", "bad.png", "c.png")
    told: list[Record] = []
    names = Names(items, str(folder / "out"), **options)
    run(Copying(), items, names, told.append, journal=Journal(journal, facts))
    return [f"{Path(record.file).stem} {record.status}" for record in told]


def test_every_photo_has_a_line_with_all_that_is_known(tmp_path: Path) -> None:
    assert again(tmp_path / "in", tmp_path / "j") == ["a done", "bad failed", "c done"]
    first, bad, _ = lines(tmp_path / "j")
    assert first["path"] == str(tmp_path / "in" / "a.png")
    assert (first["status"], first["out"], first["pages"]) == ("done", str(tmp_path / "in" / "out" / "a.png"), 1)
    assert (first["model"], first["sha256"], first["options"]) == ("copy", {}, {"fault": ""})
    assert first["version"] == __version__
    assert {"size", "objects", "seconds", "reason", "notes"} <= set(first)
    assert (bad["status"], bad["reason"], bad["out"]) == ("failed", "ZeroDivisionError", None)


def test_a_run_goes_on_from_its_journal_and_tries_again_what_had_failed(tmp_path: Path) -> None:
    folder, journal = tmp_path / "in", tmp_path / "j"
    again(folder, journal)
    whole = journal.read_bytes()
    first = whole.splitlines(keepends=True)[0]
    journal.write_bytes(first + whole[len(first) :][:40])  # killed while it wrote
    assert again(folder, journal, overwrite=True) == ["a skipped", "bad failed", "c done"]
    assert again(folder, journal, overwrite=True) == ["a skipped", "bad failed", "c skipped"]
    torn = [line for line in journal.read_text().splitlines() if not line.endswith("}")]
    assert len(torn) == 1
    assert len(journal.read_text().splitlines()) == 5  # nothing is said twice of what was done


def test_another_job_and_a_result_that_is_gone_are_done_again(tmp_path: Path) -> None:
    folder, journal = tmp_path / "in", tmp_path / "j"
    again(folder, journal)
    (folder / "out" / "a.png").unlink()
    assert again(folder, journal, overwrite=True) == ["a done", "bad failed", "c skipped"]
    other = {**FACTS, "options": {"style": "vivid"}}
    assert again(folder, journal, other, overwrite=True) == ["a done", "bad failed", "c done"]


def test_a_journal_that_cannot_be_kept_is_one_line_before_any_photo(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no/j: cannot be written \(No such file"):
        again(tmp_path / "in", tmp_path / "no" / "j")
    assert not (tmp_path / "in" / "out").exists()


def test_what_is_no_journal_does_no_harm(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    odd = b'\xff\n[]\n{"path": 3}\nnull\n{"path": "x", "status": "done", "model": "copy"}'
    journal.write_bytes(odd)
    assert again(tmp_path / "in", journal) == ["a done", "bad failed", "c done"]
    assert journal.read_bytes().startswith(odd + b"\n")
