"""Archives: plans, shards, claims, kills, on a folder, in memory and on a server that speaks S3; here and on Ray."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from instcolor.archive import Local, Outcome, Plan, Store, carry_out, do_shard, failures, look, planned, retry
from instcolor.archive.claims import STALE_SECONDS, Claim
from instcolor.archive.planning import JOB
from instcolor.batch import Colorizing
from instcolor.batch.processes import Worker
from instcolor.errors import InstcolorError
from support import stand_in
from support.command_line import JPEG, PNG, files, put
from support.jobs import Copying

GO = threading.Event()
JOB_OF_TESTS = Colorizing(model=stand_in.NAME, detector="none", faces=False)


@pytest.fixture(autouse=True)
def models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("models")
    stand_in.write_model(folder)
    monkeypatch.setenv("INSTCOLOR_MODELS", str(folder))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of a server on this machine."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        s3fs.S3FileSystem(skip_instance_cache=True).mkdir("archive")
        yield "s3://archive"
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty place for results."""
    if request.param == "folder":
        return Store(str(tmp_path / "out"))
    base = "memory:/" if request.param == "memory" else request.getfixturevalue("s3")
    return Store(f"{base}/{uuid.uuid4().hex}")


def source(folder: Path, *names: str) -> str:
    for name in names:
        put(folder / name, PNG)
    return str(folder)


def copying(plan: Plan) -> Plan:
    """The same plan with copying in the place of coloring, which is told by names what to do."""
    return replace(plan, job=Copying())  # type: ignore[arg-type]


def done(plan: Plan, *, workers: int = 1, stop: threading.Event = GO) -> list[Outcome]:
    outcomes: list[Outcome] = []
    carry_out(Local(workers), plan, range(plan.shards), stop, outcomes.append)
    return outcomes


def lines(plan: Plan) -> list[dict[str, Any]]:
    found = plan.target.all(".instcolor/lines")
    return [json.loads(line) for name in sorted(found) for line in found[name].splitlines()]


def test_every_photo_is_done_once_and_has_a_line(tmp_path: Path, target: Store) -> None:
    plan = planned(
        source(tmp_path / "in", "b.png", "a/c.png", "bad.png", "odd.png", "deadly.png"), target, JOB_OF_TESTS, size=2
    )
    assert (plan.photos, plan.shards) == (5, 3)
    done(copying(plan), workers=2)
    said = {line["path"]: line for line in lines(plan)}
    assert {name: (line["status"], line["kind"], line.get("out")) for name, line in said.items()} == {
        "a/c.png": ("done", "", "a/c.png"),
        "b.png": ("done", "", "b.png"),
        "bad.png": ("failed", "ZeroDivisionError", None),
        "deadly.png": ("failed", "crash", None),
        "odd.png": ("done", "", "odd.png.tif"),
    }
    assert target.get("a/c.png") == target.get("odd.png.tif") == PNG
    progress = look(plan)
    assert (progress.done, progress.failed, progress.is_finished) == (5, 2, True)
    assert progress.kinds == {"ZeroDivisionError": 1, "crash": 1}
    assert [line["path"] for line in failures(plan)] == ["bad.png", "deadly.png"]
    assert target.all(".instcolor/parts") == {}


def test_what_failed_is_tried_again_alone(tmp_path: Path, target: Store) -> None:
    plan = planned(source(tmp_path / "in", "a.png", "bad.png"), target, JOB_OF_TESTS)
    done(copying(plan))
    target.put("a.png", b"as it was")
    assert retry(plan) == 1
    assert look(plan).is_finished is False
    done(replace(copying(plan), source=source(tmp_path / "mended", "a.png", "bad.png")))
    assert target.get("a.png") == b"as it was"
    assert look(plan).failed == 1


