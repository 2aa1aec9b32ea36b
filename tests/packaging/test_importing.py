"""Others' checkpoints: every published layout, and what must be refused.

The files have the real names and shapes, but each parameter is one number seen through a stride of 0: they weigh a few
hundred kilobytes.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from instcolor.errors import ModelError
from instcolor.networks.eccv16 import Eccv16
from instcolor.networks.siggraph17 import Siggraph17
from instcolor.networks.siggraph17_fusion import InstColorization
from instcolor.packaging import checkpoints, importing, layouts
from instcolor.packaging.facts import checksum
from instcolor.packaging.imported import FACTS, Imported
from instcolor.packaging.importing import import_checkpoint
from instcolor.packaging.layouts import SINGLE, layout, standard_name
from support.places import DATA


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    """A folder for what is imported, which may be hundreds of megabytes: gone after the test."""
    yield tmp_path / "models"
    shutil.rmtree(tmp_path / "models", ignore_errors=True)


def number(network: str, key: str) -> float:
    """A value of its own for every parameter of every network."""
    return zlib.crc32(f"{network}/{key}".encode()) % 10_000 / 10_000 + 0.1


def parameters(network: str, kind: str) -> dict[str, Tensor]:
    """As torch saves them: with the counters of BatchNorm."""
    values = {key: torch.tensor(number(network, key)).expand(shape) for key, shape in layout(kind).items()}
    counters = {key.replace("running_var", "num_batches_tracked"): torch.tensor(7) for key in values if "var" in key}
    return OrderedDict(values | counters)


def save(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def authors_files(folder: Path) -> list[Path]:
    fusion = parameters("GF", "fusion")
    fusion |= {f"weight_layerout.simple_bg_conv.{i}.bias": torch.zeros(16) for i in (0, 2, 4)}  # never used
    return [
        save(folder / "latest_net_GF.pth", {f"module.{key}": value for key, value in fusion.items()}),
        save(folder / "latest_net_G.pth", parameters("G", "siggraph17")),
        save(folder / "latest_net_GComp.pth", parameters("GComp", "siggraph17")),
    ]


def mmagic_file(folder: Path) -> list[Path]:
    parts = {"image_model": ("GComp", "siggraph17"), "instance_model": ("G", "siggraph17")}
    state = {}
    for prefix, (network, kind) in (parts | {"fusion_model": ("GF", "fusion")}).items():
        for key, value in parameters(network, kind).items():
            layer, leaf = key.rsplit(".", 1)
            single = layer.removesuffix(".0") if layer.removesuffix(".0") in SINGLE else layer
            state[f"{prefix}.{single}.{leaf}"] = value
    return [save(folder / "mmagic.pth", {"meta": {"epoch": 12}, "state_dict": state})]


def old_file(folder: Path) -> list[Path]:
    """As torch 0.4 wrote them: another container, no counters."""
    state = {key: v for key, v in parameters("G", "siggraph17").items() if "num_batches" not in key}
    return [save(folder / "caffemodel.pth", state, _use_new_zipfile_serialization=False)]


def assert_values(network: torch.nn.Module, name: str) -> None:
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert value.flatten()[0].item() == pytest.approx(number(name, key)), key
            assert (value == value.flatten()[0]).all(), key


# Layouts


@pytest.mark.parametrize(
    ("kind", "network"), [("siggraph17", "GComp"), ("siggraph17", "G"), ("fusion", "GF"), ("eccv16", "eccv16")]
)
def test_layouts_are_those_of_the_published_code(kind: str, network: str) -> None:
    with np.load(DATA / "golden" / "golden.npz") as golden:
        shapes = json.loads(str(golden["meta/shapes_json"]))[network]
    assert layout(kind) == {name: tuple(shape) for key, shape in shapes.items() if (name := standard_name(key))}


def test_layouts_have_the_known_numbers_of_parameters() -> None:
    counts = {
        kind: sum(int(np.prod(shape)) for key, shape in layout(kind).items() if ".running" not in key)
        for kind in ("siggraph17", "fusion", "eccv16")
    }
    assert counts == {"siggraph17": 34_187_027, "fusion": 35_270_831 - 5_538, "eccv16": 32_236_011}


@pytest.mark.parametrize("write", [authors_files, mmagic_file])
def test_three_networks_go_to_their_parts(write: Any, models: Path, tmp_path: Path) -> None:
    from instcolor.packaging.loading import load_networks

    files = write(tmp_path)
    weights = import_checkpoint(files, folder=models, name="paper")
    assert (weights.kind, weights.mask_center) == ("instcolorization", 0.5)
    assert weights.origin == {file.name: checksum(file) for file in files}
    assert sorted(os.listdir(weights.folder)) == [
        "full.safetensors",
        "fusion.safetensors",
        "instance.safetensors",
        "weights.toml",
    ]
    assert Imported.read(weights.folder) == weights
    networks = load_networks(weights)
    assert isinstance(networks, InstColorization)
    assert networks.fusion.mode == "reference"
    assert_values(networks.full, "GComp")
    assert_values(networks.instance, "G")
    assert_values(networks.trunk, "GF")
    assert_values(networks.fusion, "GF")


@pytest.mark.parametrize(
    ("file", "kind", "module", "center"),
    [
        ("caffemodel.pth", "siggraph17", Siggraph17, 0.0),
        ("latest_net_G.pth", "siggraph17", Siggraph17, 0.5),
        ("somebody.pth", "eccv16", Eccv16, 0.0),
    ],
)
def test_single_networks(file: str, kind: str, module: type, center: float, models: Path, tmp_path: Path) -> None:
    from instcolor.packaging.loading import load_networks

    path = old_file(tmp_path)[0] if file == "caffemodel.pth" else save(tmp_path / file, parameters("G", kind))
    weights = import_checkpoint([path], folder=models)
    assert (weights.name, weights.kind, weights.mask_center) == (kind, kind, center)
    network = load_networks(weights)
    assert isinstance(network, module)
    assert getattr(network, "mask_center", 0.0) == center
    assert_values(network, "G")


# Recognition


def mask_center(path: Path, kind: str = "siggraph17") -> float:
    return importing._mask_center(kind, path, checksum(path))


@pytest.mark.parametrize(
    ("name", "center"), [("caffemodel.pth", 0.0), ("pytorch.pth", 0.5), ("latest_net_GComp.pth", 0.5)]
)
def test_mask_center_follows_from_a_known_name(name: str, center: float, tmp_path: Path) -> None:
    assert mask_center(save(tmp_path / name, {})) == center


def test_mask_center_follows_from_a_known_sha256_whatever_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "renamed.pth", {})
    with pytest.raises(ModelError, match="mask center"):
        mask_center(path)
    monkeypatch.setattr(importing, "KNOWN", (importing.Known("known.pth", checksum(path)[:8], 0.0),))
    assert mask_center(path) == 0.0


def test_a_file_with_a_known_name_and_another_sha256_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "siggraph17-df00044c.pth", {})
    with pytest.raises(ModelError, match=r"siggraph17-df00044c.pth: damaged or another file"):
        mask_center(path)


def test_a_given_mask_center_counts(models: Path, tmp_path: Path) -> None:
    path = save(tmp_path / "unknown.pth", parameters("G", "siggraph17"))
    assert import_checkpoint([path], folder=models, mask_center=0.0).mask_center == 0.0
    with pytest.raises(ModelError, match="0 or 0.5, not 0.3"):
        import_checkpoint([path], folder=models, mask_center=0.3)


# Refused


def refusal(files: list[Path], tmp_path: Path, **options: Any) -> str:
    """The one line that says why; nothing may be left behind."""
    with pytest.raises(ModelError) as caught:
        import_checkpoint(files, folder=tmp_path / "models", **options)
    assert not (tmp_path / "models").exists() or not os.listdir(tmp_path / "models")
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Bomb:
    """Runs a command when a careless reader opens it."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.witness),)


