"""The exported networks answer as the torch ones do, from small files without waste in their graphs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from instcolor.cli import app
from instcolor.errors import ModelError
from instcolor.inputs import Inputs, Sizes
from instcolor.models import registry
from instcolor.packaging.lite import export_lite, for_export, package_lite
from instcolor.runtime.model import Answer, OnnxModel
from instcolor.torch_models.model import TorchModel
from support.random_networks import photo, random_fusion, random_inputs, random_lite

INSTANCE_SIZE = 64
AB_RANGE = 220.0
FACTS: dict[str, Any] = {
    "name": "test-model",
    "summary": 'Weights at random, called "test"',
    "license": "Apache-2.0",
    "side": 64,
    "instance_size": INSTANCE_SIZE,
}


@pytest.fixture(scope="module")
def networks() -> dict[str, Any]:
    full, instance = random_lite(0), random_lite(1)
    return {"full": full, "instance": instance, "fusion": random_fusion(full, 2)}


@pytest.fixture(scope="module")
def torch_model(networks: dict[str, Any]) -> TorchModel:
    return TorchModel(**networks, side=64, instance_size=INSTANCE_SIZE)


@pytest.fixture(scope="module")
def whole_folder(networks: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported networks with float32 weights."""
    folder = tmp_path_factory.mktemp("whole")
    assert export_lite(**networks, folder=folder, half=False) == (folder / "photo.onnx", folder / "objects.onnx")
    return folder


@pytest.fixture(scope="module")
def packaged_folder(networks: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry folder made from the networks' weights, as a model is shipped."""
    folder = tmp_path_factory.mktemp("models") / "test-model"
    package_lite(saved(networks, tmp_path_factory.mktemp("weights")), folder, **FACTS)
    return folder


def saved(networks: dict[str, Any], folder: Path) -> dict[str, Path]:
    """The networks' weights as a training leaves them."""
    weights = {stage: folder / f"{stage}.safetensors" for stage in networks}
    for stage, path in weights.items():
        save_file(networks[stage].state_dict(), path)
    return weights


def opened(folder: Path) -> OnnxModel:
    return OnnxModel(folder / "photo.onnx", folder / "objects.onnx", Sizes(64, 64, 32), threads=1)


@pytest.fixture(scope="module")
def whole(whole_folder: Path) -> OnnxModel:
    return opened(whole_folder)


@pytest.fixture(scope="module")
def half(packaged_folder: Path) -> OnnxModel:
    return opened(packaged_folder)


def differences(a: Answer, b: Answer) -> tuple[float, float]:
    """The largest in ab, as a share of its range, and in the logits, as a share of theirs."""
    assert a.ab.shape == b.ab.shape
    assert a.logits.shape == b.logits.shape
    logits = np.abs(a.logits - b.logits).max() / np.ptp(b.logits)
    return float(np.abs(a.ab - b.ab).max() / AB_RANGE), float(logits)


CASES = [((64, 64), 0), ((96, 64), 1), ((32, 128), 3), ((128, 128), 3), ((64, 96), 16)]


@pytest.mark.parametrize(("size", "count"), CASES)
def test_torch_and_onnx_agree(torch_model: TorchModel, whole: OnnxModel, size: tuple[int, int], count: int) -> None:
    inputs = random_inputs(size, count, INSTANCE_SIZE, seed=count)
    expected, answer = torch_model.answer(inputs), whole.answer(inputs)
    assert answer.ab.shape == (size[0] // 4, size[1] // 4, 2)
    assert answer.ab.dtype == answer.logits.dtype == np.float32
    assert expected.ab.std() > 5  # there is something to agree on
    assert max(differences(answer, expected)) < 1e-4


@pytest.mark.parametrize(("size", "count"), [((64, 96), 1), ((64, 96), 4)])
def test_torch_and_onnx_agree_on_masks(
    torch_model: TorchModel, whole: OnnxModel, size: tuple[int, int], count: int
) -> None:
    inputs = random_inputs(size, count, INSTANCE_SIZE, seed=count, masked=True)
    expected = torch_model.answer(inputs)
    assert max(differences(whole.answer(inputs), expected)) < 1e-4
    without = random_inputs(size, count, INSTANCE_SIZE, seed=count)
    assert np.abs(torch_model.answer(without).ab - expected.ab).max() > 1


def boxed(inputs: Inputs[Any]) -> Inputs[Any]:
    """The same inputs, every object filling its box."""
    ones = np.ones((len(inputs.places.box), 1, 1, 1), np.float32)
    return inputs._replace(places=inputs.places._replace(coverage=ones))


def test_masks_that_are_full_change_nothing_and_empty_ones_leave_the_photo(whole: OnnxModel) -> None:
    inputs = random_inputs((64, 96), 2, INSTANCE_SIZE, seed=12)
    nothing = random_inputs((64, 96), 0, INSTANCE_SIZE, seed=12)
    plane = np.ones((2, 1, 16, 16), np.float32)
    for coverage, expected in ((plane, boxed(inputs)), (0 * plane, nothing._replace(photo=inputs.photo))):
        found = whole.answer(inputs._replace(places=inputs.places._replace(coverage=coverage)))
        np.testing.assert_array_equal(found.ab, whole.answer(expected).ab)


def test_a_file_from_before_masks_takes_objects_by_their_boxes(whole_folder: Path, tmp_path: Path) -> None:
    older = onnx.load(str(whole_folder / "photo.onnx"))
    (coverage,) = (given for given in older.graph.input if given.name == "coverage")
    older.graph.input.remove(coverage)
    older.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "coverage"))
    onnx.save(older, str(tmp_path / "photo.onnx"))
    (tmp_path / "objects.onnx").write_bytes((whole_folder / "objects.onnx").read_bytes())
    masked, plain = (random_inputs((64, 96), 1, INSTANCE_SIZE, seed=13, masked=masked) for masked in (True, False))
    np.testing.assert_array_equal(opened(tmp_path).answer(masked).ab, opened(whole_folder).answer(boxed(plain)).ab)


