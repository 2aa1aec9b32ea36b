"""`siggraph17`, `eccv16` and the fusion of published weights: what must hold for any weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from instcolor.bins import BIN_CENTERS, BIN_COUNT
from instcolor.inputs import Canvas, CellBox, Sizes, cell_box
from instcolor.networks.backbone import Blend
from instcolor.networks.eccv16 import Eccv16
from instcolor.networks.siggraph17 import TAPS, Siggraph17
from instcolor.networks.siggraph17_fusion import (
    Merger,
    Mode,
    Siggraph17Fusion,
    instance_features,
)
from instcolor.runtime.preparing import prepare
from support.random_networks import objects_at, places

MODES = ("masked", "reference")
N = TypeVar("N", bound=nn.Module)


@pytest.fixture(scope="module", autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def lively(network: N) -> N:
    """Weights under which signals neither die nor explode, so that differences show."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight)
    return network.eval()


@pytest.fixture(scope="module")
def siggraph17() -> Siggraph17:
    return lively(Siggraph17())


@pytest.fixture(scope="module")
def fusion() -> Siggraph17Fusion:
    return lively(Siggraph17Fusion())


def inputs(count: int, height: int, width: int) -> Canvas[Tensor]:
    torch.manual_seed(1)
    mask = (torch.rand(count, 1, height, width) < 0.05).float()
    return Canvas(100 * torch.rand(count, 1, height, width), 60 * torch.randn(count, 2, height, width), mask)


# The networks