@pytest.mark.parametrize("container", [True, False])
@pytest.mark.parametrize("place", ["whole", "value", "beside"])
def test_pickles_that_run_code_are_refused_and_do_not_run(place: str, container: bool, tmp_path: Path) -> None:
    bomb = Bomb(tmp_path / "ran")
    content = {"whole": bomb, "value": {"model1.0.weight": bomb}, "beside": {"state_dict": {}, "meta": bomb}}[place]
    path = save(tmp_path / "latest_net_G.pth", content, _use_new_zipfile_serialization=container)
    assert "latest_net_G.pth: refused" in refusal([path], tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", b"PK\x03\x04 nor a zip file", b"\x80\x02}q\x00"])
def test_files_of_another_kind_are_refused(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "latest_net_G.pth"
    path.write_bytes(damage)
    assert "latest_net_G.pth: refused" in refusal([path], tmp_path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "latest_net_G.pth", parameters("G", "siggraph17"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "latest_net_G.pth: refused" in refusal([path], tmp_path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert "gone.pth: cannot be read" in refusal([tmp_path / "gone.pth"], tmp_path)
    assert "no file" in refusal([], tmp_path)


def test_files_that_unpack_to_too_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "latest_net_G.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1_000_000))
    monkeypatch.setattr(checkpoints, "MAX_CHECKPOINT_BYTES", 999_999)
    assert "unpacks to more than 999999 bytes" in refusal([path], tmp_path)
    monkeypatch.setattr(checkpoints, "MAX_CHECKPOINT_BYTES", 1_000_000)
    assert "refused" in refusal([path], tmp_path)
    monkeypatch.setattr(checkpoints, "MAX_CHECKPOINT_BYTES", path.stat().st_size - 1)
    assert "more than" in refusal([path], tmp_path)


@pytest.mark.parametrize("content", [[], {}, {"model8up.0.weight": "text"}, {3: torch.zeros(1)}, {"state_dict": {}}])
def test_content_that_is_no_parameters_is_refused(content: Any, tmp_path: Path) -> None:
    refusal([save(tmp_path / "latest_net_G.pth", content)], tmp_path)


def test_differences_from_the_layout_are_listed(tmp_path: Path) -> None:
    state = parameters("G", "siggraph17")
    del state["model10up.0.bias"]
    state["model11.0.weight"] = torch.zeros(1)
    state["model1.0.weight"] = torch.zeros(64, 1, 3, 3)
    message = refusal([save(tmp_path / "latest_net_G.pth", state)], tmp_path)
    assert message.endswith(
        "latest_net_G.pth: not the parameters of a siggraph17 network: missing model10up.0.bias; "
        "unknown model11.0.weight; model1.0.weight is 64x1x3x3, not 64x4x3x3"
    )


def test_long_lists_of_differences_are_cut(tmp_path: Path) -> None:
    state = {key: value for key, value in parameters("G", "siggraph17").items() if not key.startswith("model5")}
    message = refusal([save(tmp_path / "latest_net_G.pth", state)], tmp_path)
    assert message.endswith("missing model5.0.weight, model5.0.bias, model5.2.weight and 7 more")


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "resnet.pth", {"conv1.weight": torch.zeros(64, 3, 7, 7)})
    assert "resnet.pth: not a network that is known here" in refusal([path], tmp_path)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (torch.tensor([1.0, float("nan")]), "not finite"),
        (torch.tensor([1.0, float("inf")]), "not finite"),
        (torch.tensor([1, 2]), "int64, not floats"),
    ],
)
def test_values_that_are_no_weights_are_refused(value: Tensor, reason: str, tmp_path: Path) -> None:
    state = parameters("G", "siggraph17") | {"model_out.0.bias": value}
    message = refusal([save(tmp_path / "latest_net_G.pth", state)], tmp_path)
    assert "latest_net_G.pth: model_out.0.bias" in message
    assert reason in message


def test_one_parameter_under_two_names_is_refused(tmp_path: Path) -> None:
    state = parameters("G", "siggraph17")
    state["model8up.weight"] = state["model8up.0.weight"]
    assert "model8up.0.weight is there twice" in refusal([save(tmp_path / "latest_net_G.pth", state)], tmp_path)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    fusion, instance, full = authors_files(tmp_path)
    assert "the full network is missing" in refusal([fusion, instance], tmp_path)
    assert "the full network is missing" in refusal([fusion], tmp_path)
    assert "a second instance network" in refusal([instance, instance], tmp_path)
    other = full.rename(tmp_path / "somebody.pth")
    assert "somebody.pth: full-image or instance network?" in refusal([other, instance], tmp_path)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "Upper", ".hidden", "x" * 65])
