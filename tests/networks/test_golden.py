"""Parity with the published code of Su et al. 2020 and of the networks it builds on, in torch and exported.

`data/golden/golden.npz` holds what that code gives for weights that follow from a rule (`seeded.py`), computed in
float64. Side 128, synthetic photo of 200 x 180.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from instcolor import Colorizer, DetectedObject
from instcolor.bins import BIN_COUNT
from instcolor.inputs import Canvas, Inputs, Places, Sizes, cell_box
from instcolor.networks.eccv16 import Eccv16
from instcolor.networks.siggraph17 import TAPS, Siggraph17, in_gamut_cells
from instcolor.networks.siggraph17_fusion import (
    RECTIFIED,
    InstColorization,
    Merger,
    Mode,
    instance_features,
)
from instcolor.packaging.siggraph17 import export_instcolorization, export_network
from instcolor.runtime.instcolorization import InstColorizationModel
from instcolor.runtime.model import Answer, Plane, load_session
from instcolor.torch_models.imported import ThreeNetworks
from support import seeded
from support.places import DATA

SIDE = 128
SIZE = (200, 180)
TOLERANCE = 2e-5  # of the range of what is compared; float32 alone costs the original 5e-6
CASES = ("one", "tiny", "edge", "edge_neg", "three", "eight")
Golden = Mapping[str, NDArray[Any]]
ZERO_AB, ZERO = torch.zeros(1, 2, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)


def assert_equal(found: Tensor | NDArray[Any], expected: NDArray[Any], scale: float = 1) -> None:
    """`found` / `scale` is what the original gave, but for rounding."""
    found = np.asarray(found) / scale
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= TOLERANCE * (expected.max() - expected.min())


def stat_vector(feature: Tensor) -> NDArray[Any]:
    """Mean, deviation, least, greatest and 16 samples of a map, as the golden file describes maps."""
    values = feature.double().numpy().ravel()
    n = values.size
    samples = values[[i * n // 16 + n // 32 for i in range(16)]]
    return np.array([values.mean(), values.std(), values.min(), values.max(), *samples])


@pytest.fixture(scope="module")
def golden() -> Golden:
    with np.load(DATA / "golden" / "golden.npz") as file:
        return dict(file)


def state(golden: Golden, name: str) -> dict[str, Tensor]:
    """The parameters of a network of the published code, proven to be the ones that the file was made with."""
    shapes = {key: tuple(shape) for key, shape in json.loads(str(golden["meta/shapes_json"]))[name].items()}
    values = seeded.fill(shapes, name)
    assert seeded.sha256(values) == str(golden[f"check/sha256_{name}"])
    return {key: torch.from_numpy(value) for key, value in values.items()}


@pytest.fixture(scope="module", autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def networks(golden: Golden) -> InstColorization:
    networks = InstColorization().eval()
    networks.full.load_state_dict(state(golden, "GComp"))
    networks.instance.load_state_dict(state(golden, "G"))
    fusion = state(golden, "GF")
    networks.trunk.load_state_dict({key: v for key, v in fusion.items() if not key.startswith("weight_layer")})
    predictors = {key: v for key, v in fusion.items() if key.startswith("weight_layer")}
    networks.fusion.load_state_dict({k: v for k, v in predictors.items() if not k.startswith("weight_layerout")})
    return networks


@pytest.fixture(scope="module")
def L(golden: Golden) -> Tensor:
    return 100 * torch.from_numpy(golden["input/L"]) + 50


# One network


def test_golden_full_network(networks: InstColorization, golden: Golden, L: Tensor) -> None:
    features: dict[str, Tensor] = {}
    prediction = networks.full(L, ZERO_AB, ZERO, lambda name, feature: features.setdefault(name, feature))
    assert_equal(prediction.ab, golden["full/ab"], 110)
    assert_equal(features["conv7_3"][0, ::16], golden["full/tap_full/conv7_3"])
    for name, feature in features.items():
        rectified = (
            feature.relu() if name in RECTIFIED else feature
        )  # the original rectified them before they were read
        assert_equal(stat_vector(rectified), golden[f"full/tap/{name}"])


def test_golden_mask_center_0(networks: InstColorization, golden: Golden, L: Tensor) -> None:
    network = Siggraph17(mask_center=0).eval()
    network.load_state_dict(networks.full.state_dict(), assign=True)
    ab = network.regression(L, ZERO_AB, ZERO)
    assert_equal(ab, golden["full_mask0/ab"], 110)
    assert_equal(ab, golden["rz_siggraph17/ab110"])


def test_golden_hints_and_class_head(networks: InstColorization, golden: Golden, L: Tensor) -> None:
    hint_ab = 110 * torch.from_numpy(golden["hint/ab_hint"])
    hint_mask = torch.from_numpy(golden["hint/mask"]) + 0.5
    features: dict[str, Tensor] = {}
    ab, logits = networks.full(L, hint_ab, hint_mask, lambda name, feature: features.setdefault(name, feature))
    assert_equal(ab, golden["hint/ab"], 110)
    grid = networks.full.model_class(features["conv8_3"])
    assert_equal(grid[:, :, ::4, ::4], golden["hint_class/logits"])
    assert (grid.argmax(1).numpy() == golden["hint_class/argmax"]).all()
    assert_equal(logits, grid[:, networks.full.cells].numpy())
    axis = 10 * torch.arange(-11.0, 12)
    centers = torch.cartesian_prod(axis, axis)  # a* slow
    mean = torch.einsum("nchw,cd->ndhw", grid.softmax(1), centers)
    assert_equal(mean, golden["hint_class/mean_ab"], 110)


def test_golden_fusion_network_without_objects(networks: InstColorization, golden: Golden, L: Tensor) -> None:
    assert_equal(networks.trunk.regression(L, ZERO_AB, ZERO), golden["none/ab_GF"], 110)
    assert_equal(networks(without_objects(L, ZERO_AB, ZERO)).ab, golden["none/ab_GComp"], 110)


def test_golden_eccv16_in_torch_and_exported(golden: Golden, tmp_path: Path) -> None:
    network = Eccv16().eval()
    network.load_state_dict(state(golden, "eccv16"))
    L = torch.from_numpy(golden["eccv16/L"])
    ab, logits = network(L, ZERO_AB, ZERO)
    assert_equal(ab, golden["eccv16/ab"])
    assert_equal(network.colors(L)[:, :, ::4, ::4], golden["eccv16/logits"])
    exported = load_session(export_network(network, tmp_path / "photo.onnx"), None).run(
        ["ab", "logits"], {"L": L.numpy()}
    )
    assert_equal(exported[0], golden["eccv16/ab"])
    assert_equal(exported[1], logits.numpy())


# Fusion


@dataclass
class Case:
    name: str
    inputs: Inputs[Tensor]
    features: dict[str, Tensor]


def inputs_of(golden: Golden, name: str, L: Tensor) -> Inputs[Tensor]:
    """The photo and a case's objects, which their crops show alone and which fill their boxes."""
    boxes = torch.from_numpy(golden[f"{name}/boxes"]).float() / torch.tensor([*SIZE, *SIZE])
    n = len(boxes)
    L_crops = 100 * torch.from_numpy(golden[f"{name}/L_crops"]) + 50
    crops = Canvas(L_crops, ZERO_AB.expand(n, -1, -1, -1), ZERO.expand(n, -1, -1, -1))
    return Inputs(Canvas(L, ZERO_AB, ZERO), crops, Places(boxes, boxes, torch.zeros(n, 2), torch.ones(n, 1, 1, 1)))


