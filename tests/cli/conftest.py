"""The command line's fixtures: a model and a detector that are quick, a folder, and two ways to run a command in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from instcolor.cli import app
from support import graphs, stand_in
from support.command_line import MODEL, Run, Start


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with a stand-in."""
    folder = tmp_path_factory.mktemp("models")
    stand_in.write_model(folder)
    return folder


@pytest.fixture(scope="session")
def detector(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An ONNX file that takes bright spots for dogs."""
    return str(graphs.nanodet(tmp_path_factory.mktemp("detector") / "dogs.onnx"))


@pytest.fixture
def album(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one; the stand-in is at hand."""
    monkeypatch.setenv("INSTCOLOR_MODELS", str(models))
    folder = tmp_path / "album"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(album: Path) -> Run:
    """Runs a command in this process, `colorize` with the stand-in and without a detector unless told otherwise."""

    def invoke(*arguments: object, stdin: bytes | None = None) -> Result:
        words = [str(argument) for argument in arguments]
        if words[0] == "colorize":
            words += () if "--model" in words else MODEL
            words += () if {"--boxes", "--detector"} & {*words} else ("--detector", "none")
        if words[0] in ("colorize", "detect") and "--jobs" not in words:
            words += ("--jobs", "0")
        result = CliRunner().invoke(app, words, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture
def start(album: Path) -> Start:
    """Starts the command as a user does."""
    command = "import sys; from instcolor.cli import main; main()"

    def popen(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", command, *map(str, arguments)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, **pipes | options)

    return popen
