"""The command line: progress on a terminal, and real processes with their exit codes, streams and signals."""

from __future__ import annotations

import functools
import io
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

import instcolor
from instcolor.batch import Record
from instcolor.cli import progress
from instcolor.cli.progress import progress_of
from instcolor.cli.report import CLEAR_LINE, Report
from instcolor.errors import ModelError
from support import fixtures
from support.command_line import JPEG, MODEL, PNG, Start, files, put, size

# Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_download_tells_how_far_it_is_on_one_line_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    from instcolor.cli.models import download

    def cut(*_: object, progress: Callable[[int, int], None], **__: object) -> None:
        progress(1_000_000, 2_248_408)
        raise ModelError("the connection was cut")

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("instcolor.models.downloads.fetch", cut)
    with pytest.raises(typer.Exit):
        download("deimv2-atto")
    assert terminal.getvalue() == f"\r1.0 of 2.2 MB{CLEAR_LINE}error: the connection was cut\n"


def record(name: str) -> Record:
    return Record(name, name)


def test_a_bar_is_shown_on_a_terminal_only_and_is_gone_in_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for report, total in ((Report(quiet=True), 2), (Report(), 1), (Report(), 2)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress_of(report, total) as happened:
            for number in range(total):
                happened(record(f"{number}.jpg"))
                report.line(f"{number}.jpg")
        shown.append(terminal.getvalue())
    assert shown[:2] == ["", ""]
    assert "2/2" in shown[2]
    assert shown[2].endswith("\x1b[2K")  # the bar's line is cleared
    assert capsys.readouterr().out == "0.jpg\n0.jpg\n1.jpg\n"


def test_without_a_terminal_there_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter((0, 10, 40, 41, 80))
    monkeypatch.setattr("instcolor.cli.progress.time.monotonic", lambda: next(seconds))
    with progress_of(Report(), 4) as happened:
        for number in range(4):
            happened(record(f"{number}.jpg"))
    assert capsys.readouterr().err == "2 of 4 photos, 3 a minute, 40 s left\n"
    assert [progress.duration(s) for s in (0.2, 40, 720, 11_100)] == ["1 s", "40 s", "12 min", "3 h 5 min"]


# Real processes


def test_exit_codes_and_streams_of_a_process(start: Start) -> None:
    put("bad.jpg", b"")
    process = start("colorize", "-", "bad.jpg", *MODEL)
    out, err = process.communicate(JPEG)
    assert Image.open(io.BytesIO(out)).size == (48, 32)
    assert err.decode().splitlines()[-1] == "error: bad.jpg: is empty"
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["colorize", "-", *MODEL], ["--version"]], ids=lambda words: words[0])
def test_a_full_standard_output_is_one_line(start: Start, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        process = start(*arguments, stdout=full)
        _, err = process.communicate(JPEG)
    assert process.returncode == 1
    (line,) = [line for line in err.decode().splitlines() if not line.startswith("note: ")]
    assert line.startswith("error: standard ")
    assert "No space left on device" in line


def test_a_full_disk_costs_that_file_and_leaves_no_debris(start: Start) -> None:
    put("small.png")
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), np.uint8)
    put("large.png", fixtures.encoded(Image.fromarray(noise), "PNG"))

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = start("colorize", "large.png", "small.png", *MODEL, preexec_fn=limit)
    _, err = process.communicate()
    assert process.returncode == 1
    assert "error: large.png: large-color.png: cannot be written (File too large)" in err.decode().splitlines()
    assert files() == ["large.png", "small-color.jpg", "small.png"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_stopped_run_keeps_what_is_done_and_leaves_nothing_half_made(
    start: Start, number: signal.Signals, code: int
) -> None:
    for i in range(300):
        put(f"in/{i:03}.png", PNG)
    # a test run in the background of a shell ignores SIGINT, and so would its children
    heeding = functools.partial(signal.signal, number, signal.SIG_DFL)
    # without a buffer, which would keep lines from `communicate`
    process = start("colorize", "in", "--out", "out", *MODEL, preexec_fn=heeding, bufsize=0)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(3)]
    process.send_signal(number)
    rest, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err.decode()
    done = len(lines) + len(rest.splitlines())
    assert 3 <= done < 300
    assert done <= len(files("out")) <= done + 1  # the signal may come between a file and its line
    for name in files("out"):
        assert size(f"out/{name}") == (48, 32)


def test_a_killed_run_goes_on_from_its_journal(start: Start) -> None:
    for i in range(40):
        put(f"in/{i:03}.png", PNG)
    command = ("colorize", "in", "--out", "out", "--journal", "run.jsonl", "--jobs", "2", *MODEL)
    process = start(*command)
    assert process.stdout
    told = [process.stdout.readline() for _ in range(5)]
    process.kill()
    process.communicate()
    assert len(told) == 5
    first = [json.loads(line)["out"] for line in Path("run.jsonl").read_text().splitlines()]
    assert 5 <= len(first) < 40
    done = {path: Path(path).stat().st_mtime_ns for path in first}
    process = start(*command)
    _, err = process.communicate()
    assert process.returncode == 0
    assert "photos were done before" in err.decode()
    paths = [json.loads(line)["path"] for line in Path("run.jsonl").read_text().splitlines()]
    assert sorted(set(paths)) == [f"in/{i:03}.png" for i in range(40)]
    assert len(paths) == 40  # none twice
    assert files("out") == [f"{i:03}.png" for i in range(40)]
    assert {path: Path(path).stat().st_mtime_ns for path in done} == done


def test_help_and_version_load_nothing_heavy(start: Start) -> None:
    process = start("--version")
    out, err = process.communicate()
    assert (out.decode(), err, process.returncode) == (f"instcolor {instcolor.__version__}\n", b"", 0)
    heavy = "{'numpy', 'PIL', 'onnxruntime', 'torch', 'rich'}"
    code = f"import sys\nfrom instcolor.cli import main\ntry: main()\nfinally: print({heavy} & set(sys.modules))"
    listed = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines()[-1] == "set()"
    assert "Exit codes" in listed.stdout
