"""ONNX Runtime as this package opens it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