@pytest.mark.parametrize("torn", [b"", b'{"path": "b.p'])
def test_a_broken_shard_goes_on_where_it_was(tmp_path: Path, target: Store, torn: bytes) -> None:
    plan = copying(planned(source(tmp_path / "in", "a.png", "b.png", "c.png"), target, JOB_OF_TESTS))
    stop, worker = threading.Event(), Worker(plan.job)
    assert do_shard(plan, 0, worker, stop, lambda line: stop.set()) is None
    worker.end()
    target.append(".instcolor/parts/00000.jsonl", torn)
    target.put("a.png", b"as it was")
    assert look(plan).done == 1
    assert [outcome.photos for outcome in done(plan)] == [3]
    assert target.get("a.png") == b"as it was"  # not done again
    assert target.get("b.png") == target.get("c.png") == PNG
    assert [line["path"] for line in lines(plan)] == ["a.png", "b.png", "c.png"]


def test_of_two_runs_one_has_a_shard(tmp_path: Path, target: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = copying(planned(source(tmp_path / "in", "a.png"), target, JOB_OF_TESTS))
    claim = Claim.made(target, 0)
    assert claim
    assert Claim.made(target, 0) is None
    worker = Worker(plan.job)
    assert do_shard(plan, 0, worker, GO) is None
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + STALE_SECONDS + 1)
    second = Claim.made(target, 0)  # the first has had no heartbeat
    assert second
    claim.beaten = -1e9
    assert claim.beat() is False  # and learns of it
    claim.release()
    assert Claim.made(target, 0) is None
    second.release()
    assert do_shard(plan, 0, worker, GO)
    worker.end()


def test_a_claim_of_a_process_that_is_gone_holds_nobody_up(tmp_path: Path) -> None:
    target = Store(str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    claim = Claim.made(target, 0)
    assert claim
    said = json.loads(target.get(".instcolor/claims/00000/0000") or b"")
    target.put(".instcolor/claims/00000/0000", json.dumps({**said, "process": process.pid}).encode())
    assert Claim.made(target, 0)


def test_a_plan_is_kept_and_another_is_refused_unless_new(tmp_path: Path, target: Store) -> None:
    folder = source(tmp_path / "in", "a.png", "b.png")
    plan = planned(folder, target, JOB_OF_TESTS, size=1)
    done(copying(plan))
    assert planned(folder, target, JOB_OF_TESTS) == plan
    other = replace(JOB_OF_TESTS, saturation=1.5)
    with pytest.raises(InstcolorError, match="plan of another job"):
        planned(folder, target, other)
    new = planned(folder, target, other, new=True)
    assert (new.shards, look(new).done) == (1, 0)
    assert new.job == other


def test_other_weights_than_the_plans_are_refused(tmp_path: Path) -> None:
    plan = planned(source(tmp_path / "in", "a.png"), Store(str(tmp_path / "out")), JOB_OF_TESTS)
    plan.check()
    stand_in.write_model(Path(os.environ["INSTCOLOR_MODELS"]) / "other", shift=5)
    said = json.loads(plan.target.get(JOB) or b"")
    said["facts"]["sha256"]["photo.onnx"] = "0" * 64
    plan.target.put(JOB, json.dumps(said).encode())
    with pytest.raises(InstcolorError, match="was planned with another sha256"):
        Plan.of(plan.target).check()


def test_results_have_names_of_their_own_on_every_disk(tmp_path: Path) -> None:
    folder = source(tmp_path / "in", "A.png", "a.PNG", "b.tif", "b.tif.png", "a-color-2.png", ".hidden.png")
    plan = planned(folder, Store(str(tmp_path / "out")), JOB_OF_TESTS)
    results = {entry.name: entry.result(".png") for entry in plan.entries(0)}
    assert len({name.casefold() for name in results.values()}) == len(results) == 5
    assert results["b.tif"] == "b.tif.png"


def test_a_source_without_photos_and_a_target_without_a_plan_are_one_line(tmp_path: Path, target: Store) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InstcolorError, match="there are no photos"):
        planned(str(tmp_path / "in"), target, JOB_OF_TESTS)
    with pytest.raises(InstcolorError, match="there is no plan"):
        Plan.of(target)
    with pytest.raises(InstcolorError, match="cannot be opened"):
        planned("nonsense://x", target, JOB_OF_TESTS)