@pytest.mark.parametrize("network", [Siggraph17, Eccv16])
def test_backbone_answers_at_its_strides_and_passes_its_taps(network: type[Siggraph17] | type[Eccv16]) -> None:
    backbone = network().eval()
    assert 24 % backbone.multiple == 0
    passed: list[tuple[str, Tensor]] = []

    def keep(name: str, feature: Tensor) -> Tensor:
        passed.append((name, feature))
        return feature

    height, width = 24, 40
    ab, logits = backbone(*inputs(2, height, width), keep)
    assert ab.shape == (2, 2, height // backbone.stride, width // backbone.stride)
    stride = backbone.logits_stride
    assert logits.shape == (2, BIN_COUNT, height // stride, width // stride)
    for (passed_name, feature), (name, channels, stride) in zip(passed, backbone.taps, strict=True):
        assert passed_name == name
        assert feature.shape == (2, channels, height // stride, width // stride)


def silencing(chosen: str) -> Blend:
    return lambda name, feature: feature * 0 if name == chosen else feature


def test_what_blend_returns_replaces_the_feature(siggraph17: Siggraph17) -> None:
    plain = siggraph17.regression(*inputs(1, 16, 16))
    for chosen, _, _ in siggraph17.taps:
        zeroed = siggraph17.regression(*inputs(1, 16, 16), silencing(chosen))
        assert not torch.equal(plain, zeroed), chosen


def test_regression_is_forward_without_the_class_head(siggraph17: Siggraph17) -> None:
    called = []
    handle = siggraph17.model_class.register_forward_hook(lambda *_: called.append(True))
    planes = inputs(1, 16, 16)
    assert torch.equal(siggraph17.regression(*planes), siggraph17(*planes).ab)
    handle.remove()
    assert not called


def test_logits_are_those_of_the_grid_cells_with_the_bins_colors(siggraph17: Siggraph17) -> None:
    a, b = siggraph17.cells // 23 * 10 - 110, siggraph17.cells % 23 * 10 - 110
    assert torch.equal(torch.stack([a, b], 1).float(), torch.from_numpy(BIN_CENTERS))


def test_hints_count_only_where_the_mask_is_set(siggraph17: Siggraph17) -> None:
    L, hint_ab, mask = inputs(1, 16, 16)
    assert torch.equal(siggraph17.regression(L, hint_ab, mask), siggraph17.regression(L, hint_ab * mask, mask))
    assert not torch.equal(siggraph17.regression(L, hint_ab, mask), siggraph17.regression(L, hint_ab, 0 * mask))


def test_mask_center_is_what_is_taken_from_the_mask(siggraph17: Siggraph17) -> None:
    centered_at_0 = Siggraph17(mask_center=0).eval()
    centered_at_0.load_state_dict(siggraph17.state_dict(), assign=True)
    L, hint_ab, mask = inputs(1, 16, 16)
    hint_ab = 0 * hint_ab
    assert torch.equal(centered_at_0.regression(L, hint_ab, mask - 0.5), siggraph17.regression(L, hint_ab, mask))
    with pytest.raises(ValueError, match="mask_center"):
        Siggraph17(mask_center=1)


def test_eccv16_gives_each_of_its_colors_to_the_nearest_bin() -> None:
    network = lively(Eccv16())
    chosen = torch.arange(313) % BIN_COUNT  # some bins get two colors
    network.model_out.weight.copy_((torch.from_numpy(BIN_CENTERS)[chosen] + 3).T[:, :, None, None] / 110)
    planes = inputs(1, 16, 16)
    shares = network.colors(planes[0]).softmax(1)
    expected = torch.zeros(1, BIN_COUNT, 4, 4).index_add(1, chosen, shares)
    assert torch.allclose(network(*planes).logits.softmax(1), expected, atol=1e-6)


def test_gradients_reach_every_parameter() -> None:
    network, fusion = Siggraph17(), lively(Siggraph17Fusion())
    with torch.enable_grad():
        L, hint_ab, mask = inputs(2, 16, 16)
        features = instance_features(network, L, hint_ab, mask)
        found = places(torch.tensor([(0, 0, 0.625, 0.833), (0.3125, 0.2083, 1, 1)]))
        merged = fusion.merge([(features, found)], (16, 16))
        prediction = network(L[:1], hint_ab[:1], mask[:1], fusion.blend(merged))
        (prediction.ab.square().mean() + prediction.logits.square().mean()).backward()
    for name, parameter in [*network.named_parameters(), *fusion.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


# Boxes in cells


@given(
    st.integers(1, 400),
    st.sampled_from([1, 2, 16, 33, 128]),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_boxes_inside_the_photo_cover_at_least_a_cell_and_stay_on_the_grid(
    pixels: int, cells: int, start: float, end: float
) -> None:
    first, last = sorted((round(start * pixels), round(end * pixels)))
    box = cell_box((first / pixels, 0, last / pixels, 1), (cells, cells))
    assert 0 <= box.left < box.left + box.width <= cells
    assert (box.top, box.height) == (0, cells)
    rows, columns = box.inside((cells, cells))
    assert (rows, columns) == (slice(0, cells), slice(box.left, box.left + box.width))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((50, 60, 90, 100), CellBox(32, 42, 25, 29)),  # of a 200 x 180 photo, side 128, as the published code has it
        ((50.9, 60.9, 90.9, 100.9), CellBox(32, 42, 25, 29)),  # pixels are cut, not rounded
        ((100, 100, 101, 101), CellBox(64, 71, 1, 1)),  # under a cell
        ((199, 179, 200, 180), CellBox(127, 127, 1, 1)),  # under a cell, at the far corner
    ],
)
def test_cell_box_rounds_as_published(box: tuple[float, ...], expected: CellBox) -> None:
    L, sizes = np.zeros((180, 200), np.float32), Sizes(128, 128, 8, squash=True, surroundings=0)
    [shares] = prepare(L, objects_at(np.array([box], np.float32)), sizes).places.box.tolist()
    assert cell_box(shares, (128, 128)) == expected


# Fusion at one tap

C = 3
GRID = (12, 16)


def merge(mode: Mode, objects: list[tuple[Tensor, Tensor, CellBox]]) -> tuple[Tensor, Tensor]:
    merger = Merger(C, GRID, mode, torch.zeros(1))
    for item in objects:
        merger.add(*item)
    return merger.merged()


def fused(mode: Mode, photo: Tensor, weight: Tensor, objects: list[tuple[Tensor, Tensor, CellBox]]) -> Tensor:
    """What `Siggraph17Fusion.blend` does, with given weights in the place of predicted ones."""
    feature, logit = merge(mode, objects)
    share = torch.cat([weight, logit], 1).softmax(1)[:, 1:]
    return photo + share * (feature - photo)


def in_float64(mode: Mode, photo: Tensor, weight: Tensor, objects: list[tuple[Tensor, Tensor, CellBox]]) -> Tensor:
    """Every object on a canvas of its own, cell by cell as the formula says."""
    canvases, logits, covers = [photo.double()], [weight.double()], []
    for feature, w, box in objects:
        rows, columns = slice(box.top, box.top + box.height), slice(box.left, box.left + box.width)
        canvas, logit, cover = (torch.zeros(1, n, *GRID, dtype=torch.float64) for n in (C, 1, 1))
        size = (box.height, box.width)
        canvas[..., rows, columns] = nn.functional.interpolate(feature.double(), size, mode="bilinear")
        logit[..., rows, columns] = nn.functional.interpolate(w.double(), size, mode="bilinear")
        cover[..., rows, columns] = 1
        canvases.append(canvas)
        logits.append(logit)
        covers.append(cover)
    covered = torch.stack(covers).sum(0) > 0
    if mode == "masked":
        logits[1:] = [torch.where(cover > 0, w, -math.inf) for w, cover in zip(logits[1:], covers, strict=True)]
    share = torch.stack(logits).softmax(0)
    return torch.where(covered, (share * torch.stack(canvases)).sum(0), photo.double())


def some_objects(boxes: list[CellBox], scale: float) -> list[tuple[Tensor, Tensor, CellBox]]:
    torch.manual_seed(len(boxes))
    return [(torch.randn(1, C, 8, 8), scale * torch.rand(1, 1, 8, 8), box) for box in boxes]


@st.composite
def cell_boxes(draw: st.DrawFn) -> CellBox:
    left, top = draw(st.integers(0, GRID[1] - 1)), draw(st.integers(0, GRID[0] - 1))
    return CellBox(left, top, draw(st.integers(1, GRID[1] - left)), draw(st.integers(1, GRID[0] - top)))


@settings(deadline=None, max_examples=40)
@given(st.lists(cell_boxes(), min_size=1, max_size=5), st.sampled_from(MODES), st.sampled_from([0.1, 5.0, 500.0]))
def test_fusion_in_boxes_is_the_softmax_over_whole_canvases(boxes: list[CellBox], mode: Mode, scale: float) -> None:
    objects = some_objects(boxes, scale)
    photo, weight = torch.randn(1, C, *GRID), scale * torch.rand(1, 1, *GRID)
    found = fused(mode, photo, weight, objects)
    assert torch.allclose(found.double(), in_float64(mode, photo, weight, objects), atol=2e-5 * max(scale, 1))
    outside = torch.ones(1, 1, *GRID, dtype=torch.bool)
    for box in boxes:
        outside[..., box.top : box.top + box.height, box.left : box.left + box.width] = False
    assert torch.equal(torch.where(outside, found, 0), torch.where(outside, photo, 0))
    assert torch.allclose(found, fused(mode, photo, weight, objects[::-1]), atol=1e-5 * max(scale, 1))


def test_a_box_far_away_changes_nothing_in_another_where_masked_and_does_as_published() -> None:
    near, far = CellBox(0, 0, 5, 5), CellBox(10, 8, 4, 4)
    objects = some_objects([near, far], 1)
    photo, weight = torch.randn(1, C, *GRID), torch.rand(1, 1, *GRID)
    inside = (..., slice(0, 5), slice(0, 5))
    expected: dict[Mode, bool] = {"masked": True, "reference": False}
    for mode, same in expected.items():
        alone, both = (fused(mode, photo, weight, some)[inside] for some in (objects[:1], objects))
        assert torch.allclose(alone, both, atol=1e-6) is same


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("box", [CellBox(13, 9, 6, 6), CellBox(20, 0, 4, 4), CellBox(0, 12, 3, 1)])
def test_parts_of_boxes_beyond_the_far_borders_are_cut_off(mode: Mode, box: CellBox) -> None:
    ((feature, weight, _),) = objects = some_objects([box], 1)
    merged = merge(mode, objects)
    size = (box.height, box.width)
    whole = nn.functional.interpolate(feature, size, mode="bilinear")
    rows, columns = box.inside(GRID)
    shown = whole[..., : rows.stop - rows.start, : columns.stop - columns.start]
    assert torch.allclose(merged[0][..., rows, columns], shown, atol=1e-6)
    assert (merged[1] > -math.inf).sum() == shown[0, 0].numel()


def test_masked_fusion_shows_the_part_of_a_box_that_begins_before_the_photo() -> None:
    objects = some_objects([CellBox(-2, -3, 6, 6)], 1)
    feature, logit = merge("masked", objects)
    whole = nn.functional.interpolate(objects[0][0], (6, 6), mode="bilinear")
    assert torch.allclose(feature[..., :3, :4], whole[..., 3:, 2:], atol=1e-6)
    assert (logit > -math.inf).sum() == 12


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="masked"):
        Merger(C, GRID, "soft", torch.zeros(1))  # type: ignore[arg-type]


def test_objects_may_come_in_batches_of_other_sides(siggraph17: Siggraph17, fusion: Siggraph17Fusion) -> None:
    boxes = torch.tensor([(10, 20, 200, 220), (150, 30, 300, 200)]) / torch.tensor([320, 240, 320, 240])
    planes = inputs(2, 16, 16)
    together = [(instance_features(siggraph17, *planes), places(boxes))]
    single = [Canvas(*(plane[i : i + 1] for plane in planes)) for i in range(2)]
    apart = [(instance_features(siggraph17, *s), places(boxes[i : i + 1])) for i, s in enumerate(single)]
    first, second = fusion.merge(together, (32, 32)), fusion.merge(iter(apart), (32, 32))
    for name, channels, stride in TAPS:
        assert first[name].feature.shape == (1, channels, 32 // stride, 32 // stride)
        assert torch.allclose(first[name].feature, second[name].feature, atol=1e-4)
        assert torch.allclose(first[name].logit.exp(), second[name].logit.exp(), rtol=1e-3)
