"""Others' files to models that are called by name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from instcolor import Colorizer, DetectedObject
from instcolor.colorizer import load_model
from instcolor.errors import ModelError
from instcolor.inputs import Sizes
from instcolor.models import registry
from instcolor.networks.siggraph17_fusion import InstColorization
from instcolor.packaging import layouts, loading, siggraph17
from instcolor.packaging.imported import Imported
from instcolor.packaging.installing import install
from instcolor.packaging.layouts import layout
from instcolor.runtime.blending import BlendedModel
from instcolor.runtime.instcolorization import InstColorizationModel
from instcolor.torch_models.imported import ThreeNetworks
from support import seeded
from support.graphs import Graph
from support.photographs import ab_of
from support.stand_in import typed

SIDE = 64
FACTS = f"""
side = {SIDE}
license = "MIT"
[network]
takes = "gray"
gives = "ab"
scale = [10.0, 20]
"""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's models; hundreds of megabytes at times, so they are gone after the test."""
    folder = tmp_path / "models"
    monkeypatch.setenv("INSTCOLOR_MODELS", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def colorizer_files(tmp_path: Path) -> list[Path]:
    """An ONNX file that gives 1 and 1 everywhere, and its facts."""
    graph = Graph()
    zero = graph.op("Mul", "input", graph.constant(np.zeros((1, 3, 1, 1))))
    two = graph.op("Slice", zero, *(graph.constant([i], np.int64) for i in (0, 2, 1)))
    graph.op("Add", two, graph.constant(1), name="output")
    path = tmp_path / "Somebodys.onnx"
    graph.save(path, typed({"input": (1, 3, SIDE, SIDE)}), typed({"output": (1, 2, SIDE, SIDE)}))
    (tmp_path / "facts.toml").write_text(FACTS)
    return [path, tmp_path / "facts.toml"]


def left(models: Path) -> list[str]:
    return sorted(path.name for path in models.iterdir()) if models.exists() else []


def refusal(files: list[Path], models: Path, **options: Any) -> str:
    before = left(models)
    with pytest.raises(ModelError) as caught:
        install(files, folder=models, **options)
    assert left(models) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Checkpoints


def test_a_single_network_is_imported_and_colors_photos_by_its_name(models: Path, tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(0)
    state = {
        key: torch.rand(1, generator=rng).expand(shape) if "running_var" in key else torch.zeros(1).expand(shape)
        for key, shape in layout("eccv16").items()
    }
    # nothing but the last layer speaks: it likes the third color best, which is a*, b* of 22, -33
    state["model8.6.bias"] = torch.eye(313)[2] * 20
    state["model_out.weight"] = (torch.tensor([0.2, -0.3]).view(2, 1, 1, 1)).expand(2, 313, 1, 1)
    torch.save(state, tmp_path / "colorization_release.pth")
    entry = install([tmp_path / "colorization_release.pth"], folder=models, name="zhang")
    assert (entry.name, entry.kind, entry.side, entry.folder) == ("zhang", "eccv16", 256, models / "zhang")
    assert left(models) == ["zhang"]
    assert "colorization_release.pth" in entry.card()
    assert "Colorful Image Colorization" in entry.card()
    assert Imported.read(entry.folder).kind == "eccv16"
    photo = Colorizer("zhang", threads=1).colorize(np.full((90, 120), 130, np.uint8), style="faithful")
    assert photo.ab is not None
    np.testing.assert_allclose(photo.ab[45, 60], (22, -33), atol=0.1)


def test_the_three_networks_become_a_model_of_the_published_mode(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small: dict[str, tuple[int, ...]] = {"model8up.0.weight": (2, 2)}
    known = {"siggraph17": small, "fusion": small | {"weight_layer.simple_bg_conv.0.bias": (1,)}}
    monkeypatch.setattr(layouts, "layout", known.__getitem__)
    for kind, shapes in known.items():
        names = ("latest_net_G.pth", "latest_net_GComp.pth") if kind == "siggraph17" else ("latest_net_GF.pth",)
        for name in names:
            torch.save({key: torch.ones(shape) for key, shape in shapes.items()}, tmp_path / name)

    def export(_: object, folder: Path) -> None:  # the real one is held to the published code by the golden tests
        for file in registry.KINDS["instcolorization"]:
            (folder / file).write_bytes(file.encode())

    with torch.device("meta"):
        networks = InstColorization()
    monkeypatch.setattr(loading, "load_networks", lambda _: networks)
    monkeypatch.setattr(siggraph17, "export_instcolorization", export)
    entry = install(sorted(tmp_path.glob("*.pth")), folder=models)
    assert (entry.name, entry.kind) == ("instcolorization", "instcolorization")
    assert set(entry.sha256) == {"full.onnx", "objects.onnx", "photo.onnx"}
    entry.verify()
    model = load_model("instcolorization")
    assert isinstance(model, InstColorizationModel)
    assert (model.mode, model.sizes) == ("reference", Sizes(256, 256, 8, squash=True, surroundings=0.0))
    (entry.folder / "full.onnx").write_bytes(b"?")
    with pytest.raises(ModelError, match="full.onnx: model file is damaged"):
        load_model("instcolorization")


@torch.no_grad()
def test_the_authors_files_color_a_photo_as_their_networks_do(models: Path, tmp_path: Path) -> None:
    """From the three files, in the authors' layout, to colors: each network in its place, with nothing in between."""
    states = {
        name: {key: torch.from_numpy(value) for key, value in seeded.fill(layout(kind), name).items()}
        for name, kind in (("G", "siggraph17"), ("GComp", "siggraph17"), ("GF", "fusion"))
    }
    files = [tmp_path / f"latest_net_{name}.pth" for name in states]
    for path, (name, state) in zip(files, states.items(), strict=True):
        torch.save({f"module.{key}" if name == "GF" else key: value for key, value in state.items()}, path)
    install(files, folder=models, name="paper")
    networks = InstColorization().eval()
    networks.full.load_state_dict(states["GComp"], strict=False)  # the counters of BatchNorm are of no use
    networks.instance.load_state_dict(states["G"], strict=False)
    networks.trunk.load_state_dict(states["GF"], strict=False)
    networks.fusion.load_state_dict(
        {key: value for key, value in states["GF"].items() if key.startswith("weight_layer")}
    )
    photo = np.tile(np.linspace(20, 230, 120, dtype=np.uint8), (90, 1))
    for objects in ([], [DetectedObject((20, 10, 90, 70), "dog", 0.9)]):
        expected, found = (
            Colorizer(model, threads=1).look(photo, objects=objects).answer.ab
            for model in (ThreeNetworks(networks), "paper")
        )
        assert np.ptp(expected) > 20
        assert np.abs(found - expected).max() < 1e-4 * np.ptp(expected)


def test_a_checkpoint_that_is_refused_leaves_nothing(models: Path, tmp_path: Path) -> None:
    (tmp_path / "latest_net_G.pth").write_bytes(b"no checkpoint")
    assert "latest_net_G.pth: refused" in refusal([tmp_path / "latest_net_G.pth"], models)


def test_a_full_disk_leaves_nothing(colorizer_files: list[Path], models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("instcolor.packaging.installing.shutil.copyfile", full)
    assert "cannot be written to (No space left on device)" in refusal(colorizer_files, models)


# ONNX files


def test_an_onnx_file_becomes_a_model_that_colors_objects_too(colorizer_files: list[Path], models: Path) -> None:
    entry = install(colorizer_files, folder=models, name="mine")
    assert (entry.kind, entry.side, entry.license, entry.size) == (
        "external",
        SIDE,
        "MIT",
        colorizer_files[0].stat().st_size,
    )
    assert "Somebodys.onnx" in entry.card()
    assert isinstance(load_model("mine"), BlendedModel)
    photo = Colorizer("mine", threads=1).colorize(
        np.full((90, 120), 130, np.uint8), objects=[DetectedObject((10, 10, 60, 60), "dog", 0.9)], style="faithful"
    )
    np.testing.assert_allclose(ab_of(photo), np.broadcast_to((10, 20), (90, 120, 2)), atol=1e-3)


def test_a_model_is_called_as_its_file_where_it_has_no_other_name(colorizer_files: list[Path], models: Path) -> None:
    assert install(colorizer_files, folder=models).name == "somebodys"


def test_names_that_are_taken_or_are_no_names_are_refused(colorizer_files: list[Path], models: Path) -> None:
    install(colorizer_files, folder=models, name="mine")
    assert "there is a model of this name" in refusal(colorizer_files, models, name="mine")
    for name in ("../up", "a/b", ""):
        assert "not a model's name" in refusal(colorizer_files, models, name=name)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("side = ", "not the facts"),
        ('summary = "x"', "side is missing"),
        ("side = 64\nsides = 3", "sides is no fact"),
        ("side = -1", "not positive whole numbers"),
        ("side = 64\nnetwork = 3", "network is not a table"),
        ('side = 64\n[network]\ngives = "hsv"', "gives = 'hsv'"),
        ('side = 64\n[network]\ninput = "image"', "lacks image"),
    ],
)
def test_facts_that_make_no_sense_are_refused(
    facts: str, reason: str, colorizer_files: list[Path], models: Path
) -> None:
    colorizer_files[1].write_text(facts)
    assert reason in refusal(colorizer_files, models)


def test_an_onnx_file_comes_with_its_facts_and_nothing_else(colorizer_files: list[Path], models: Path) -> None:
    graph, facts = colorizer_files
    for files in ([graph], [facts], [graph, graph, facts], [graph, facts, graph.with_suffix(".pth")]):
        assert "goes with the one TOML" in refusal(files, models)
    assert "no mask center" in refusal([graph, facts], models, mask_center=0.5)
