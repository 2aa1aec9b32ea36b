"""The command line: bad input costs one line a file and leaves no debris, and wrong usage does nothing."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from instcolor.cli.report import printable
from support import fixtures, stand_in
from support.command_line import Run, errors, files, put, write_boxes


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
    put("moving.webp", fixtures.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    result = run("colorize", "moving.webp", "--detector", "none")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: moving.webp has several frames")


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
        ["colorize", "a.jpg", "--color"],
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
