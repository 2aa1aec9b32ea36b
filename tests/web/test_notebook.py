"""The notebook runs from top to bottom, and what the container is built from is there."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from instcolor.models import registry
from support.places import ROOT
from support.web_server import running

NOTEBOOK = ROOT / "notebooks" / "colorize.ipynb"


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")


RUN = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=sys.argv[2])
nbformat.write(notebook, sys.argv[2] + "/executed.ipynb")
"""


def test_the_notebook_colors_the_examples(tmp_path: Path) -> None:
    for package in ("nbformat", "nbclient", "ipykernel"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    if registry.DEFAULT not in registry.names():
        pytest.skip("the packaged model is missing")
    shutil.copytree(ROOT / "examples" / "photos", tmp_path / "examples" / "photos")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    # in a process of its own: it starts a kernel and leaves sockets behind
    ran = subprocess.run([sys.executable, "-c", RUN, str(NOTEBOOK), str(folder)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    with zipfile.ZipFile(folder / "colored.zip") as archive:
        assert len(archive.namelist()) == 3
        for name in archive.namelist():
            with Image.open(ROOT / "examples" / "photos" / name.replace("-color", "")) as original:
                assert Image.open(io.BytesIO(archive.read(name))).size == original.size
    cells = json.loads((folder / "executed.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    assert sum("image/png" in data for data in outputs) == 3


# the container


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_container_is_not_roots_and_watches_its_health() -> None:
    kinds = dict(instructions())
    assert kinds["USER"] not in ("root", "0")
    assert "/healthz" in kinds["HEALTHCHECK"]
    order = [kind for kind, _ in instructions()]
    assert order.index("USER") < order.index("CMD")


def test_what_the_container_copies_exists_and_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for kind, rest in instructions():
        if kind == "COPY" and "--from" not in rest:
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists(), name
                assert name in kept, name


def test_the_containers_command_is_understood() -> None:
    command = json.loads(dict(instructions())["CMD"])
    script = f"from instcolor.cli import app; app({[*command, '--help']!r})"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for option in command:
        if option.startswith("--"):
            assert option in result.stdout
    assert re.search(r"--max-megapixels.*100", result.stdout)


def test_another_address_needs_a_word_and_gets_a_warning() -> None:
    command = [sys.executable, "-c", "from instcolor.cli import main; main()", "serve", "--port", "0"]
    refused = subprocess.run([*command, "--host", "0.0.0.0"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "--allow-others" in refused.stderr
    given = [*command, "--host", "0.0.0.0", "--allow-others", "--model", "none-such"]
    warned = subprocess.run(given, capture_output=True, text=True)
    assert "WARNING: 0.0.0.0 can be reached by other machines" in warned.stderr
    assert warned.returncode == 1
    assert "none-such: no such model" in warned.stderr
    assert "Traceback" not in warned.stderr


def test_a_server_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("HOME", "/nonexistent")
    with running() as server, server.client() as client:
        assert client.get("/healthz").status_code == 200
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        assert server.stop() == 0
    assert not list(tmp_path.iterdir())