def without_objects(*planes: Tensor) -> Inputs[Tensor]:
    nowhere = torch.zeros(0, 4)
    places = Places(nowhere, nowhere, torch.zeros(0, 2), torch.ones(0, 1, 1, 1))
    return Inputs(Canvas(*planes), Canvas(*(plane[:0] for plane in planes)), places)


def modes_of(golden: Golden, name: str) -> dict[Mode, NDArray[Any]]:
    """The ab that are known for a case, by the fusion's mode."""
    known: dict[Mode, NDArray[Any]] = {"reference": golden[f"{name}/ab"]}
    masked = golden["one/ab"] if name == "one" else golden.get(f"masked_{name}/ab")
    return known if masked is None else known | {"masked": masked}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, golden: Golden, networks: InstColorization, L: Tensor) -> Case:
    inputs = inputs_of(golden, request.param, L)
    return Case(request.param, inputs, instance_features(networks.instance, *inputs.objects))


def test_golden_cell_boxes(case: Case, golden: Golden) -> None:
    for cells, expected in zip((128, 64, 32, 16), golden[f"{case.name}/box_info"], strict=True):
        boxes = [cell_box(box, (cells, cells)) for box in case.inputs.places.box.tolist()]
        found = [(b.left, cells - b.left - b.width, b.top, cells - b.top - b.height, b.width, b.height) for b in boxes]
        assert found == [tuple(row) for row in expected.tolist()]


