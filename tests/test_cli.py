"""The command line: what is colored, where results go, what is said, and the exit code."""

from __future__ import annotations

import functools
import io
import json
import math
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import ExifTags, Image
from typer.testing import CliRunner, Result

import fixtures
import graphs
import instcolor
import stand_in
from instcolor import colorizer, detectors, objects, styles
from instcolor.cli import app
from instcolor.cli.colorize import Style
from instcolor.cli.inputs import read_stream
from instcolor.cli.report import CLEAR_LINE, Report, printable, summary
from instcolor.detectors import Detector, load_detector
from instcolor.errors import ModelError
from instcolor.models import registry

Run = Callable[..., Result]
MODEL = ("--model", stand_in.NAME)
JPEG = fixtures.encoded(fixtures.image("L"), "JPEG", quality=90)
PNG = fixtures.encoded(fixtures.image("L"), "PNG")


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
        result = CliRunner().invoke(app, words, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return result

    return invoke


def put(path: str | Path, data: bytes = JPEG) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def files(folder: str | Path = ".") -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if not path.is_dir())


def is_color(path: str | Path) -> bool:
    with Image.open(path) as image:
        return bool(np.ptp(np.asarray(image.convert("RGB")).astype(int), axis=2).mean() > 5)


def size(path: str | Path) -> tuple[int, int]:
    with Image.open(path) as image:
        image.load()
        return image.size


def errors(result: Result) -> list[str]:
    return [line.removeprefix("error: ") for line in result.stderr.splitlines() if line.startswith("error: ")]


def write_boxes(path: str | Path, **photos: list[list[float]]) -> Path:
    """A boxes file; keys are file stems."""
    listed = [
        {"file": f"{stem}.jpg", "objects": [{"box": box, "label": "dog", "score": 0.9} for box in boxes]}
        for stem, boxes in photos.items()
    ]
    return put(path, json.dumps({"photos": listed}).encode())


# Results and where they go


def test_a_photo_gets_its_result_beside_it_and_stays_as_it_was(run: Run) -> None:
    put("old.jpg")
    result = run("colorize", "old.jpg")
    assert result.exit_code == 0
    assert files() == ["old-color.jpg", "old.jpg"]
    assert Path("old.jpg").read_bytes() == JPEG
    assert is_color("old-color.jpg")
    assert result.stdout == "old.jpg -> old-color.jpg\n"


def test_a_folder_keeps_names_and_sub_folders(run: Run) -> None:
    for name in ("in/a.jpg", "in/deep/er/b.JPG", "in/c.jpeg", "in/ü mit space.png", "in/note.txt"):
        put(name, PNG if name.endswith("png") else JPEG)
    assert run("colorize", "in", "--out", "out").exit_code == 0
    assert files("out") == ["a.jpg", "c.jpeg", "deep/er/b.JPG", "ü mit space.png"]


def test_a_second_run_over_a_folder_neither_colors_results_nor_replaces_them(run: Run) -> None:
    put("in/a.jpg")
    put("in/b.jpg")
    assert run("colorize", "in").exit_code == 0
    before = {name: Path("in", name).stat().st_mtime_ns for name in files("in")}
    assert list(before) == ["a-color.jpg", "a.jpg", "b-color.jpg", "b.jpg"]
    put("in/c.jpg")
    result = run("colorize", "in")
    assert result.exit_code == 1
    assert [error.split(":")[0] for error in errors(result)] == ["in/a.jpg", "in/b.jpg"]
    assert all("exists already" in error for error in errors(result))
    assert files("in") == ["a-color.jpg", "a.jpg", "b-color.jpg", "b.jpg", "c-color.jpg", "c.jpg"]
    assert all(Path("in", name).stat().st_mtime_ns == mark for name, mark in before.items())


def test_overwrite_replaces_results_of_an_earlier_run(run: Run) -> None:
    put("old.jpg")
    put("out/old.jpg", b"from an earlier run")
    assert run("colorize", "old.jpg", "--out", "out").exit_code == 1
    assert Path("out/old.jpg").read_bytes() == b"from an earlier run"
    assert run("colorize", "old.jpg", "--out", "out", "--overwrite").exit_code == 0
    assert is_color("out/old.jpg")


