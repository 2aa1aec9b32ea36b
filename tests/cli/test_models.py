"""The command line: models are listed, shown, imported and downloaded."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from support import graphs, stand_in
from support.command_line import Run, errors, is_color, put


def test_models_are_listed_and_their_cards_shown(run: Run, models: Path) -> None:
    line = next(line for line in run("models").stdout.splitlines() if line.startswith(stand_in.NAME))
    assert "Apache-2.0" in line
    assert "A stand-in for tests" in line
    listed = json.loads(run("models", "--json").stdout)["models"]
    size = sum(path.stat().st_size for path in (models / stand_in.NAME).glob("*.onnx"))
    entry = next(model for model in listed if model["name"] == stand_in.NAME)
    assert entry == {
        "name": stand_in.NAME,
        "size": size,
        "license": "Apache-2.0",
        "summary": "A stand-in for tests",
    }
    assert run("models", "show", stand_in.NAME).stdout == "# Stand-in\n\nTrained on nothing.\n"


def test_the_packaged_detector_is_listed_with_its_card(run: Run) -> None:
    listed = json.loads(run("models", "--json").stdout)["models"]
    assert {"lite", "detector"} <= {model["name"] for model in listed}
    assert run("models", "show", "detector").stdout.startswith("# detector\n")


def test_a_model_that_is_not_there_or_broken_is_told_of(run: Run, tmp_path: Path) -> None:
    assert "no such model" in errors(run("models", "show", "nobody"))[0]
    os.environ["INSTCOLOR_MODELS"] = str(tmp_path / "more")
    stand_in.write_model(tmp_path / "more", "good")
    put(tmp_path / "more/bad/model.toml", b"name = ")
    result = run("models")
    assert result.exit_code == 1
    assert "bad/model.toml" in errors(result)[0]
    assert any(line.startswith("good") for line in result.stdout.splitlines())


def test_a_model_is_imported_and_colors_at_once(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "own"))
    graph = graphs.Graph()
    two = graph.op("Slice", "input", *(graph.constant([i], np.int64) for i in (0, 2, 1)))
    graph.op("Add", two, graph.constant(np.reshape((20, 30), (1, 2, 1, 1))), name="output")
    shapes = {"input": (1, 3, 32, 32)}, {"output": (1, 2, 32, 32)}
    graph.save(tmp_path / "other.onnx", *(stand_in.typed(shape) for shape in shapes))
    put(tmp_path / "other.toml", b"side = 32")
    result = run("models", "import", tmp_path / "other.onnx", tmp_path / "other.toml", "--name", "mine")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("mine: external")
    put("a.jpg")
    assert run("colorize", "a.jpg", "--model", "mine").exit_code == 0
    assert is_color("a-color.jpg")
    again = run("models", "import", tmp_path / "other.onnx", tmp_path / "other.toml", "--name", "mine")
    assert "there is a model of this name" in errors(again)[0]


def test_import_without_torch_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    put("latest_net_G.pth")
    result = run("models", "import", "latest_net_G.pth")
    assert result.exit_code == 1
    assert errors(result) == ["importing checkpoints needs torch: pip install instcolor[train]"]


def test_files_that_cannot_be_imported_are_told_of(run: Run) -> None:
    put("latest_net_G.pth")
    assert "latest_net_G.pth: refused" in errors(run("models", "import", "latest_net_G.pth"))[0]
    assert run("models", "import", "latest_net_G.pth", "--mask-center", "0.3").exit_code == 2
    assert run("models", "import").exit_code == 2


def test_what_can_be_downloaded_is_listed_and_what_cannot_is_told_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "deimv2-femto" in run("models", "download").stdout
    result = run("models", "download", "other")
    assert result.exit_code == 1
    assert "other: nothing of this name" in errors(result)[0]
    monkeypatch.setattr("instcolor.models.downloads.fetch", lambda *_, **__: None)
    assert run("models", "download", "deimv2-atto").stdout.endswith("deimv2-atto.onnx\n")