def test_names_that_are_no_names_are_refused(name: str, tmp_path: Path) -> None:
    assert "not a model's name" in refusal([tmp_path / "latest_net_G.pth"], tmp_path, name=name)


# Writing


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkpoint of a network that has one parameter, so that writing takes no time."""
    monkeypatch.setattr(layouts, "layout", {"siggraph17": {"model8up.0.weight": (2, 2)}}.__getitem__)
    return save(tmp_path / "latest_net_G.pth", {"model8up.0.weight": torch.eye(2, dtype=torch.float16)})


def test_what_exists_is_not_overwritten(small: Path, tmp_path: Path) -> None:
    weights = import_checkpoint([small], folder=tmp_path / "models")
    before = {path: path.stat().st_mtime_ns for path in weights.folder.iterdir()}
    with pytest.raises(ModelError, match="exists already"):
        import_checkpoint([small], folder=tmp_path / "models")
    assert {path: path.stat().st_mtime_ns for path in weights.folder.iterdir()} == before
    assert os.listdir(tmp_path / "models") == ["siggraph17"]
    assert import_checkpoint([small], folder=tmp_path / "models", name="second").folder.name == "second"


def test_a_disk_that_is_full_leaves_nothing_behind(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    assert "cannot be written to (No space left on device)" in refusal([small], tmp_path)


def test_odd_file_names_survive_the_facts(small: Path, tmp_path: Path) -> None:
    odd = small.rename(tmp_path / 'odd "é" \\ \x7f\n😀.pth')
    weights = import_checkpoint([odd], folder=tmp_path / "models", mask_center=0.5)
    assert Imported.read(weights.folder).origin == {odd.name: checksum(odd)}
    assert stat.S_IMODE(weights.folder.stat().st_mode) == 0o755


def test_damaged_weights_are_refused(small: Path, tmp_path: Path) -> None:
    weights = import_checkpoint([small], folder=tmp_path / "models")
    with weights.path("full").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match=r"full.safetensors: damaged"):
        Imported.read(weights.folder)
    facts = weights.folder / FACTS
    facts.write_text(facts.read_text().replace("siggraph17", "another"), encoding="utf-8")
    with pytest.raises(ModelError, match="unknown kind"):
        Imported.read(weights.folder)
    facts.write_text("name = 1 1", encoding="utf-8")
    with pytest.raises(ModelError, match="not the facts"):
        Imported.read(weights.folder)