def test_results_in_a_folder_among_the_photos_are_not_photos_of_the_next_run(run: Run) -> None:
    put("in/a.jpg")
    for _ in range(2):
        assert run("colorize", "in", "--out", "in/colored", "--overwrite").exit_code == 0
        assert files("in") == ["a.jpg", "colored/a.jpg"]


def test_names_that_would_collide_get_suffixes(run: Run) -> None:
    put("one/a.jpg")
    put("two/a.jpg", fixtures.encoded(fixtures.image("L", 20, 30), "JPEG"))
    put("three/a.jpg", fixtures.encoded(fixtures.image("L", 40, 50), "JPEG"))
    result = run("colorize", "one/a.jpg", "two/a.jpg", "three", "one/a.jpg", "--out", "out", "--json")
    assert [entry["out"] for entry in json.loads(result.stdout)["photos"]] == [
        "out/a.jpg",
        "out/a-color.jpg",
        "out/a-color-2.jpg",
    ]
    assert [size(f"out/a{end}.jpg") for end in ("", "-color", "-color-2")] == [(48, 32), (20, 30), (40, 50)]


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_no_photo_of_the_run_is_ever_replaced(run: Run, overwrite: list[str]) -> None:
    put("one/a.jpg")
    other = fixtures.encoded(fixtures.image("L", 20, 30), "JPEG")
    put("two/a.jpg", other)
    assert run("colorize", "one/a.jpg", "two/a.jpg", "--out", "two", *overwrite).exit_code == 0
    assert Path("two/a.jpg").read_bytes() == other
    assert files("two") == ["a-color-2.jpg", "a-color.jpg", "a.jpg"]
    result = run("colorize", "one/a.jpg", "--out", "one/../one/a.jpg", *overwrite)
    assert errors(result) == ["one/a.jpg: the result would replace the photo itself"]
    assert Path("one/a.jpg").read_bytes() == JPEG


def test_out_may_be_a_file_of_another_format_in_a_new_folder(run: Run) -> None:
    put("old.jpg")
    assert run("colorize", "old.jpg", "--out", "new/result.png").exit_code == 0
    with Image.open("new/result.png") as image:
        assert image.format == "PNG"
    assert is_color("new/result.png")


def test_a_result_that_its_format_cannot_hold_falls_back_to_one_that_can(run: Run) -> None:
    put("wrong-suffix.jpg", fixtures.encoded(fixtures.image("RGBA"), "PNG"))
    assert run("colorize", "wrong-suffix.jpg").exit_code == 0
    with Image.open("wrong-suffix-color.png") as image:
        assert image.mode == "RGBA"


def test_patterns_are_expanded_and_keep_what_stands_below_their_folder(run: Run) -> None:
    for name in ("in/a.jpg", "in/deep/b.jpg", "in/c.png", "[x].jpg"):
        put(name)
    assert run("colorize", "in/**/*.jpg", "--out", "out").exit_code == 0
    assert files("out") == ["a.jpg", "deep/b.jpg"]
    assert run("colorize", "[x].jpg", "--out", "named/").exit_code == 0  # a file of that name is meant
    assert files("named") == ["[x].jpg"]


def test_links_are_followed_only_inside_a_folder(run: Run) -> None:
    put("outside/secret.jpg")
    put("in/a.jpg")
    put("in/.hidden.jpg")
    for name, target in {"there": "../outside", "one.jpg": "../outside/secret.jpg", "again.jpg": "a.jpg"}.items():
        Path("in", name).symlink_to(target)
    Path("in/round").symlink_to(".")
    Path("in/gone.jpg").symlink_to("nowhere")
    for given in ("in", "in/**/*.jpg"):
        result = run("colorize", given, "--out", f"out-{len(given)}", "--json")
        assert [entry["file"] for entry in json.loads(result.stdout)["photos"]] == ["in/a.jpg"], given
    assert run("colorize", "in/one.jpg", "--out", "named/").exit_code == 0  # who names a link means it
    assert files("outside") == ["secret.jpg"]


# Options that change the colors


def mean_ab(path: str) -> np.ndarray:
    from instcolor.colorspace import srgb_to_lab

    with Image.open(path) as image:
        return np.asarray(srgb_to_lab(np.asarray(image) / 255)[..., 1:]).mean((0, 1))


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
    monkeypatch.setattr(detectors, "load_detector", load)
    return asked