def test_objects_of_any_crop_size_agree(torch_model: TorchModel, whole: OnnxModel) -> None:
    inputs = random_inputs((64, 64), 2, 96, seed=9)
    assert max(differences(whole.answer(inputs), torch_model.answer(inputs))) < 1e-4


@pytest.mark.parametrize(("size", "count"), [((64, 64), 0), ((64, 96), 3)])
def test_half_stored_weights_stay_near(
    torch_model: TorchModel, half: OnnxModel, size: tuple[int, int], count: int
) -> None:
    inputs = random_inputs(size, count, INSTANCE_SIZE, seed=count)
    answer, expected = half.answer(inputs), torch_model.answer(inputs)
    assert max(differences(answer, expected)) < 0.01
    assert np.abs(answer.ab - expected.ab).mean() < 0.3  # of 220
    assert not np.array_equal(answer.ab, expected.ab)


def test_size_of_the_objects_crops_counts(whole: OnnxModel) -> None:
    """What the fusion reads from `pixels` is in the exported file too."""
    inputs = random_inputs((64, 64), 2, INSTANCE_SIZE, seed=10)
    places = inputs.places._replace(pixels=inputs.places.pixels + 4)
    other = whole.answer(inputs._replace(places=places))
    assert np.abs(other.ab - whole.answer(inputs).ab).max() > 0.1


# Files


@pytest.mark.parametrize("name", ["photo.onnx", "objects.onnx"])
def test_files_stay_within_the_size_that_is_shipped(packaged_folder: Path, whole_folder: Path, name: str) -> None:
    size = (packaged_folder / name).stat().st_size
    assert 1e6 < size < 16e6
    assert size < 0.55 * (whole_folder / name).stat().st_size


@pytest.mark.parametrize("name", ["photo.onnx", "objects.onnx"])
def test_graphs_carry_nothing_that_could_be_folded_away(packaged_folder: Path, name: str) -> None:
    graph = onnx.load(str(packaged_folder / name)).graph
    kinds = {node.op_type for node in graph.node}
    assert "Conv" in kinds
    assert not kinds & {"BatchNormalization", "Pad", "Dropout", "ConstantOfShape"}
    stored = {constant.name for constant in graph.initializer}
    halves = {constant.name for constant in graph.initializer if constant.data_type == onnx.TensorProto.FLOAT16}
    for node in graph.node:
        if node.op_type == "Cast" and set(node.input) & stored:
            assert node.input[0] in halves
        else:
            assert not halves & set(node.input), "a network computes in float32"


def test_networks_to_export_answer_the_same_and_the_given_ones_stay(networks: dict[str, Any]) -> None:
    network = networks["full"]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    planes = photo(1, 64, 96, seed=11)
    with torch.no_grad():
        expected, found = network(*planes), for_export(network)(*planes)
    torch.testing.assert_close(found.ab, expected.ab, atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[key], before[key]) for key in before)


# Packaging


def test_a_packaged_model_is_found_verified_and_complete(
    packaged_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTCOLOR_MODELS", str(packaged_folder.parent))
    entry = registry.find("test-model")
    entry.verify()
    assert {key: getattr(entry, key) for key in FACTS} == FACTS
    assert entry.multiple == 32
    for name, sha256 in entry.sha256.items():
        assert hashlib.sha256((packaged_folder / name).read_bytes()).hexdigest() == sha256


def test_the_command_makes_a_model_of_trained_weights(
    networks: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "models"))
    weights = saved(networks, tmp_path)
    result = CliRunner().invoke(app, ["models", "package", *map(str, weights.values()), "--name", "mine"])
    assert result.exit_code == 0, result.output
    entry = registry.find("mine")
    entry.verify()
    assert (entry.side, entry.instance_size) == (256, 192)


def test_weights_of_another_network_are_not_packaged(networks: dict[str, Any], tmp_path: Path) -> None:
    weights = {stage: tmp_path / f"{stage}.safetensors" for stage in networks}
    for stage in ("full", "instance"):
        save_file(networks["full"].state_dict(), weights[stage])
    save_file({"full.e4.0.weight": torch.zeros(16, 24, 3, 3)}, weights["fusion"])
    with pytest.raises(ModelError, match=r"fusion\.safetensors: not weights of this network") as caught:
        package_lite(weights, tmp_path / "test-model", **FACTS)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "test-model").exists()
