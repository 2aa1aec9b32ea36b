"""The command line: detectors, and the command that only finds objects."""

from __future__ import annotations

import json

import pytest

from instcolor import objects
from support.command_line import Run, bright_spot, errors, files, is_color, put


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