def test_objects_are_found_by_the_packages_detector_unless_told_otherwise(album: Path, builtin: list[str]) -> None:
    put("a.png", bright_spot(16, 32))
    put("b.png", fixtures.encoded(Image.new("L", (64, 64), 10), "PNG"))
    result = CliRunner().invoke(app, ["colorize", "a.png", "b.png", "--limit", "2", "--out", "out", *MODEL])
    assert result.stdout.splitlines() == ["a.png -> out/a.png (2 dogs)", "b.png -> out/b.png (no objects)"]
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
    assert Style(styles.DEFAULT) is Style.natural
    text = " ".join(CliRunner().invoke(app, ["colorize", "--help"]).stdout.split())
    assert f"[default: {objects.LIMIT};" in text
    assert "[default: natural]" in text
    assert f"[default: {registry.DEFAULT}]" in text
    assert "[default: 100.0;" in text


def test_larger_photos_than_the_limit_are_refused(run: Run) -> None:
    put("a.jpg")
    assert run("colorize", "a.jpg", "--max-megapixels", 48 * 32 / 1e6).exit_code == 0
    result = run("colorize", "a.jpg", "--max-megapixels", (48 * 32 - 1) / 1e6)
    assert result.exit_code == 1
    assert "a.jpg: 48 x 32 pixels" in errors(result)[0]


# Streams


def test_standard_input_goes_to_standard_output_in_its_format(run: Run) -> None:
    for data, format in ((JPEG, "JPEG"), (PNG, "PNG")):
        result = run("colorize", "-", stdin=data)
        assert result.exit_code == 0
        with Image.open(io.BytesIO(result.stdout_bytes)) as image:
            assert (image.format, image.size) == (format, (48, 32))
        assert "standard input -> standard output" in result.stderr


def test_streams_and_files_may_be_mixed(run: Run) -> None:
    put("a.jpg")
    assert Image.open(io.BytesIO(run("colorize", "a.jpg", "--out", "-").stdout_bytes)).format == "JPEG"
    assert run("colorize", "-", "--out", "x.webp", stdin=PNG).exit_code == 0
    assert run("colorize", "-", "a.jpg", "--out", "out/", stdin=PNG).exit_code == 0
    assert files() == ["a.jpg", "out/a.jpg", "out/stdin.png", "x.webp"]


def test_a_stream_that_is_no_photo_or_too_long_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("colorize", "-", stdin=b"hello")
    assert (result.exit_code, result.stdout) == (1, "")
    assert errors(result)[0].startswith("standard input: not a photo")
    for limit in (4, 5):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"12345")))
        if limit == 5:
            assert read_stream(limit) == b"12345"
        else:
            with pytest.raises(instcolor.PhotoError, match="longer than 4 bytes"):
                read_stream(limit)


# Bad input: one line a file, the others are done, no debris


def test_one_bad_file_never_stops_the_others(run: Run) -> None:
    bad = fixtures.bad_files()
    for name, (data, _) in bad.items():
        put(name, data)
    put("good.jpg")
    result = run("colorize", *bad, "no-such.jpg", "/dev/null", "good.jpg", "--out", "out")
    assert result.exit_code == 1
    told = dict(error.split(": ", 1) for error in errors(result))
    assert len(told) == len(errors(result)) == len(bad) + 2
    for name, (_, reason) in bad.items():
        assert reason in told[name]
    assert told["no-such.jpg"] == "no such file"
    assert told["/dev/null"] == "is not a regular file"
    assert files("out") == ["good.jpg"]


