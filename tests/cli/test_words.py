"""What the words on the command line mean before any option is looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from instcolor.cli import app
from instcolor.cli.plugin import Host, gimp_folder
from support import fixtures
from support.places import ROOT


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one photo, where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.png").write_bytes(fixtures.encoded(fixtures.image("L", 64, 48), "PNG"))
    return tmp_path


@pytest.mark.parametrize("words", [["old.png"], ["--style", "vivid", "old.png"], ["*.png"], ["."]])
def test_a_photo_without_a_command_is_colored(album: Path, words: list[str]) -> None:
    result = CliRunner().invoke(app, [*words, "--detector", "none"])
    assert result.exit_code == 0, result.output
    assert (album / "old-color.png").is_file()


def test_a_mistyped_command_is_not_taken_for_a_photo(album: Path) -> None:
    result = CliRunner().invoke(app, ["colorise"])
    assert result.exit_code == 2
    assert "No such command" in result.output


def test_a_photo_that_is_not_there_is_named(album: Path) -> None:
    result = CliRunner().invoke(app, ["none-such.jpg"])
    assert result.exit_code == 1
    assert "none-such.jpg" in result.output


def test_the_package_can_be_run_as_a_module() -> None:
    shown = subprocess.run([sys.executable, "-m", "instcolor", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("instcolor ")


@pytest.mark.parametrize("host", list(Host))
def test_a_plug_in_is_copied_whole_and_again(tmp_path: Path, host: Host) -> None:
    for _ in range(2):
        result = CliRunner().invoke(app, ["plugin", "install", host, "--to", str(tmp_path / "plug-ins")])
        assert result.exit_code == 0, result.output
    source = ROOT / "integrations" / host
    kept = source / "instcolor" if host is Host.gimp else source
    copied = tmp_path / "plug-ins" / "instcolor"
    assert {path.name for path in copied.iterdir()} == {path.name for path in kept.iterdir()} - {"__pycache__"}
    for path in copied.glob("*.py"):
        assert path.read_bytes() == (kept / path.name).read_bytes()
        assert path.stat().st_mode == (kept / path.name).stat().st_mode


def test_gimps_folder_is_known_and_comfyuis_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert gimp_folder() == tmp_path / "GIMP" / "3.0" / "plug-ins"
    result = CliRunner().invoke(app, ["plugin", "install", "comfyui"])
    assert result.exit_code == 2
    assert "--to" in result.output


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["plugin", "install", "gimp", "--to", str(tmp_path / "file")])
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1
