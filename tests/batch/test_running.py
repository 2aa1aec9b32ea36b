"""Many photos: a job of a kind of its own, its records, and what one photo's fault costs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from instcolor.batch import Colorizing, Names, Record, Task, Work, run
from instcolor.batch.jobs import OtherSuffix
from instcolor.errors import InstcolorError
from instcolor.objects import DetectedObject
from instcolor.sources import FileItem, Item
from support.command_line import PNG, put


@dataclass(frozen=True)
class Copying:
    """Copies photos; those called bad fail, those called odd turn out to be of another format."""

    fault: str = ""

    def suffix(self, start: bytes) -> str:
        return ".png" if start else ""

    def load(self) -> Work:
        if self.fault:
            raise InstcolorError(self.fault)

        def work(task: Task) -> Record:
            if "bad" in task.item.name:
                raise ZeroDivisionError
            if "odd" in task.item.name and task.suffix != ".tif":
                raise OtherSuffix(".tif")
            assert task.out is not None
            task.out.write_bytes(task.item.read())
            return Record(str(task.item.path), task.item.label, out=str(task.out))

        return work


def photos(folder: Path, *names: str) -> list[Item]:
    for name in names:
        put(folder / name, PNG)
    return [FileItem(folder, name) for name in names]


def test_records_come_in_order_and_a_fault_costs_one_photo(tmp_path: Path) -> None:
    items = photos(tmp_path / "in", "b.png", "bad.png", "a.png", "odd.png")
    records: list[Record] = []
    run(Copying(), items, Names(items, str(tmp_path / "out")), records.append)
    assert [(Path(r.file).name, r.status, r.reason) for r in records] == [
        ("b.png", "done", ""),
        ("bad.png", "failed", "ZeroDivisionError"),
        ("a.png", "done", ""),
        ("odd.png", "done", ""),
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "odd.tif"]


def test_a_job_that_cannot_begin_raises_before_any_photo(tmp_path: Path) -> None:
    items = photos(tmp_path, "a.png")
    with pytest.raises(InstcolorError, match="no ink"):
        run(Copying("no ink"), items, Names(items, None), pytest.fail)


def test_a_record_comes_back_from_json() -> None:
    found = (DetectedObject((1.0, 2.0, 3.0, 4.0), "dog", 0.5),)
    record = Record("a.jpg", "a.jpg", size=(48, 32), objects=found, notes=("is old",), out="b.jpg", seconds=0.5)
    assert Record.from_json(json.loads(json.dumps(record.as_json()))) == record


def test_a_job_says_what_it_needs_to_be_done_elsewhere() -> None:
    import pickle

    job = Colorizing(style="vivid", boxes=Path("boxes.json"))
    assert pickle.loads(pickle.dumps(job)) == job
