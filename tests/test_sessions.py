"""ONNX Runtime as this package opens it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from instcolor import cores
from instcolor.sessions import open_session
from support import graphs

SCRIPT = """
import sys
from pathlib import Path
from instcolor.sessions import open_session
open_session(sys.argv[1], 1)
print([str(path) for path in Path.home().rglob("*")])
"""


def test_a_session_reports_to_nobody(tmp_path: Path) -> None:
    """ONNX Runtime would keep a number of the machine under the home folder for its reports."""
    home = tmp_path / "home"
    home.mkdir()
    graph = graphs.nanodet(tmp_path / "detector.onnx")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    command = [sys.executable, "-c", SCRIPT, str(graph)]
    result = subprocess.run(command, env={**environment, "HOME": str(home)}, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_threads_that_wait_do_not_spin_and_are_as_many_as_cores_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graphs.nanodet(tmp_path / "detector.onnx")

    def options(threads: int | None) -> tuple[str, int]:
        said = open_session(graph, threads).get_session_options()
        return said.get_session_config_entry("session.intra_op.allow_spinning"), said.intra_op_num_threads

    assert options(3) == ("0", 3)
    assert options(None) == ("0", 0)  # ONNX Runtime's own choice
    monkeypatch.setattr(cores, "_given", None)  # to be put back
    cores.use_cores(1)
    assert options(None) == ("0", 1)
    assert options(2) == ("0", 2)
    assert cores.core_count() == 1
