"""What an archive may be made of, and stores that fail now and then."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from instcolor.archive import Local, Outcome, Plan, Store, carry_out, do_shard, look, planned
from instcolor.archive.claims import Claim
from instcolor.batch import Colorizing
from instcolor.batch.processes import Worker
from instcolor.errors import FileError, InstcolorError
from instcolor.sources import remote
from support.archives import packed
from support.command_line import PNG, put
from support.jobs import Copying

JOB = Colorizing(detector="none", faces=False)
NAMES = ("abbey/1.png", "beach/1.png", "beach/deep/2.png")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        put(tmp_path / "tree" / name, PNG + bytes([number]))
    return tmp_path / "tree"


def copied(source: str, target: Store, size: int = 2) -> Plan:
    """A plan whose photos are copied."""
    return Plan(**{**vars(planned(source, target, JOB, size=size)), "job": Copying()})


def done(plan: Plan) -> list[Outcome]:
    outcomes: list[Outcome] = []
    carry_out(Local(1), plan, range(plan.shards), Event(), outcomes.append)
    return outcomes


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_zip_or_tar_file_is_an_archive_like_its_tree(tree: Path, tmp_path: Path, kind: str) -> None:
    target = Store(str(tmp_path / "out"))
    done(copied(str(packed(tree, kind)), target))
    assert {name: target.get(name) for name in NAMES} == {name: (tree / name).read_bytes() for name in NAMES}


def test_a_zip_file_behind_an_address_is_one_too(tree: Path, tmp_path: Path) -> None:
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.put("photos.zip", packed(tree, "zip").read_bytes())
    target = Store(str(tmp_path / "out"))
    done(copied(f"zip://::{store.address}/photos.zip", target))
    assert [target.get(name) for name in NAMES] == [(tree / name).read_bytes() for name in NAMES]


def test_a_coco_list_is_an_archive_of_its_images(tree: Path, tmp_path: Path) -> None:
    images = [{"id": i, "file_name": name, "width": 1, "height": 1} for i, name in enumerate(NAMES[:2])]
    path = put(tree / "list.json", json.dumps({"images": images, "annotations": [], "categories": []}).encode())
    target = Store(str(tmp_path / "out"))
    plan = copied(str(path), target)
    done(plan)
    assert (plan.photos, target.get(NAMES[0]), target.get(NAMES[2])) == (2, (tree / NAMES[0]).read_bytes(), None)


def test_a_compressed_tar_file_is_refused_with_what_to_do(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(InstcolorError, match="can only be read from its start.*; unpack it"):
        planned(str(packed(tree, "tar.gz")), Store(str(tmp_path / "out")), JOB)


def test_what_is_missing_from_a_damaged_tar_file_is_an_error_of_the_archive(tree: Path, tmp_path: Path) -> None:
    path = packed(tree, "tar")
    data = path.read_bytes()
    path.write_bytes(data[:3584] + b"x" * 600)  # into a header
    plan = copied(str(path), Store(str(tmp_path / "out")))
    done(plan)
    assert look(plan).kinds == {"PhotoError": 1}


def test_a_member_that_leads_out_of_the_target_is_written_inside(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../evil.png", PNG)
    plan = copied(str(tmp_path / "evil.zip"), Store(str(tmp_path / "deep/deeper/out")))
    done(plan)
    assert (tmp_path / "deep/deeper/out/evil.png").read_bytes() == PNG
    assert not (tmp_path / "deep/evil.png").exists()


@pytest.fixture
def shaky(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the next calls to stores in memory fail: each name of a call once more for every entry."""
    from fsspec.implementations.memory import MemoryFileSystem

    left = [0]
    for name in ("pipe_file", "cat_file", "exists", "ls", "open", "rm_file"):
        real = getattr(MemoryFileSystem, name)

        def call(self: Any, *given: Any, real: Any = real, **named: Any) -> Any:
            if left[0]:
                left[0] -= 1
                raise ConnectionResetError(104, "Connection reset by peer")
            return real(self, *given, **named)

        monkeypatch.setattr(MemoryFileSystem, name, call)
    monkeypatch.setattr(remote, "WAITS", (0.0, 0.0))
    return left