def test_golden_instance_features(case: Case, golden: Golden) -> None:
    for i, expected in enumerate(golden[f"{case.name}/inst_tap"]):
        for (name, _, _), vector in zip(TAPS, expected, strict=False):  # the last row is ab
            assert_equal(stat_vector(case.features[name][i]), vector)


def test_golden_fusion(case: Case, golden: Golden, networks: InstColorization, L: Tensor) -> None:
    for mode, expected in modes_of(golden, case.name).items():
        networks.fusion.mode = mode
        merged = networks.fusion.merge([(case.features, case.inputs.places)], (SIDE, SIDE))
        blend = networks.fusion.blend(merged)
        fused: dict[str, Tensor] = {}
        ab = networks.trunk.regression(L, ZERO_AB, ZERO, lambda n, f: fused.setdefault(n, blend(n, f)))  # noqa: B023
        assert_equal(ab, expected, 110)
        if mode == "reference":
            for (name, feature), vector in zip(fused.items(), golden[f"{case.name}/fused_tap"], strict=True):
                assert_equal(stat_vector(feature.relu() if name in RECTIFIED else feature), vector)


def test_golden_fusion_as_a_color_model(networks: InstColorization, golden: Golden, L: Tensor) -> None:
    networks.fusion.mode = "reference"
    model = ThreeNetworks(networks, SIDE)
    assert_answer(model.answer(arrays(inputs_of(golden, "three", L))), golden["three/ab"])


def test_golden_photo_to_colors(networks: InstColorization, golden: Golden) -> None:
    """The way of a photograph. Photo and crops are resized as L*, in the published code as bytes of sRGB."""
    networks.fusion.mode = "reference"
    boxes = golden["three/boxes"].astype(float).tolist()
    objects = [DetectedObject((x0, y0, x1, y1), "thing", 0.9) for x0, y0, x1, y1 in boxes]
    look = Colorizer(ThreeNetworks(networks, SIDE)).look(golden["image/rgb"], objects=objects)
    difference = np.abs(look.answer.ab.transpose(2, 0, 1)[None] - 110 * golden["three/ab"])
    assert difference.mean() < 0.1  # of a range of 167
    assert difference.max() < 2.5


# Exported


@pytest.fixture(scope="module")
def model(networks: InstColorization, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstColorizationModel]:
    """The exported networks, with the side of the golden file; their 400 MB are gone after the tests."""
    folder = tmp_path_factory.mktemp("exported")
    export_instcolorization(networks, folder)
    yield InstColorizationModel(folder, Sizes(SIDE, SIDE, 8))
    shutil.rmtree(folder)


def feeds(*planes: Tensor) -> dict[str, NDArray[Any]]:
    return Canvas(*(plane.numpy() for plane in planes))._asdict()


def arrays(inputs: Inputs[Tensor]) -> Inputs[Plane]:
    photo, objects = (Canvas(*(plane.numpy() for plane in planes)) for planes in inputs[:2])
    return Inputs(photo, objects, Places(*(plane.numpy() for plane in inputs.places)))


