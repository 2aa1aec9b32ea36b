"""The command line: options that change the colors, the objects, the limits and what is said."""

from __future__ import annotations

import ast
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from instcolor import cli, colorizer, detectors, objects, styles
from instcolor.batch import jobs
from instcolor.cli import app
from instcolor.cli.report import summary
from instcolor.detectors import Detector, load_detector
from instcolor.models import registry
from instcolor.options import DETECTOR, STYLE, Style
from instcolor.options import MODEL as DEFAULT_MODEL
from support import fixtures, graphs, stand_in
from support.command_line import MODEL, Run, bright_spot, errors, put, write_boxes


def mean_ab(path: str) -> np.ndarray:
    from instcolor.colorspace import srgb_to_lab

    with Image.open(path) as image:
        ab: np.ndarray = srgb_to_lab(np.asarray(image) / 255)[..., 1:]
    means: np.ndarray = ab.mean((0, 1))
    return means


def test_style_saturation_and_strength_change_the_colors(run: Run) -> None:
    put("old.png", fixtures.encoded(Image.new("L", (32, 32), 128), "PNG"))
    wanted = {
        "faithful": ((), np.array(stand_in.AB)),
        "weak": (("--style", "faithful", "--strength", "0.5"), np.array(stand_in.AB) / 2),
        "strong": (("--style", "faithful", "--saturation", "1.5"), np.array(stand_in.AB) * 1.5),
        "gray": (("--strength", "0"), np.zeros(2)),
    }
    for name, (options, ab) in wanted.items():
        options = options or ("--style", "faithful")
        assert run("colorize", "old.png", "--out", f"{name}.png", *options).exit_code == 0
        np.testing.assert_allclose(mean_ab(f"{name}.png"), ab, atol=0.7)


def test_objects_of_a_boxes_file_are_colored_and_told_of(run: Run) -> None:
    put("a.jpg")
    put("b.jpg")
    boxes = write_boxes("boxes.json", a=[[2, 2, 20, 20], [25, 5, 45, 30]])
    result = run("colorize", "a.jpg", "b.jpg", "--boxes", boxes, "--out", "out", "--style", "faithful")
    assert result.stdout.splitlines() == ["a.jpg -> out/a.jpg (2 dogs)", "b.jpg -> out/b.jpg"]
    assert result.stderr == ""
    assert mean_ab("out/a.jpg")[1] > mean_ab("out/b.jpg")[1] + 5


def test_json_says_what_was_done_and_can_be_given_as_boxes(run: Run) -> None:
    put("a.jpg")
    put("bad.jpg", b"no photo")
    boxes = write_boxes("boxes.json", a=[[2, 2, 20, 20], [40, 5, 60, 30]])
    result = run("colorize", "a.jpg", "bad.jpg", "--boxes", boxes, "--json")
    (entry,) = json.loads(result.stdout)["photos"]
    assert entry.pop("seconds") >= 0
    found = [{"box": box, "label": "dog", "score": 0.9} for box in ([2, 2, 20, 20], [40, 5, 48, 30])]
    assert entry == {"file": "a.jpg", "size": [48, 32], "objects": found, "out": "a-color.jpg"}
    assert len(errors(result)) == 1
    assert [o.box for o in objects.read_boxes(put("again.json", result.stdout_bytes))["a.jpg"].objects][0][2] == 20


@pytest.fixture
def builtin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Has the packaged detector take bright spots for dogs; keeps the names that are asked for."""
    path = graphs.builtin(tmp_path / "builtin.onnx")
    asked = []

    def load(name: str, **options: Any) -> Detector | None:
        asked.append(name)
        return load_detector(path if name == "builtin" else name, **options)

    monkeypatch.setattr(colorizer, "load_detector", load)
    monkeypatch.setattr(jobs, "load_detector", load)
    return asked


def test_objects_are_found_by_the_packages_detector_unless_told_otherwise(album: Path, builtin: list[str]) -> None:
    put("a.png", bright_spot(16, 32))
    put("b.png", fixtures.encoded(Image.new("L", (64, 64), 10), "PNG"))
    result = CliRunner().invoke(
        app, ["colorize", "a.png", "b.png", "--limit", "1", "--out", "out", "--jobs", "0", *MODEL]
    )
    assert result.stdout.splitlines() == [
        "a.png -> out/a.png (3 dogs)",  # one, and two small ones
        "b.png -> out/b.png (no objects)",
    ]
    assert result.stderr == ""
    assert CliRunner().invoke(app, ["detect", "a.png", "--limit", "1"]).stdout.startswith("a.png: dog 0.9")
    assert builtin == ["builtin", "builtin"]


def test_boxes_need_no_detector(run: Run, builtin: list[str]) -> None:
    put("a.jpg")
    boxes = write_boxes("boxes.json", a=[[2, 2, 20, 20]])
    assert run("colorize", "a.jpg", "--boxes", boxes).stdout == "a.jpg -> a-color.jpg (1 dog)\n"
    assert builtin == ["none"]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["person"], "1 person"),
        (["dog", "person", "cat", "person"], "2 people, 1 dog, 1 cat"),
        (["bus"] * 2 + ["couch"] * 3 + ["knife"] * 2, "3 couches, 2 buses, 2 knives"),
        (["wine glass", "sheep", "wine glass", "sheep"], "2 wine glasses, 2 sheep"),
        ([], "no objects"),
    ],
)
def test_objects_are_counted_in_words(labels: list[str], told: str) -> None:
    assert summary(objects.DetectedObject((0, 0, 1, 1), label, 0.5) for label in labels) == told


def test_quiet_leaves_errors_only(run: Run) -> None:
    put("a.jpg")
    put("b.jpg", b"")
    result = run("colorize", "a.jpg", "b.jpg", "--quiet")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "error: b.jpg: is empty\n", 1)


def test_limits_of_options_are_the_librarys() -> None:
    assert [style.value for style in Style] == list(styles.STYLES)
    assert (STYLE, DEFAULT_MODEL, DETECTOR) == (styles.DEFAULT, registry.DEFAULT, detectors.BUILTIN)
    text = " ".join(CliRunner().invoke(app, ["colorize", "--help"]).stdout.split())
    assert f"[default: {objects.LIMIT};" in text
    assert "[default: natural]" in text
    assert f"[default: {registry.DEFAULT}]" in text
    assert "[default: 100.0;" in text


def test_larger_photos_than_the_limit_are_refused(run: Run) -> None:
    put("a.jpg")
    assert run("colorize", "a.jpg", "--max-megapixels", 48 * 32 / 1e6).exit_code == 0
    result = run("colorize", "a.jpg", "--overwrite", "--max-megapixels", (48 * 32 - 1) / 1e6)
    assert result.exit_code == 1
    assert "a.jpg: 48 x 32 pixels" in errors(result)[0]


def test_functions_of_the_command_line_are_short() -> None:
    for path in Path(cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 40, f"{path.name}: {node.name}"


@pytest.mark.parametrize(
    ("wish", "code"),
    [({"saturation": 9.9}, 0), ({"saturation": 10.1}, 2), ({"strength": 1.1}, 2), ({"style": "no"}, 2)],
)
def test_command_line_and_server_take_the_same_options(run: Run, wish: dict[str, Any], code: int) -> None:
    schemas = pytest.importorskip("instcolor.web.schemas")
    put("a.jpg")
    ((name, value),) = wish.items()
    assert run("colorize", "a.jpg", f"--{name}", value).exit_code == code
    with nullcontext() if code == 0 else pytest.raises(ValueError, match=name):
        schemas.TuningOptions(**wish)
