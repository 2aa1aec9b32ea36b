"""Evaluation: box paste, ablations, weights of a training and of others as rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from instcolor.bins import BIN_COUNT
from instcolor.errors import ModelError
from instcolor.evaluation.color import ablations
from instcolor.evaluation.color.ablations import SomeTaps, encoder_taps
from instcolor.evaluation.color.measure import measure
from instcolor.evaluation.color.methods import FULL, FUSED, Method, annotated_boxes, standard_methods
from instcolor.evaluation.color.protocol import Case
from instcolor.inputs import Sizes
from instcolor.networks.eccv16 import Eccv16
from instcolor.objects import DetectedObject
from instcolor.runtime.model import ColorModel
from instcolor.torch_models.imported import WholePhoto
from instcolor.torch_models.loading import load_torch_model
from instcolor.torch_models.model import TorchModel
from instcolor.torch_models.paste import BoxPaste
from support import evaluations, fixtures
from support.evaluations import CAT, SMALL
from support.stand_in import FakeModel


@pytest.fixture(scope="module")
def networks() -> TorchModel:
    return evaluations.random_networks()


@pytest.fixture(scope="module")
def weights(networks: TorchModel, tmp_path_factory: pytest.TempPathFactory) -> str:
    return evaluations.weights_files(networks, tmp_path_factory.mktemp("weights"))


def case_with(*boxes: tuple[float, float, float, float]) -> Case:
    objects = [DetectedObject(box, "cat", 0.9) for box in boxes]
    return SMALL.case("a", fixtures.scene(64, 64), objects)


def answer_of(model: ColorModel, case: Case) -> NDArray[np.float32]:
    return SMALL.look(case, model, case.chosen).answer.ab


def test_box_paste_changes_the_boxes_and_nothing_else(networks: TorchModel) -> None:
    case = case_with((16, 16, 48, 40))
    full, pasted = answer_of(networks, replace(case, chosen=())), answer_of(BoxPaste(networks), case)
    inside = np.zeros((16, 16), bool)
    inside[4:10, 4:12] = True
    np.testing.assert_allclose(pasted[~inside], full[~inside], atol=1e-4)
    assert np.abs(pasted[inside] - full[inside]).min() > 0
    np.testing.assert_array_equal(answer_of(BoxPaste(networks), replace(case, chosen=())), full)


def test_box_paste_of_the_whole_photo_is_the_instance_networks_answer(networks: TorchModel) -> None:
    case = case_with((0, 0, 64, 64))
    alone = TorchModel(networks.instance, networks.instance, networks.fusion, side=64, instance_size=64)
    expected = answer_of(alone, replace(case, chosen=()))
    np.testing.assert_allclose(answer_of(BoxPaste(networks), case), expected, atol=1e-3)


def test_box_paste_takes_networks_that_answer_on_two_grids() -> None:
    def network(color: float) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
        return lambda L, *_: (L.repeat(1, 2, 1, 1) * 0 + color, L[..., ::4, ::4].repeat(1, BIN_COUNT, 1, 1) * 0 + color)

    sizes = Sizes(side=64, instance_size=64, multiple=8, squash=True, surroundings=0.0)
    model = SimpleNamespace(full=network(3), instance=network(7), sizes=sizes)
    case = case_with((16, 16, 48, 40))
    answer = SMALL.look(case, BoxPaste(model), case.chosen).answer  # type: ignore[arg-type]
    for plane, stride in zip(answer, (1, 4), strict=True):
        expected = np.full((64 // stride, 64 // stride), 3.0)
        expected[16 // stride : 40 // stride, 16 // stride : 48 // stride] = 7
        np.testing.assert_allclose(plane[..., 0], expected, atol=1e-3)


def test_small_boxes_are_pasted_over_large_ones(networks: TorchModel) -> None:
    large, small = (0, 0, 64, 64), (16, 16, 32, 32)
    only_small = answer_of(BoxPaste(networks), case_with(small))
    for order in ((large, small), (small, large)):
        both = answer_of(BoxPaste(networks), case_with(*order))
        np.testing.assert_allclose(both[4:8, 4:8], only_small[4:8, 4:8], atol=1e-3)


def test_fusion_at_no_tap_is_the_full_image_and_at_all_taps_is_fusion(networks: TorchModel) -> None:
    case = case_with((8, 8, 40, 56))

    def at(taps: tuple[str, ...]) -> NDArray[np.float32]:
        fusion = SomeTaps(networks.fusion, taps)
        return answer_of(TorchModel(networks.full, networks.instance, fusion, side=64, instance_size=64), case)

    names = tuple(tap.name for tap in networks.full.taps)
    np.testing.assert_array_equal(at(()), answer_of(networks, replace(case, chosen=())))
    np.testing.assert_array_equal(at(names), answer_of(networks, case))
    assert np.abs(at(names[:4]) - at(names)).max() > 0.1


def test_ablations_split_the_taps_at_the_coarsest(networks: TorchModel) -> None:
    assert encoder_taps(networks.full) == ("e4", "e8", "e16", "e32")
    rows = ablations.ablations(networks, "lite")
    assert len({row.name for row in rows}) == len(rows)
    decoder = next(row for row in rows if row.name == "fused at decoder taps")
    assert isinstance(decoder.model, TorchModel)
    assert isinstance(decoder.model.fusion, SomeTaps)
    assert decoder.model.fusion.names == {"d16", "d8", "d4"}


def test_ablations_choose_boxes() -> None:
    candidates = [DetectedObject((i * 6, 0, i * 6 + 6, 30), str(i), 0.3 + i / 20) for i in range(12)]
    case = SMALL.case("a", fixtures.scene(72, 48), [CAT], candidates)
    assert [o.label for o in ablations.best_boxes(case)] == [str(i) for i in range(11, 3, -1)]
    assert {o.label for o in ablations.sure_boxes(case)} == {"8", "9", "10", "11"}
    assert annotated_boxes(case) == (CAT,)
    rows = [row.name for row in standard_methods(FakeModel(), both=True)]
    assert rows == [FULL, FUSED, "fused, annotated boxes"]
    drawn = {o.label for o in ablations.random_boxes(case)}
    assert len(drawn) == 8
    assert drawn == {o.label for o in ablations.random_boxes(case)}
    others = {frozenset(o.label for o in ablations.random_boxes(replace(case, name=str(i)))) for i in range(5)}
    assert len(others) > 1


def test_weights_are_those_of_the_training(networks: TorchModel, weights: str) -> None:
    case = case_with((8, 8, 40, 56))
    model = load_torch_model(weights.split(","), instance_size=64)
    np.testing.assert_array_equal(answer_of(model, case), answer_of(networks, case))
    full = load_torch_model(weights.split(",")[:1])
    alone = replace(case, chosen=())
    np.testing.assert_array_equal(answer_of(full, alone), answer_of(networks, alone))
    with pytest.raises(ModelError, match="2 files"):
        load_torch_model(weights.split(",")[:2])


def test_a_network_may_have_its_distribution_on_a_coarser_grid_than_its_ab() -> None:
    torch.manual_seed(0)
    network = Eccv16().eval()
    torch.nn.init.normal_(network.model_out.weight)
    answer = SMALL.look(case_with((8, 8, 40, 56)), WholePhoto(network), ()).answer
    assert answer.ab.shape == (64, 64, 2)
    assert answer.logits.shape[:2] == (16, 16)
    (full,) = measure([case_with()], [Method(FULL, WholePhoto(network))], SMALL, ["natural"])
    assert full.rgb.shape == (64, 64, 3)