def assert_answer(answer: Answer, expected: NDArray[Any]) -> None:
    assert_equal(answer.ab.transpose(2, 0, 1)[None], expected, 110)
    assert answer.logits.shape == (SIDE // 4, SIDE // 4, BIN_COUNT)


def test_golden_exported_full_network(model: InstColorizationModel, golden: Golden, L: Tensor) -> None:
    assert_answer(model.answer(arrays(without_objects(L, ZERO_AB, ZERO))), golden["full/ab"])
    hint_ab = 110 * torch.from_numpy(golden["hint/ab_hint"])
    hint_mask = torch.from_numpy(golden["hint/mask"]) + 0.5
    answer = model.answer(arrays(without_objects(L, hint_ab, hint_mask)))
    assert_answer(answer, golden["hint/ab"])
    in_gamut = golden["hint_class/logits"][0, in_gamut_cells()]
    assert_equal(answer.logits.transpose(2, 0, 1)[:, ::4, ::4], in_gamut)


def test_golden_exported_mask_center_0(networks: InstColorization, golden: Golden, L: Tensor, tmp_path: Path) -> None:
    network = Siggraph17(mask_center=0).eval()
    network.load_state_dict(networks.full.state_dict(), assign=True)
    session = load_session(export_network(network, tmp_path / "photo.onnx"), None)
    (ab,) = session.run(["ab"], feeds(L, ZERO_AB, ZERO))
    assert_equal(ab, golden["full_mask0/ab"], 110)
    assert_equal(ab, golden["rz_siggraph17/ab110"])
    (tmp_path / "photo.onnx").unlink()  # 137 MB


def test_golden_exported_fusion_network_without_objects(
    model: InstColorizationModel, golden: Golden, L: Tensor
) -> None:
    inputs = feeds(L, ZERO_AB, ZERO)
    for tap, channels, stride in TAPS:
        merged = Merger(channels, (SIDE // stride, SIDE // stride), "reference", ZERO).merged()
        inputs |= {f"{tap}.feature": merged.feature.numpy(), f"{tap}.logit": merged.logit.numpy()}
    (ab,) = model._graph("photo").run(["ab"], inputs)
    assert_equal(ab, golden["none/ab_GF"], 110)


@pytest.mark.parametrize("name", ["one", "tiny", "three", "eight"])
def test_golden_exported_fusion(name: str, model: InstColorizationModel, golden: Golden, L: Tensor) -> None:
    for mode, expected in modes_of(golden, name).items():
        model.mode = mode
        assert_answer(model.answer(arrays(inputs_of(golden, name, L))), expected)


@pytest.mark.parametrize("mode", ["masked", "reference"])
def test_masks_limit_the_masked_fusion_in_torch_and_exported_alike(
    mode: Mode, networks: InstColorization, model: InstColorizationModel, golden: Golden, L: Tensor
) -> None:
    """The published code knows no masks, so `reference` answers as if there were none."""
    inputs = inputs_of(golden, "one", L)
    coverage = torch.ones(1, 1, 32, 32)
    coverage[..., 16:] = 0
    masked = inputs._replace(places=inputs.places._replace(coverage=coverage))
    networks.fusion.mode = model.mode = mode
    try:
        expected, without = (networks(found).ab for found in (masked, inputs))
        assert torch.equal(expected, without) == (mode == "reference")
        assert_answer(model.answer(arrays(masked)), expected.numpy() / 110)
    finally:
        networks.fusion.mode = "reference"


@pytest.mark.parametrize("name", ["edge", "edge_neg"])
def test_golden_exported_fusion_of_boxes_over_the_border(
    name: str, model: InstColorizationModel, golden: Golden, L: Tensor
) -> None:
    _, crops, places = inputs_of(golden, name, L)
    names = [f"{tap}.{part}" for tap, _, _ in TAPS for part in ("feature", "weight")]
    found = model._graph("objects").run(names, feeds(*crops))
    planes = dict(zip(names, map(torch.from_numpy, found), strict=True))
    inputs = feeds(L, ZERO_AB, ZERO)
    for tap, channels, stride in TAPS:
        grid = (SIDE // stride, SIDE // stride)
        merger = Merger(channels, grid, "reference", ZERO)
        for i, box in enumerate(places.box.tolist()):
            feature, weight = (planes[f"{tap}.{part}"][i : i + 1] for part in ("feature", "weight"))
            merger.add(feature, weight, cell_box(box, grid))
        merged = merger.merged()
        inputs |= {f"{tap}.feature": merged.feature.numpy(), f"{tap}.logit": merged.logit.numpy()}
    (ab,) = model._graph("photo").run(["ab"], inputs)
    assert_equal(ab, golden[f"{name}/ab"], 110)
