"""The plug-in for GIMP 3, driven through a stand-in of GIMP's API, with the real command."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support import fixtures, gimp
from support.places import ROOT

FILE = ROOT / "integrations" / "gimp" / "instcolor" / "instcolor.py"
COMMAND = f"{shlex.quote(sys.executable)} -m instcolor"


@pytest.fixture
def plugin() -> Iterator[Any]:
    with gimp.stand_in():
        spec = importlib.util.spec_from_file_location("gimp_plug_in", FILE)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
def procedure(plugin: Any) -> gimp.Procedure:
    asked = plugin.Instcolor()
    (name,) = asked.do_query_procedures()
    made: gimp.Procedure = asked.do_create_procedure(name)
    return made


def photo() -> gimp.Image:
    return gimp.Image([gimp.Layer(fixtures.image("L", 96, 64))])


def chroma(layer: gimp.Layer) -> float:
    pixels = np.asarray(layer.picture.convert("RGB")).astype(int)
    return float(np.ptp(pixels, axis=2).mean())


def test_folder_and_file_have_one_name_and_the_file_can_be_run() -> None:
    assert FILE.parent.name == FILE.stem
    assert os.access(FILE, os.X_OK)
    assert FILE.read_text(encoding="utf-8").startswith("#!")


def test_the_plug_in_stands_in_the_menu_with_its_settings(procedure: gimp.Procedure) -> None:
    assert procedure.menu.startswith("<Image>/Colors")
    assert procedure.arguments == {"style": "natural", "saturation": 1.0, "objects": True, "command": ""}


def test_the_colors_lie_above_the_original_in_the_mode_lch_color(procedure: gimp.Procedure) -> None:
    image = photo()
    before = image.layers[0].picture.tobytes()
    status, error = procedure.call(image, command=COMMAND, objects=False)
    assert (status, error) == (gimp.Status.SUCCESS, None)
    layer, original = image.layers
    assert layer.mode is gimp.LayerMode.LCH_COLOR
    assert layer.picture.size == (96, 64)
    assert chroma(layer) > 2
    assert layer.mask is None
    assert original.picture.tobytes() == before
    assert image.base == "RGB"
    assert image.undo == ["start", "end"]


def test_a_selection_is_colored_alone_and_masks_the_layer(procedure: gimp.Procedure) -> None:
    image = photo()
    image.selection = (20, 10, 84, 58)
    assert procedure.call(image, command=COMMAND, objects=False, style="vivid")[0] is gimp.Status.SUCCESS
    layer = image.layers[0]
    assert layer.picture.size == (64, 48)
    assert layer.offsets == (20, 10)
    assert layer.mask == "selection"
    assert image.selection == (20, 10, 84, 58)


def test_saturation_zero_gives_a_gray_layer(procedure: gimp.Procedure) -> None:
    image = photo()
    procedure.call(image, command=COMMAND, objects=False, saturation=0.0)
    assert chroma(image.layers[0]) < 1


@pytest.mark.parametrize("command", ["/no/such/program", f"{shlex.quote(sys.executable)} -c import_nothing_of_it"])
def test_a_command_that_fails_is_a_sentence_and_changes_nothing(procedure: gimp.Procedure, command: str) -> None:
    image = photo()
    status, error = procedure.call(image, command=command)
    assert status is gimp.Status.EXECUTION_ERROR
    assert str(error)
    assert "\n" not in str(error)
    assert len(image.layers) == 1
    assert image.base == "GRAY"


def test_without_a_setting_the_command_is_looked_for_on_path(
    plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "instcolor"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert plugin.find_command("") == [str(command)]
    command.unlink()
    with pytest.raises(RuntimeError, match="pip install instcolor"):
        plugin.find_command("")
