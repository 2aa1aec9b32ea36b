"""Many photos: in one process or several, told in order, and what one photo's fault costs."""

from __future__ import annotations

import json
import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from instcolor.batch import Colorizing, Names, Record, run
from instcolor.batch.processes import Worker
from instcolor.errors import InstcolorError
from instcolor.objects import DetectedObject
from instcolor.sources import Item
from support.jobs import Copying, photos

Told = tuple[list[Record], list[Record]]


@pytest.fixture(params=[0, 2], ids=["here", "processes"])
def copied(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[list[Item]], Told]:
    """Copies photos into `out`; the records in the order in which they were told, and in which they happened."""

    def copy(items: list[Item]) -> Told:
        told, happened = list[Record](), list[Record]()
        names = Names(items, str(tmp_path / "out"))
        run(Copying(), items, names, told.append, happened=happened.append, processes=request.param)
        return told, happened

    return copy


def test_records_come_in_order_and_a_fault_costs_one_photo(tmp_path: Path, copied: Callable[..., Told]) -> None:
    told, _ = copied(photos(tmp_path / "in", "b.png", "bad.png", "a.png", "odd.png", "slow.png", "c.png"))
    assert [(Path(r.file).name, r.status, r.reason) for r in told] == [
        ("b.png", "done", ""),
        ("bad.png", "failed", "ZeroDivisionError"),
        ("a.png", "done", ""),
        ("odd.png", "done", ""),
        ("slow.png", "done", ""),
        ("c.png", "done", ""),
    ]
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["a.png", "b.png", "c.png", "odd.tif", "slow.png"]


def test_a_photo_that_ends_its_process_costs_itself(tmp_path: Path) -> None:
    items = photos(tmp_path, "a.png", "deadly.png", "deadly-too.png", "b.png", "c.png")
    told: list[Record] = []
    run(Copying(), items, Names(items, str(tmp_path / "out")), told.append, processes=2)
    assert [record.status for record in told] == ["done", "failed", "failed", "done", "done"]
    assert told[1].reason.startswith("its process was ended by SIGKILL")


def test_a_slow_photo_holds_back_what_is_told_and_not_what_is_done(tmp_path: Path) -> None:
    items = photos(tmp_path, "wait.png", "a.png", "b.png")
    told, happened = list[Record](), list[Record]()

    def let_go(record: Record) -> None:
        happened.append(record)
        if len(happened) == 2:
            (tmp_path / "go").touch()

    run(Copying(), items, Names(items, str(tmp_path / "out")), told.append, happened=let_go, processes=2)
    assert [record.label for record in happened] == [item.label for item in (*items[1:], items[0])]
    assert [record.label for record in told] == [item.label for item in items]


def test_processes_have_one_core_each(tmp_path: Path) -> None:
    items = photos(tmp_path, "slow-1.png", "slow-2.png", "slow-3.png")
    told: list[Record] = []
    run(Copying(), items, Names(items, str(tmp_path / "out")), told.append, processes=2)
    notes = [record.notes[0] for record in told]
    assert all(note.endswith("with 1 cores") for note in notes)
    assert len(set(notes)) == 2
    assert str(os.getpid()) not in " ".join(notes)


def unheard(record: Record) -> None:
    pytest.fail(f"{record} came of a job that cannot begin")


@pytest.mark.parametrize("processes", [0, 2])
def test_a_job_that_cannot_begin_raises_before_any_photo(tmp_path: Path, processes: int) -> None:
    items = photos(tmp_path, "a.png", "b.png")
    with pytest.raises(InstcolorError, match="no ink"):
        run(Copying("no ink"), items, Names(items, None), unheard, processes=processes)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["SIGINT", "SIGTERM"]
)
def test_a_stopped_run_finishes_what_was_begun(
    tmp_path: Path, number: signal.Signals, error: type[BaseException]
) -> None:
    before = signal.signal(number, signal.default_int_handler)  # who runs the tests may have had it ignored
    items = photos(tmp_path, "wait-1.png", "a.png", "wait-2.png", "b.png")
    told: list[Record] = []

    def interrupt(record: Record) -> None:
        if record.label.endswith("a.png"):
            (tmp_path / "go").touch()
            signal.raise_signal(number)

    try:
        with pytest.raises(error):
            run(Copying(), items, Names(items, str(tmp_path / "out")), told.append, happened=interrupt, processes=2)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert [Path(record.file).name for record in told] == ["wait-1.png", "a.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "wait-1.png"]


def test_what_a_process_says_is_not_believed_blindly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = photos(tmp_path, "a.png", "b.png", "c.png")
    forged = {**Record("/etc/passwd", "x", out="/etc/shadow").as_json(), "size": None}
    answers = iter(({"record": {"file": 7}}, {"record": forged}, {}))
    monkeypatch.setattr(Worker, "answer", lambda self: next(answers))
    told: list[Record] = []
    run(Copying(), items, Names(items, str(tmp_path / "out")), told.append, processes=1)
    assert [(record.file, record.status) for record in told] == [
        (str(items[0].path), "failed"),
        (str(items[1].path), "done"),
        (str(items[2].path), "failed"),
    ]
    assert told[1].out == str(tmp_path / "out" / "b.png")


def test_a_record_comes_back_from_json() -> None:
    found = (DetectedObject((1.0, 2.0, 3.0, 4.0), "dog", 0.5),)
    record = Record("a.jpg", "a.jpg", size=(48, 32), objects=found, notes=("is old",), out="b.jpg", seconds=0.5)
    assert Record.from_json(json.loads(json.dumps(record.as_json()))) == record


def test_a_job_says_what_it_needs_to_be_done_elsewhere() -> None:
    job = Colorizing(style="vivid", boxes=Path("boxes.json"))
    assert pickle.loads(pickle.dumps(job)) == job
    assert job.facts()["options"]["style"] == "vivid"
    assert set(job.facts()["sha256"]) == {"photo.onnx", "objects.onnx"}