def test_folders_and_patterns_without_photos_are_errors(run: Run) -> None:
    put("empty/note.txt")
    put("photo.jpg/note.txt")  # a directory where a file is expected
    result = run("colorize", "empty", "photo.jpg", "*.webp")
    assert result.exit_code == 1
    assert [error.split(":")[0] for error in errors(result)] == ["empty", "photo.jpg", "*.webp"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_told_of(run: Run) -> None:
    put("in/a.jpg")
    put("in/locked/b.jpg").parent.chmod(0)
    result = run("colorize", "in", "--out", "out")
    Path("in/locked").chmod(0o700)
    assert (result.exit_code, files("out")) == (1, ["a.jpg"])
    assert "in/locked: cannot be read" in errors(result)[0]


def test_a_result_that_may_not_be_written_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.jpg")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", refuse)
        patched.setattr(os, "replace", refuse)
        result = run("colorize", "a.jpg")
    assert errors(result) == ["a.jpg: a-color.jpg: cannot be written (Permission denied)"]
    assert files() == ["a.jpg"]
    put("file")
    result = run("colorize", "a.jpg", "--out", "file/sub")
    assert "a.jpg: file/sub: the folder cannot be made" in errors(result)[0]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "there is not enough memory"),
        (RuntimeError("[ONNXRuntimeError] : 6\nnode  failed"), "RuntimeError: [ONNXRuntimeError] : 6 node failed"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_what_a_network_raises_costs_one_line_and_one_photo(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    put("a.jpg")
    model = stand_in.FakeModel(error)
    monkeypatch.setattr("instcolor.colorizer.load_model", lambda *_: model)
    result = run("colorize", "a.jpg")
    assert (result.exit_code, errors(result), files()) == (1, [f"a.jpg: {told}"], ["a.jpg"])
    assert len(model.asked) == 1


def test_notes_about_a_photo_are_printed(run: Run) -> None:
    frames = [fixtures.image("L"), fixtures.image("L").rotate(90)]
    put("pages.tif", fixtures.encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    result = run("colorize", "pages.tif", "--detector", "none")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: pages.tif has several pages")


def test_a_box_outside_its_photo_costs_that_photo_only(run: Run) -> None:
    put("a.jpg")
    put("b.jpg")
    boxes = write_boxes("boxes.json", a=[[100, 100, 120, 120]], b=[[2, 2, 20, 20]])
    result = run("colorize", "a.jpg", "b.jpg", "--boxes", boxes, "--out", "out")
    assert (result.exit_code, files("out")) == (1, ["b.jpg"])
    (error,) = errors(result)
    assert error.startswith("a.jpg: boxes.json: photo a.jpg, object 0: box [100, 100, 120, 120] is outside the photo")


@pytest.mark.parametrize(("box", "told"), [([5, 5, 5, 9], "is empty"), ([math.nan, 0, 9, 9], "not finite")])
def test_a_box_that_makes_no_sense_costs_its_photo_only(run: Run, box: list[float], told: str) -> None:
    put("a.jpg")
    put("b.jpg")
    boxes = write_boxes("boxes.json", a=[box], b=[[2, 2, 20, 20]])
    result = run("colorize", "a.jpg", "b.jpg", "--boxes", boxes, "--out", "out")
    assert (result.exit_code, files("out")) == (1, ["b.jpg"])
    (error,) = errors(result)
    assert error.startswith("a.jpg: boxes.json: photo a.jpg, object 0: ")
    assert told in error


def test_a_boxes_file_of_another_form_is_named_before_any_photo(run: Run) -> None:
    put("a.jpg")
    result = run("colorize", "a.jpg", "--boxes", write_boxes("boxes.json", a=[[0, 0, 9]]))
    assert (result.exit_code, files()) == (1, ["a.jpg", "boxes.json"])
    (error,) = errors(result)
    assert error.startswith("boxes.json: photo a.jpg, object 0: box is not four numbers")


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_boxes_file_that_is_none_ends_the_run(run: Run, content: bytes | None) -> None:
    put("a.jpg")
    if content is not None:
        put("boxes.json", content)
    result = run("colorize", "a.jpg", "--boxes", "boxes.json")
    assert result.exit_code == 1
    assert len(errors(result)) == 1
    assert errors(result)[0].startswith("boxes.json: ")
    assert files() == (["a.jpg"] if content is None else ["a.jpg", "boxes.json"])


def test_a_damaged_or_unknown_model_is_one_line_before_any_photo(run: Run, tmp_path: Path) -> None:
    put("a.jpg")
    put("b.jpg")
    place = stand_in.write_model(tmp_path / "more", "broken")
    os.environ["INSTCOLOR_MODELS"] = str(place.parent)  # the fixture `album` puts it back
    put(place / "photo.onnx", b"something else")
    result = run("colorize", "a.jpg", "b.jpg", "--model", "broken")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "photo.onnx: model file is damaged (its sha256" in errors(result)[0]
    assert "no such model" in errors(run("colorize", "a.jpg", "--model", "../broken"))[0]
    assert files() == ["a.jpg", "b.jpg"]


def test_names_that_steer_a_terminal_are_printed_harmlessly(run: Run) -> None:
    put("a\x1b[2J\n.jpg")
    result = run("colorize", "a\x1b[2J\n.jpg")
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    assert len(result.stdout.splitlines()) == 1
    assert printable("café 東京") == "café 東京"


# Wrong usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["colorize"],
        ["colorize", "a.jpg", "--style", "gaudy"],
        ["colorize", "a.jpg", "--strength", "1.1"],
        ["colorize", "a.jpg", "--strength", "nan"],
        ["colorize", "a.jpg", "--saturation", "-1"],
        ["colorize", "a.jpg", "--max-megapixels", "inf"],
        ["colorize", "a.jpg", "--threads", "0"],
        ["colorize", "a.jpg", "b.jpg", "--out", "one.jpg"],
        ["colorize", "a.jpg", "b.jpg", "--out", "-"],
        ["colorize", ".", "--out", "one.jpg"],
        ["colorize", "a.jpg", "--out", "one.gif"],
        ["colorize", "a.jpg", "--boxes", "boxes.json", "--detector", "x.onnx"],
        ["colorize", "-", "--json"],
        ["colorize", "a.jpg", "--colour"],
        ["detect", "a.jpg", "--detector", "none"],
        ["detect", "a.jpg", "--detector", "x.onnx", "--draw", "one.jpg"],
        ["models", "show"],
        ["paint"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_does_nothing(run: Run, arguments: list[str]) -> None:
    put("a.jpg")
    put("b.jpg")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert files() == ["a.jpg", "b.jpg"]


# detect


def bright_spot(x: int, y: int) -> bytes:
    """A dark photo with one bright square of a cell of the detector's coarsest grid."""
    pixels = np.full((64, 64), 20, np.uint8)
    pixels[y : y + 16, x : x + 16] = 250
    return fixtures.encoded(Image.fromarray(pixels), "PNG")


def test_detect_prints_what_colorize_takes(run: Run, detector: str) -> None:
    put("a.png", bright_spot(16, 32))
    put("bad.png", b"")
    result = run("detect", "a.png", "bad.png", "--detector", detector, "--threshold", "0.9", "--json")
    assert (result.exit_code, errors(result)) == (1, ["bad.png: is empty"])
    (entry,) = json.loads(result.stdout)["photos"]
    assert (entry["file"], entry["size"]) == ("a.png", [64, 64])
    assert {found["label"] for found in entry["objects"]} == {"dog"}
    assert [16, 32, 32, 48] in [found["box"] for found in entry["objects"]]
    put("found.json", result.stdout_bytes)
    colored = run("colorize", "a.png", "--boxes", "found.json", "--json")
    assert len(json.loads(colored.stdout)["photos"][0]["objects"]) > 0


def test_detect_in_cocos_form_and_with_a_limit(run: Run, detector: str) -> None:
    put("a.png", bright_spot(16, 32))
    result = run("detect", "a.png", "--detector", detector, "--limit", "1", "--coco")
    listed = json.loads(result.stdout)
    assert [image["file_name"] for image in listed["images"]] == ["a.png"]
    assert len(listed["annotations"]) == 1
    boxes = objects.read_boxes(put("coco.json", result.stdout_bytes))
    assert [o.label for o in boxes["a.png"].objects] == ["dog"]


def test_detect_draws_and_never_over_a_photo(run: Run, detector: str) -> None:
    put("a.png", bright_spot(16, 32))
    put("a.jpg")
    result = run("detect", "a.png", "a.jpg", "--detector", detector, "--draw", ".")
    assert result.exit_code == 0
    assert result.stdout.startswith("a.png: dog 0.9")
    assert files() == ["a-color-2.jpg", "a-color.jpg", "a.jpg", "a.png"]
    assert is_color("a-color.jpg")
    assert run("detect", "a.png", "--detector", detector, "--draw", "drawn").exit_code == 0
    assert run("detect", "a.png", "--detector", detector, "--draw", "drawn").exit_code == 1
    assert run("detect", "a.png", "--detector", detector, "--draw", "drawn", "--overwrite").exit_code == 0


def test_colorize_with_a_detector(run: Run, detector: str) -> None:
    put("a.png", bright_spot(16, 32))
    result = run("colorize", "a.png", "--detector", detector, "--limit", "2")
    assert result.stdout.startswith("a.png -> a-color.png (")
    assert "dog" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("command", ["colorize", "detect"])
def test_a_detector_that_is_none_is_one_line(run: Run, command: str) -> None:
    put("a.jpg")
    put("junk.onnx", b"junk")
    for name in ("junk.onnx", "missing.onnx", "nobody"):
        result = run(command, "a.jpg", "--detector", name)
        assert result.exit_code == 1
        assert errors(result)[0].startswith(f"{name}: ")
        assert len(result.stderr.splitlines()) == 1


# models


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


def test_progress_is_shown_on_a_terminal_only_and_cleared_before_each_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from instcolor.cli.inputs import Item

    items = [Item(Path(name), Path(name)) for name in ("a.jpg", "b.jpg")]
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert Report(quiet=True).run(items, lambda item: (item, "done")) == items
    assert terminal.getvalue() == ""
    Report().run(items, lambda item: (item, "done"))
    assert terminal.getvalue() == "1/2 a.jpg\r\x1b[K2/2 b.jpg\r\x1b[K"
    assert capsys.readouterr().out == "done\ndone\n"


# Real processes


@pytest.fixture
def start(album: Path) -> Callable[..., subprocess.Popen]:
    """Starts the command as a user does."""
    command = "import sys; from instcolor.cli import main; main()"

    def popen(*arguments: object, **options: object) -> subprocess.Popen:
        words = [sys.executable, "-c", command, *map(str, arguments)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, **{**pipes, **options})  # type: ignore[call-overload]

    return popen


def test_exit_codes_and_streams_of_a_process(start: Callable[..., subprocess.Popen]) -> None:
    put("bad.jpg", b"")
    process = start("colorize", "-", "bad.jpg", *MODEL)
    out, err = process.communicate(JPEG)
    assert Image.open(io.BytesIO(out)).size == (48, 32)
    assert err.decode().splitlines()[-1] == "error: bad.jpg: is empty"
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["colorize", "-", *MODEL], ["--version"]], ids=lambda words: words[0])
def test_a_full_standard_output_is_one_line(start: Callable[..., subprocess.Popen], arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        process = start(*arguments, stdout=full)
        _, err = process.communicate(JPEG)
    assert process.returncode == 1
    (line,) = [line for line in err.decode().splitlines() if not line.startswith("note: ")]
    assert line.startswith("error: standard ")
    assert "No space left on device" in line


def test_a_full_disk_costs_that_file_and_leaves_no_debris(start: Callable[..., subprocess.Popen]) -> None:
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
    start: Callable[..., subprocess.Popen], number: signal.Signals, code: int
) -> None:
    for i in range(300):
        put(f"in/{i:03}.png", PNG)
    # a test run in the background of a shell ignores SIGINT, and so would its children
    heeding = functools.partial(signal.signal, number, signal.SIG_DFL)
    process = start("colorize", "in", "--out", "out", *MODEL, preexec_fn=heeding)
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


def test_help_and_version_load_nothing_heavy(start: Callable[..., subprocess.Popen]) -> None:
    process = start("--version")
    out, err = process.communicate()
    assert (out.decode(), err, process.returncode) == (f"instcolor {instcolor.__version__}\n", b"", 0)
    heavy = "{'numpy', 'PIL', 'onnxruntime', 'torch', 'rich'}"
    code = f"import sys\nfrom instcolor.cli import main\ntry: main()\nfinally: print({heavy} & set(sys.modules))"
    listed = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines()[-1] == "set()"
    assert "Exit codes" in listed.stdout


def test_results_say_what_colored_them_and_where_they_were_taken_only_on_request(run: Run) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    gray = Image.new("L", (160, 120), 128)
    gray.save("a.jpg", exif=exif)
    assert run("colorize", "a.jpg", "--out", "plain.jpg").exit_code == 0
    assert run("colorize", "a.jpg", "--out", "marked.jpg", "--mark", "--keep-gps").exit_code == 0
    assert f"instcolor ({MODEL[1]})".encode() in Path("plain.jpg").read_bytes()
    with Image.open("plain.jpg") as plain, Image.open("marked.jpg") as marked:
        assert not plain.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert marked.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        difference = np.abs(np.asarray(plain, int) - np.asarray(marked, int)).max(2)
    assert difference[:90, :80].max() < 3  # JPEG alone
    assert difference[100:, 80:].max() > 60
