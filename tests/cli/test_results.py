"""The command line: results, where they go and what they are called, and streams."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

import instcolor
from instcolor.models import registry
from instcolor.sources.items import read_stream
from support import fixtures
from support.command_line import JPEG, MODEL, PNG, Run, errors, files, is_color, put, size


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
    assert result.exit_code == 0
    assert result.stdout == "in/c.jpg -> in/c-color.jpg\n"
    assert result.stderr == "note: 2 of 3 photos were done before\n"
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


# Many at once, and again


def test_photos_are_colored_in_processes_and_told_of_in_order(run: Run) -> None:
    names = [f"{letter}.jpg" for letter in "edcba"]
    for name in names:
        put(name)
    put("bad.jpg", b"")
    result = run("colorize", *names, "bad.jpg", "--out", "out", "--jobs", "2")
    assert result.stdout.splitlines() == [f"{name} -> out/{name}" for name in names]
    assert (result.stderr, result.exit_code) == ("error: bad.jpg: is empty\n", 1)
    assert all(is_color(f"out/{name}") for name in names)
    assert run("colorize", *names, "--out", "here").exit_code == 0
    assert Path("here/a.jpg").read_bytes() == Path("out/a.jpg").read_bytes()


def test_a_photo_that_reaches_nowhere_costs_itself(run: Run) -> None:
    put("good.jpg")
    long = "y" * 300 + ".jpg"
    result = run("colorize", "good.jpg", long, "good.jpg/below.jpg", "a\0.jpg", "--out", "out")
    assert files("out") == ["good.jpg"]
    assert result.exit_code == 1
    assert errors(result)[0] == f"{long}: File name too long"
    assert [error.rpartition(": ")[2] for error in errors(result)[1:]] == ["Not a directory", "embedded null byte"]


def test_names_as_long_as_a_disk_takes_them_work(run: Run) -> None:
    name = "x" * 251 + ".jpg"
    put(name)
    assert run("colorize", name, "--out", "out").exit_code == 0
    assert files("out") == [name]
    result = run("colorize", name)
    (error,) = errors(result)
    assert error.endswith("the name of its result would be longer than 255 bytes, --out can help")


def test_json_tells_of_everything(run: Run) -> None:
    for name in ("in/a.jpg", "in/b.jpg", "in/old.gif", "in/note.txt"):
        put(name)
    put("in/bad.jpg", b"")
    assert run("colorize", "in/a.jpg", "--out", "out/").exit_code == 0
    said = json.loads(run("colorize", "in", "--out", "out", "--json").stdout)
    assert [entry["file"] for entry in said["photos"]] == ["in/b.jpg"]
    assert said["skipped"] == [{"file": "in/a.jpg", "reason": "was done before", "out": "out/a.jpg"}]
    assert said["failed"] == [{"file": "in/bad.jpg", "reason": "is empty"}]
    assert said["left_out"]["TXT"] == 1


def test_a_journal_lets_a_run_go_on_even_where_results_are_replaced(run: Run) -> None:
    put("in/a.jpg")
    put("in/b.jpg")
    again = ("colorize", "in", "--out", "out", "--overwrite", "--journal", "run.jsonl")
    assert run(*again).exit_code == 0
    lines = Path("run.jsonl").read_bytes().splitlines(keepends=True)
    entry = json.loads(lines[0])
    assert (entry["path"], entry["model"], entry["options"]["style"]) == ("in/a.jpg", MODEL[1], "natural")
    assert set(entry["sha256"]) == {"photo.onnx", "objects.onnx"}
    Path("run.jsonl").write_bytes(lines[0])
    result = run(*again)
    assert result.stdout == "in/b.jpg -> out/b.jpg\n"
    assert result.stderr == "note: 1 of 2 photos was done before\n"
    assert len(run(*again, "--style", "vivid").stdout.splitlines()) == 2  # another job


def test_results_say_which_weights_colored_them(run: Run) -> None:
    put("a.jpg")
    assert run("colorize", "a.jpg").exit_code == 0
    for file, digest in registry.find(MODEL[1]).sha256.items():
        assert f"{file} {digest[:12]}".encode() in Path("a-color.jpg").read_bytes()


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
