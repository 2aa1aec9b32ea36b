"""Models by name: their facts, their files and what is said of those that are missing or damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from instcolor.colorizer import load_model
from instcolor.errors import ModelError
from instcolor.models import registry
from support.packages import install

CONTENT = {"photo.onnx": b"a photo graph", "objects.onnx": b"an objects graph"}


def write_model(folder: Path, called: str = "one", **changes: str) -> Path:
    """A model folder whose TOML values can be replaced, each by what stands in the file; returns it."""
    place = folder / called
    place.mkdir()
    for file, content in CONTENT.items():
        (place / file).write_bytes(content)
    sums = ", ".join(f'"{file}" = "{hashlib.sha256(content).hexdigest()}"' for file, content in CONTENT.items())
    facts = {
        "name": f'"{called}"',
        "summary": '"A model for tests"',
        "license": '"Apache-2.0"',
        "side": "256",
        "instance_size": "192",
        "multiple": "32",
        "sha256": f"{{ {sums} }}",
    } | changes
    (place / "model.toml").write_text("\n".join(f"{key} = {value}" for key, value in facts.items() if value))
    return place


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's models, empty; the package has none."""
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    monkeypatch.setattr(registry, "PACKAGED", packaged)
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("INSTCOLOR_MODELS", str(own))
    return own


def one_line(caught: pytest.ExceptionInfo[ModelError], *parts: str) -> None:
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in parts), message


def test_a_model_is_found_by_its_name_with_its_facts(folder: Path) -> None:
    write_model(folder, "one")
    write_model(folder, "two", side="384")
    assert registry.names() == ["one", "two"]
    entry = registry.find("two")
    assert (entry.name, entry.side, entry.instance_size, entry.multiple) == ("two", 384, 192, 32)
    assert (entry.summary, entry.license, entry.folder) == ("A model for tests", "Apache-2.0", folder / "two")
    assert entry.size == sum(map(len, CONTENT.values()))
    entry.verify()


def test_the_packages_model_counts_where_the_user_has_one_of_its_name(folder: Path) -> None:
    write_model(folder, "one")
    inside = write_model(registry.PACKAGED, "one")
    assert registry.names() == ["one"]
    assert registry.find("one").folder == inside


@pytest.mark.parametrize("name", ["other", "", "../one", "one/../one", "/", "one\n", "ONE"])
def test_a_name_that_is_not_in_the_table_is_refused_and_never_a_path(folder: Path, name: str) -> None:
    write_model(folder, "one")
    with pytest.raises(ModelError, match="no such model; known are one"):
        registry.find(name)


def test_a_model_is_lite_unless_its_facts_say_otherwise(folder: Path) -> None:
    write_model(folder, "one")
    write_model(folder, "two", kind='"external"', network='{ gives = "rgb" }')
    one, two = registry.find("one"), registry.find("two")
    assert (one.kind, one.files, one.network) == ("lite", ("photo.onnx", "objects.onnx"), {})
    assert (two.kind, two.files, two.network) == ("external", ("photo.onnx",), {"gives": "rgb"})


def test_without_any_model_that_is_said(folder: Path) -> None:
    assert registry.names() == []
    with pytest.raises(ModelError) as caught:
        registry.find("lite")
    one_line(caught, "lite", "known are none")


def test_no_folder_of_the_user_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTCOLOR_MODELS", str(folder / "nowhere"))
    assert registry.names() == []


@pytest.mark.parametrize("file", CONTENT)
def test_changed_and_missing_files_are_told_of(folder: Path, file: str) -> None:
    path = write_model(folder, "one") / file
    entry = registry.find("one")
    path.write_bytes(CONTENT[file][:-1] + b"?")
    with pytest.raises(ModelError) as caught:
        entry.verify()
    one_line(caught, str(path), "damaged")
    path.unlink()
    for ask in (entry.verify, lambda: entry.size):
        with pytest.raises(ModelError) as caught:
            ask()
        one_line(caught, str(path), "missing")


@pytest.mark.parametrize(
    "changes",
    [
        {"side": ""},
        {"side": "0"},
        {"side": '"256"'},
        {"side": "true"},
        {"instance_size": "-32"},
        {"multiple": "1.5"},
        {"name": '"another"'},
        {"sha256": '{ "photo.onnx" = "0" }'},
        {"sha256": "3"},
        {"colors": "7"},
        {"kind": '"other"'},
        {"kind": '"instcolorization"'},
        {"kind": "3"},
        {"kind": "[3]"},
        {"instance_size": ""},
        {"kind": '"external"', "network": "3"},
        {"side": "= 3"},
    ],
    ids=str,
)
def test_facts_that_make_no_sense_are_refused_in_one_line(folder: Path, changes: dict[str, str]) -> None:
    place = write_model(folder, "one", **changes)
    write_model(folder, "good")
    with pytest.raises(ModelError) as caught:
        registry.find("one")
    one_line(caught, str(place / "model.toml"))
    assert registry.find("good").side == 256  # one bad model does not hide the others
    assert registry.names() == ["good", "one"]


def test_a_detector_is_a_model_without_crops_that_colors_nothing(folder: Path) -> None:
    write_model(folder, "one", kind='"detector"', instance_size="", sha256='{ "detector.onnx" = "0" }')
    entry = registry.find("one")
    assert entry.is_finder
    assert entry.files == ("detector.onnx",)
    write_model(folder, "two")
    assert not registry.find("two").is_finder
    with pytest.raises(ModelError) as caught:
        load_model("one")
    one_line(caught, "one", "colors nothing")


def test_facts_that_are_no_text_are_refused(folder: Path) -> None:
    (write_model(folder, "one") / "model.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError) as caught:
        registry.find("one")
    one_line(caught, "model.toml")


def test_the_card_is_the_text_beside_the_files(folder: Path) -> None:
    place = write_model(folder, "one")
    entry = registry.find("one")
    with pytest.raises(ModelError) as caught:
        entry.card()
    one_line(caught, "card.md")
    (place / "card.md").write_text("# One\n\nTrained on café photos.\n", encoding="utf-8")
    assert entry.card() == "# One\n\nTrained on café photos.\n"


def test_another_package_brings_models_by_an_entry_point(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    write_model(theirs, "one", side="640")
    write_model(theirs, "other")
    write_model(folder, "one")
    code = f"def folder(): return {str(theirs)!r}\ndef broken(): raise OSError('moved')"
    points = f"[{registry.ENTRY_POINTS}]\ntheirs = their_models:folder\n"
    install(tmp_path / "packages", monkeypatch, "their_models", code, points)
    assert registry.names() == ["one", "other"]
    assert registry.find("other").folder == theirs / "other"
    assert registry.find("one").side == 256, "the user's own counts before another package's"
    broken = points.replace(":folder", ":broken")
    install(tmp_path / "moved", monkeypatch, "their_models", code, broken)
    assert registry.find("one").side == 256
    with pytest.raises(ModelError) as caught:
        registry.names()
    one_line(caught, "their_models:broken", "moved")