def test_photos_are_read_from_an_address(tmp_path: Path, target: Store) -> None:
    album = Store(f"memory://{uuid.uuid4().hex}")
    for name in ("a.jpg", "deeper/b.jpg", ".hidden/c.jpg", "notes.txt"):
        album.put(name, JPEG)
    plan = planned(album.address, target, JOB_OF_TESTS)
    done(copying(plan))
    assert [line["path"] for line in lines(plan)] == ["a.jpg", "deeper/b.jpg"]
    assert target.get("deeper/b.jpg.png") == JPEG


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `instcolor archive` in a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "instcolor", "archive", *words]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


PLAN = ("plan", "in", "--out", "out", "--shard", "5", "--model", stand_in.NAME, "--detector", "none", "--no-faces")


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files(folder) if not name.startswith(".instcolor")}


def test_a_killed_run_loses_nothing_and_repeats_no_more_than_a_photo(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    source(tmp_path / "in", *(f"{i:02}.png" for i in range(40)))
    assert start(*PLAN).wait() == 0
    process = start("run", "out", "--workers", "2")
    part = tmp_path / "out/.instcolor/done"
    while not (part.exists() and any(part.iterdir())) and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    first = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in results(tmp_path / "out")}
    assert 5 <= len(first) < 40
    process = start("run", "out", "--workers", "2", "--metrics", "numbers.prom")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert out.decode() == "40 of 40 photos, 8 of 8 shards, 0 failed\n"
    assert len(results(tmp_path / "out")) == 40
    assert len(set(results(tmp_path / "out").values())) == 1  # all the same photo
    again = [name for name, time in first.items() if (tmp_path / "out" / name).stat().st_mtime_ns != time]
    assert len(again) <= 2
    assert not any((tmp_path / "scratch").iterdir())  # nothing of what the killed run was at is left lying about
    assert "instcolor_archive_done 40\n" in (tmp_path / "numbers.prom").read_text()


def test_too_many_errors_stop_a_run(tmp_path: Path, start: Start) -> None:
    source(tmp_path / "in", *(f"{i:02}.png" for i in range(5)))
    for i in range(5, 60):
        put(tmp_path / f"in/{i:02}.png", b"no photo")
    assert start(*PLAN).wait() == 0
    process = start("run", "out", "--workers", "1", "--max-errors", "2")
    assert process.wait() == 1
    status = start("status", "out", "--json")
    progress = json.loads(status.communicate()[0])
    assert 3 <= progress["failed"] < 55
    assert start("errors", "out").communicate()[0].count(b"PhotoError") == progress["failed"]


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_on_ray_the_same_bytes_come_even_if_its_workers_are_killed(tmp_path: Path, start: Start) -> None:
    pytest.importorskip("ray")
    source(tmp_path / "in", *(f"{i:02}.png" for i in range(30)), "deadly.jpg")
    assert start(*PLAN).wait() == 0
    process = start("run", "out", "--engine", "ray", "--workers", "2")
    claims = tmp_path / "out/.instcolor/claims"
    killed: set[int] = set()
    while process.poll() is None and not killed:
        for path in claims.glob("*/*"):
            said = path.read_bytes()
            if said:
                killed.add(json.loads(said)["process"])
                os.kill(json.loads(said)["process"], signal.SIGKILL)
                break
        time.sleep(0.02)
    out, err = process.communicate(timeout=120)
    assert killed
    assert process.returncode == 0, err
    assert "31 of 31 photos, 7 of 7 shards, 0 failed" in out.decode()  # beside what Ray says
    assert len(set(results(tmp_path / "out").values())) == 1
