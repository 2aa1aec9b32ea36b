"""What people know about a photo's colors, and how they want the result: hints, references, style, format."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from instcolor import Colorizer, Photo
from instcolor.cli import app
from instcolor.errors import InstcolorError
from instcolor.hints import Hints, read_hints
from support.places import EXAMPLES

PHOTO = EXAMPLES / "citrus.jpg"
PLAIN = ("--detector", "none", "--jobs", "0", "--quiet")


def colored(tmp_path: Path, *options: str, out: str = "out.png") -> np.ndarray:
    result = CliRunner().invoke(app, ["colorize", str(PHOTO), "--out", str(tmp_path / out), *PLAIN, *options])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / out) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_hint_on_the_command_line_in_a_file_and_in_python_is_the_same(tmp_path: Path) -> None:
    width, height = Photo.open(PHOTO).size
    x, y = width // 2, height // 2
    (tmp_path / "hints.json").write_text(json.dumps([[x, y, "#2040c0"]]))
    plain = colored(tmp_path, out="plain.png")
    option = colored(tmp_path, "--hint", f"{x},{y},#2040c0", out="option.png")
    file = colored(tmp_path, "--hint", str(tmp_path / "hints.json"), out="file.png")
    library = Colorizer(detector="none").colorize(PHOTO, hints=[(x, y, "#2040c0")]).rgb().astype(int)
    np.testing.assert_array_equal(option, file)
    np.testing.assert_array_equal(option, library)
    assert (option - plain)[y - 5 : y + 5, x - 5 : x + 5, 2].mean() > 20


def test_a_reference_lends_its_colors(tmp_path: Path) -> None:
    Image.new("RGB", (60, 60), (30, 60, 200)).save(tmp_path / "blue.png")
    plain = colored(tmp_path, out="plain.png")
    lent = colored(tmp_path, "--reference", str(tmp_path / "blue.png"), out="lent.png")
    assert (lent - plain)[..., 2].mean() > 10
    refused = CliRunner().invoke(app, ["colorize", str(PHOTO), "--reference", "none.jpg", "--out", "x.png", *PLAIN])
    assert refused.exit_code == 1
    assert "none.jpg: cannot be read" in refused.stderr


def test_style_warmth_format_and_quality(tmp_path: Path) -> None:
    natural = colored(tmp_path, "--style", "0.5", out="a.png")
    np.testing.assert_array_equal(natural, colored(tmp_path, "--style", "natural", out="b.png"))
    warm = colored(tmp_path, "--warmth", "1", out="c.png")
    assert (warm - natural)[..., 2].mean() < -5
    result = CliRunner().invoke(
        app, ["colorize", str(PHOTO), "--out", str(tmp_path / "folder/"), "--format", "webp", "--quality", "20", *PLAIN]
    )
    assert result.exit_code == 0, result.output
    (made,) = (tmp_path / "folder").iterdir()
    with Image.open(made) as image:
        assert (made.suffix, image.format) == (".webp", "WEBP")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--hint", "12,#c04020"], "neither X,Y,#RRGGBB nor a JSON file"),
        (["--style", "loud"], "loud is none of faithful, natural, vivid"),
        (["--style", "1.5"], "1.5 is none of"),
        (["--format", "gif"], "gif is none of JPEG"),
    ],
)
def test_wishes_that_are_none_are_refused(options: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["colorize", str(PHOTO), "--out", "x.png", *PLAIN, *options])
    assert result.exit_code in (1, 2)
    assert reason in " ".join(result.stderr.replace("│", " ").split())


def test_plain_values_in_python() -> None:
    colorizer = Colorizer(detector="none")
    with PHOTO.open("rb") as file:
        from_file = colorizer.colorize(file, objects=[(10, 10, 120, 120)], style=0.25, warmth=0.1)
    assert [item.box for item in from_file.objects] == [(10, 10, 120, 120)]
    from_memory = Photo.open(io.BytesIO(PHOTO.read_bytes()))
    np.testing.assert_array_equal(from_memory.L, from_file.L)
    assert repr(from_file) == f"<Photo {PHOTO}: {from_file.size[0]} x {from_file.size[1]}, 8 bits, in color, 1 objects>"
    for arguments, reason in (
        ({"hints": [(1, 2)]}, "a hint is x, y and a color such as #c04020"),
        ({"hints": [(1, 2, "blue")]}, "a hint is x, y and a color"),
        ({"objects": ["cat"]}, r"an object is a DetectedObject or a box"),
        ({"style": "loud"}, "no style 'loud'"),
    ):
        with pytest.raises(ValueError, match=reason):
            colorizer.colorize(PHOTO, **arguments)
    with pytest.raises(TypeError, match="binary mode"), PHOTO.open("r", encoding="latin-1") as text:
        Photo.open(text)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a photo is a path, bytes, a binary file"):
        Photo.open(7)  # type: ignore[arg-type]


def test_files_of_hints_are_read_or_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "hints.json"
    path.write_text('[[1, 2, "#ffffff"], [3, 4, 10, -20]]')
    np.testing.assert_allclose(read_hints(path).points, [[1, 2, 0, 0], [3, 4, 10, -20]], atol=0.02)
    assert len(Hints.of(None).points) == 0
    for text in ("{}", "[1]", "no json", '[["a", 2, "#ffffff"]]'):
        path.write_text(text)
        if text == "{}":
            assert len(read_hints(path).points) == 0
            continue
        with pytest.raises(InstcolorError, match=r"hints\.json: no list of hints"):
            read_hints(path)