def test_a_hiccup_of_the_store_costs_nothing(tree: Path, shaky: list[int]) -> None:
    target = Store(f"memory://{uuid.uuid4().hex}")
    plan = copied(str(tree), target, size=3)
    worker = Worker(plan.job)

    def fail_twice(line: dict[str, Any]) -> None:
        shaky[0] = 2

    outcome = do_shard(plan, 0, worker, Event(), fail_twice)
    worker.end()
    assert outcome
    assert (outcome.photos, outcome.failed) == (3, 0)
    assert shaky == [0]


def test_a_store_that_stays_away_is_one_line(shaky: list[int]) -> None:
    target = Store(f"memory://{uuid.uuid4().hex}")
    shaky[0] = 99
    with pytest.raises(FileError, match="Connection reset by peer"):
        target.get("a")


def test_a_claim_whose_answer_was_lost_is_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    real, lost = MemoryFileSystem.pipe_file, [True]

    def pipe(self: Any, *given: Any, **named: Any) -> None:
        real(self, *given, **named)
        if lost:
            lost.clear()
            raise ConnectionResetError

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", pipe)
    monkeypatch.setattr(remote, "WAITS", (0.0,))
    target = Store(f"memory://{uuid.uuid4().hex}")
    assert target.create("a", b"mine") is True
    assert target.create("a", b"theirs") is False


def test_a_new_plan_is_refused_while_a_run_is_at_work(tree: Path, tmp_path: Path) -> None:
    target = Store(str(tmp_path / "out"))
    plan = copied(str(tree), target)
    claim = Claim.made(target, 1)
    assert claim
    with pytest.raises(InstcolorError, match="a run is at work .process"):
        planned(str(tree), target, JOB, new=True)
    assert plan.is_current()
    claim.release()
    planned(str(tree), target, JOB, new=True)
    worker = Worker(plan.job)
    with pytest.raises(InstcolorError, match="planned anew"):  # a run that still has the plan before
        do_shard(plan, 0, worker, Event())
    worker.end()


def test_a_shard_that_another_run_has_just_finished_is_not_done_again(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Store(str(tmp_path / "out"))
    plan = copied(str(tree), target)
    real, worker = Claim.made, Worker(plan.job)

    def late(target: Store, shard: int) -> Claim | None:
        monkeypatch.setattr(Claim, "made", real)
        assert do_shard(plan, shard, worker, Event())
        target.put(NAMES[0], b"as it was")
        return real(target, shard)

    monkeypatch.setattr(Claim, "made", late)
    outcome = do_shard(plan, 0, worker, Event())
    worker.end()
    assert outcome
    assert outcome.photos == 2
    assert target.get(NAMES[0]) == b"as it was"


def test_rate_and_time_left_are_those_of_the_last_minutes(tree: Path, tmp_path: Path) -> None:
    plan = copied(str(tree), Store(str(tmp_path / "out")), size=1)
    now = time.time()
    said = [Outcome(0, 1, times=(now - 9000, now - 8000)), Outcome(1, 1, times=(now - 60, now))]
    plan.target.put(".instcolor/done/00000.json", json.dumps(vars(said[0])).encode())
    progress = look(plan)
    assert (progress.done, progress.a_second, progress.seconds_left) == (1, 0.0, None)
    known = {0: said[0]}
    plan.target.put(".instcolor/done/00001.json", json.dumps(vars(said[1])).encode())
    progress = look(plan, known)
    assert progress.a_second == pytest.approx(1 / 600, rel=0.1)
    assert progress.seconds_left == pytest.approx(600, rel=0.1)
    assert set(known) == {0, 1}
    assert look(plan, since=now - 60).a_second == pytest.approx(1 / 60, rel=0.1)
    assert "instcolor_archive_photos_per_second 0.001" in progress.as_metrics()
