"""Fusion blends inside the boxes and nowhere else, whatever the boxes (Su et al. 2020, section 3.4)."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from instcolor.inputs import Canvas, Inputs, Places
from instcolor.networks.backbone import Prediction
from instcolor.networks.fusion import (
    Fusion,
    InstanceTap,
    covered,
    fuse,
    predict,
    record,
    resize_matrices,
    resize_matrix,
)
from instcolor.networks.lite import Lite
from support.random_networks import photo, places, random_boxes, random_fusion, random_lite, with_objects

SIDE = 64  # of the crops


@pytest.fixture(scope="module")
def full() -> Lite:
    return random_lite(0)


@pytest.fixture(scope="module")
def instance() -> Lite:
    return random_lite(1)


@pytest.fixture(scope="module")
def fusion(full: Lite) -> Fusion:
    return random_fusion(full, 2)


def boxes(*corners: tuple[float, float, float, float]) -> Tensor:
    return torch.tensor(corners).reshape(-1, 4)


def reorder(inputs: Inputs[Tensor], order: list[int]) -> Inputs[Tensor]:
    photo, objects, places = inputs
    return Inputs(photo, Canvas(*(plane[order] for plane in objects)), Places(*(plane[order] for plane in places)))


def taps(count: int, cells: tuple[int, int], seed: int, channels: int = 3) -> InstanceTap:
    draw = torch.Generator().manual_seed(seed)
    shape = (count, channels, *cells)
    return InstanceTap(torch.randn(shape, generator=draw), 2 * torch.randn(count, 1, *cells, generator=draw))


def maps(height: int, width: int, seed: int, channels: int = 3) -> tuple[Tensor, Tensor]:
    """The photo's features and weights at a tap."""
    tap = taps(1, (height, width), seed + 1000, channels)
    return tap.feature, tap.weight


def shares(count: int, cells: tuple[int, int], weight: Tensor, places: Places[Tensor], weights: Tensor) -> Tensor:
    """(count + 1, H, W) how much the photo and each object have in every cell: the blend of one-hot features."""
    height, width = weight.shape[2:]
    one_hot = torch.eye(count + 1)[:, :, None, None]
    tap = InstanceTap(one_hot[1:].expand(count, count + 1, *cells), weights)
    return fuse(one_hot[:1].expand(1, count + 1, height, width), weight, tap, places)[0]


def close(a: Prediction, b: Prediction) -> None:
    torch.testing.assert_close(a.ab, b.ab, atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(a.logits, b.logits, atol=1e-3, rtol=1e-4)


edges = st.floats(0, 1, width=32)


@st.composite
def any_boxes(draw: Any, most: int = 4) -> Tensor:
    """(N, 4) boxes in the photo: from one edge to the other, thinner than a cell, over each other."""
    corners = []
    for _ in range(draw(st.integers(1, most))):
        x, y = sorted((draw(edges), draw(edges))), sorted((draw(edges), draw(edges)))
        corners.append((x[0], y[0], max(x[1], x[0] + 1e-3), max(y[1], y[0] + 1e-3)))
    return boxes(*corners)


# Resizing into a box


@pytest.mark.parametrize(("cells", "out"), [(6, 6), (6, 9), (5, 40), (1, 7)])
def test_enlarging_is_torchs_bilinear(cells: int, out: int) -> None:
    matrix = resize_matrix(torch.zeros(1), torch.ones(1), cells, out)[0]
    signal = torch.randn(3, cells, generator=torch.Generator().manual_seed(cells))
    expected = F.interpolate(signal[None], out, mode="linear", align_corners=False)[0]
    torch.testing.assert_close(signal @ matrix.T, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("cells", "first", "last", "grid"), [(12, 0, 4, 4), (12, 2, 6, 8), (16, 3, 10, 32), (7, 1, 3, 4)]
)
def test_shrinking_onto_whole_cells_is_torchs_antialiased_bilinear(
    cells: int, first: int, last: int, grid: int
) -> None:
    matrix = resize_matrix(torch.tensor([first / grid]), torch.tensor([last / grid]), cells, grid)[0]
    signal = torch.randn(1, 3, cells, 5, generator=torch.Generator().manual_seed(cells))
    expected = F.interpolate(signal, (last - first, 5), mode="bilinear", align_corners=False, antialias=True)
    torch.testing.assert_close((matrix @ signal)[:, :, first:last], expected, atol=1e-5, rtol=0)


@given(edges, st.floats(2**-10, 1, width=32), st.integers(1, 20), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_each_row_is_an_average_of_the_crop(start: float, length: float, cells: int, out: int) -> None:
    matrix = resize_matrix(torch.tensor([start]), torch.tensor([start + length]), cells, out)
    assert matrix.shape == (1, out, cells)
    assert (matrix >= 0).all()
    torch.testing.assert_close(matrix.sum(2), torch.ones(1, out))
    # A ramp stays within its ends and never falls.
    ramp = matrix[0] @ torch.arange(float(cells))
    assert (ramp.diff() >= -1e-4).all()


def test_a_crop_lands_where_it_was_cut_and_shows_in_its_box() -> None:
    feature, weight = maps(8, 12, seed=0)
    where = places(boxes((4 / 12, 3 / 8, 7 / 12, 5 / 8)), boxes((2 / 12, 1 / 8, 9 / 12, 6 / 8)))
    tap = InstanceTap(feature[:, :, 1:6, 2:9], torch.full((1, 1, 5, 7), 100.0))  # the object has all the weight
    expected = torch.zeros_like(feature)
    expected[:, :, 3:5, 4:7] = feature[:, :, 3:5, 4:7]
    torch.testing.assert_close(fuse(torch.zeros_like(feature), weight, tap, where), expected, atol=1e-5, rtol=0)


# Which cells a box covers


@given(edges, st.floats(2**-10, 1, width=32), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_a_box_covers_the_cells_whose_centers_it_holds_and_one_at_least(
    start: float, length: float, cells: int
) -> None:
    end = min(start + length, 1.0)
    cover = covered(torch.tensor([start]), torch.tensor([end]), cells)[0]
    assert cover.any()
    for index in range(cells):
        center = (index + 0.5) / cells
        if start + 1e-5 < center < end - 1e-5:
            assert cover[index]
        elif not start - 1 / cells <= center <= end + 1 / cells:
            assert not cover[index]


def test_a_box_of_one_pixel_covers_the_cell_it_is_in() -> None:
    cover = covered(torch.tensor([100 / 256, 0.0, 255 / 256]), torch.tensor([101 / 256, 1 / 256, 1.0]), 8)
    assert cover.int().argmax(1).tolist() == [3, 0, 7]
    assert cover.sum(1).tolist() == [1, 1, 1]


# One tap


@given(any_boxes(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_outside_all_boxes_features_stay_bit_for_bit(box: Tensor, seed: int) -> None:
    feature, weight = maps(9, 13, seed)
    result = fuse(feature, weight, taps(len(box), (5, 6), seed), places(box))
    assert result.isfinite().all()
    rows, columns = covered(box[:, 1], box[:, 3], 9), covered(box[:, 0], box[:, 2], 13)
    inside = (rows[:, :, None] & columns[:, None, :]).any(0)
    changed = (result != feature).any(1)[0]
    assert torch.equal(changed, inside)  # and inside they do change


@given(any_boxes(), st.integers(0, 99), st.randoms())
@settings(max_examples=40, deadline=None)
def test_order_of_the_boxes_does_not_matter(box: Tensor, seed: int, random: Any) -> None:
    feature, weight = maps(9, 13, seed)
    tap = taps(len(box), (5, 6), seed)
    order = list(range(len(box)))
    random.shuffle(order)
    shuffled = fuse(feature, weight, InstanceTap(tap.feature[order], tap.weight[order]), places(box[order]))
    torch.testing.assert_close(fuse(feature, weight, tap, places(box)), shuffled, atol=1e-5, rtol=1e-5)


@given(st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_a_copy_of_the_photos_own_features_changes_nothing(seed: int) -> None:
    feature, weight = maps(8, 12, seed)
    box = boxes((2 / 12, 1 / 8, 10 / 12, 7 / 8))
    logits = taps(1, (6, 8), seed).weight
    result = fuse(feature, weight, InstanceTap(feature[:, :, 1:7, 2:10], logits), places(box))
    torch.testing.assert_close(result, feature, atol=1e-5, rtol=0)


def test_shares_are_the_softmax_over_photo_and_covering_objects() -> None:
    weight = torch.full((1, 1, 4, 8), 0.5)
    weights = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    box = boxes((0, 0, 0.5, 1), (0.25, 0, 0.75, 1))
    found = shares(2, (1, 1), weight, places(box), weights)[:, 0]
    e = math.exp
    expected = {
        0: (e(0.5), e(1), 0),
        3: (e(0.5), e(1), e(-1)),
        5: (e(0.5), 0, e(-1)),
        7: (1, 0, 0),
    }
    for column, odds in expected.items():
        torch.testing.assert_close(found[:, column], torch.tensor(odds) / sum(odds))


@given(st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_a_box_far_away_does_not_change_the_shares_inside_another(seed: int) -> None:
    _, weight = maps(8, 16, seed)
    box = boxes((0, 0, 0.4, 1), (0.6, 0, 1, 0.5), (0.7, 0.5, 1, 1))
    weights = taps(3, (4, 4), seed).weight
    alone = shares(1, (4, 4), weight, places(box[:1]), weights[:1])
    with_others = shares(3, (4, 4), weight, places(box), weights)
    assert torch.equal(with_others[:2, :, :8], alone[:, :, :8])


@given(any_boxes(most=1), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_two_equal_objects_are_one_with_twice_the_weight(box: Tensor, seed: int) -> None:
    feature, weight = maps(8, 8, seed)
    tap = taps(1, (4, 4), seed)
    twice = InstanceTap(*(torch.cat([plane, plane]) for plane in tap))
    doubled = InstanceTap(tap.feature, tap.weight + math.log(2))
    two = fuse(feature, weight, twice, places(torch.cat([box, box])))
    torch.testing.assert_close(two, fuse(feature, weight, doubled, places(box)), atol=1e-5, rtol=1e-5)


def test_weights_of_any_size_stay_finite() -> None:
    feature, weight = maps(4, 4, seed=0)
    box = boxes((0, 0, 1, 1), (0, 0, 0.5, 0.5))
    tap = taps(2, (4, 4), seed=0)
    for scale in (1e4, -1e4):
        assert fuse(feature, scale * weight, InstanceTap(tap.feature, 1e4 * tap.weight), places(box)).isfinite().all()


def test_only_the_box_is_blended_of_a_crop_with_surroundings() -> None:
    feature, weight = maps(8, 8, seed=1)
    where = places(boxes((0.25, 0.25, 0.5, 0.5)), boxes((0, 0, 0.75, 0.75)))
    result = fuse(feature, weight, taps(1, (6, 6), seed=1), where)
    changed = (result != feature).any(1)[0]
    assert changed[2:4, 2:4].all()
    assert changed.sum() == 4


# Masks


def parts(count: int, cells: tuple[int, int], seed: int) -> Tensor:
    """(count, 1, h, w): a third of the cells an object's, a third not, a third partly."""
    return (3 * torch.rand(count, 1, *cells, generator=torch.Generator().manual_seed(seed)) - 1).clamp(0, 1)


@given(any_boxes(), st.tuples(st.integers(1, 20), st.integers(1, 20)), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_mask_of_the_whole_crop_is_bit_for_bit_none(box: Tensor, cells: tuple[int, int], seed: int) -> None:
    feature, weight = maps(9, 13, seed)
    tap = taps(len(box), (5, 6), seed)
    whole = places(box, coverage=torch.ones(len(box), 1, *cells))
    assert torch.equal(fuse(feature, weight, tap, whole), fuse(feature, weight, tap, places(box)))


@given(any_boxes(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_outside_masks_and_boxes_features_stay_bit_for_bit(box: Tensor, seed: int) -> None:
    feature, weight = maps(9, 13, seed)
    where = places(box, coverage=parts(len(box), (7, 8), seed))
    result = fuse(feature, weight, taps(len(box), (5, 6), seed), where)
    assert result.isfinite().all()
    rows, columns = resize_matrices(box, (7, 8), (9, 13))
    inside = covered(box[:, 1], box[:, 3], 9)[:, :, None] & covered(box[:, 0], box[:, 2], 13)[:, None, :]
    part = ((rows @ where.coverage @ columns)[:, 0] * inside).amax(0)  # (9, 13)
    assert torch.equal(result[:, :, part == 0], feature[:, :, part == 0])
    assert (result != feature).any(1)[0][part > 0.1].all()


def test_a_mask_multiplies_what_an_object_counts() -> None:
    box = boxes((0, 0, 1, 1), (0, 0, 1, 1))
    coverage = torch.tensor([[1.0, 0.5, 0.25, 0], [0, 0, 1, 1]]).view(2, 1, 1, 4)
    weight, weights = torch.full((1, 1, 1, 4), 0.5), torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    found = shares(2, (1, 1), weight, places(box, coverage=coverage), weights)[:, 0]
    for column in range(4):
        odds = torch.cat([torch.tensor([math.exp(0.5)]), weights.exp().flatten() * coverage[:, 0, 0, column]])
        torch.testing.assert_close(found[:, column], odds / odds.sum())


def test_a_mask_lies_over_the_crop_and_counts_inside_the_box() -> None:
    feature, weight = maps(8, 8, seed=1)
    coverage = torch.zeros(1, 1, 6, 6)
    coverage[..., :3] = 1  # the left half of the crop, which is columns 0 to 2 of the photo's
    where = places(boxes((0.125, 0.25, 0.5, 0.5)), boxes((0, 0, 0.75, 0.75)), coverage)
    changed = (fuse(feature, weight, taps(1, (6, 6), seed=1), where) != feature).any(1)[0]
    assert torch.nonzero(changed).tolist() == [[2, 1], [2, 2], [3, 1], [3, 2]]


def test_gradients_stay_finite_where_a_mask_is_empty(fusion: Fusion, full: Lite, instance: Lite) -> None:
    box = boxes((0.1, 0.1, 0.6, 0.9), (0.4, 0.2, 0.9, 0.8))
    found = with_objects(photo(1, 64, 64, seed=12), box, SIDE, seed=3)
    found = found._replace(places=found.places._replace(coverage=parts(2, (8, 8), seed=3)))
    predict(full, instance, fusion, found).ab.square().mean().backward()
    gradients = [p.grad for p in fusion.parameters() if p.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)
    fusion.zero_grad()


@torch.no_grad()
def test_objects_with_empty_masks_are_no_objects(full: Lite, instance: Lite, fusion: Fusion) -> None:
    found = with_objects(photo(1, 64, 96, seed=11), boxes((0.2, 0.2, 0.8, 0.9)), SIDE, seed=0)
    found = found._replace(places=found.places._replace(coverage=torch.zeros(1, 1, 16, 16)))
    assert torch.equal(predict(full, instance, fusion, found).ab, full(*found.photo).ab)


# The whole network


@torch.no_grad()
def test_no_object_is_exactly_the_full_image_network(full: Lite, instance: Lite, fusion: Fusion) -> None:
    planes = photo(1, 64, 96, seed=10)
    plain = full(*planes)
    fused = predict(full, instance, fusion, with_objects(planes, boxes(), SIDE, seed=0))
    assert torch.equal(fused.ab, plain.ab)
    assert torch.equal(fused.logits, plain.logits)


@torch.no_grad()
def test_objects_change_the_answer(full: Lite, instance: Lite, fusion: Fusion) -> None:
    planes = photo(1, 64, 96, seed=11)
    fused = predict(full, instance, fusion, with_objects(planes, boxes((0.2, 0.2, 0.8, 0.9)), SIDE, seed=0))
    assert (fused.ab - full(*planes).ab).abs().mean() > 1


@torch.no_grad()
def test_objects_of_one_batch_do_not_meet_in_the_instance_network(instance: Lite) -> None:
    both = photo(2, SIDE, SIDE, seed=1)
    features: dict[str, Tensor] = {}
    instance(*both, record(features))
    alone: dict[str, Tensor] = {}
    instance(*(plane[:1] for plane in both), record(alone))
    for name in features:
        torch.testing.assert_close(features[name][:1], alone[name], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_the_same_network_looking_at_the_whole_photo_changes_nothing(full: Lite, fusion: Fusion) -> None:
    planes = photo(1, SIDE, SIDE, seed=13)
    copy = Inputs(planes, planes, places(boxes((0, 0, 1, 1))))
    close(predict(full, full, fusion, copy), full(*planes))


@pytest.mark.parametrize("count", [2, 16])
@torch.no_grad()
def test_many_overlapping_objects_in_any_order(full: Lite, instance: Lite, fusion: Fusion, count: int) -> None:
    found = with_objects(photo(1, 64, 64, seed=14), random_boxes(count, seed=5), SIDE, seed=2)
    one = predict(full, instance, fusion, found)
    assert one.ab.isfinite().all()
    assert one.logits.isfinite().all()
    close(one, predict(full, instance, fusion, reorder(found, list(range(count))[::-1])))


PIXEL = 1 / 64


@pytest.mark.parametrize(
    "box",
    [
        (0.5, 0.5, 0.5 + PIXEL, 0.5 + PIXEL),
        (0, 0, PIXEL, PIXEL),
        (1 - PIXEL, 1 - PIXEL, 1, 1),
        (0, 0.4, 1, 0.4 + PIXEL),
        (0.75, 0.75, 1, 1),
    ],
)
@torch.no_grad()
def test_boxes_of_one_pixel_and_at_the_border_are_blended(
    full: Lite, instance: Lite, fusion: Fusion, box: tuple[float, float, float, float]
) -> None:
    planes = photo(1, 64, 64, seed=15)
    found = with_objects(planes, boxes(box), SIDE, seed=3)
    before: dict[str, Tensor] = {}
    after: dict[str, Tensor] = {}
    full(*planes, record(before))
    features: dict[str, Tensor] = {}
    instance(*found.objects, record(features))
    blend = fusion.blend(fusion.instance_taps(features), found.places)

    def at_first(name: str, feature: Tensor) -> Tensor:
        after[name] = blend(name, before[name])  # each tap by itself, without what the taps before it did
        return feature

    result = full(*planes, at_first)
    assert result.ab.isfinite().all()
    for name, _, stride in full.taps:
        cells = 64 // stride
        rows, columns = (covered(torch.tensor([box[i]]), torch.tensor([box[i + 2]]), cells)[0] for i in (1, 0))
        changed = (after[name] != before[name]).any(1)[0]
        assert torch.equal(changed, rows[:, None] & columns), name
    assert not torch.equal(predict(full, instance, fusion, found).ab, result.ab)


def spread(box: Tensor) -> Any:
    """A blend that puts NaN into the box: where the answer is NaN, the box can have a say."""

    def at_tap(_: str, feature: Tensor) -> Tensor:
        rows, columns = covered(box[:, 1], box[:, 3], feature.shape[2]), covered(box[:, 0], box[:, 2], feature.shape[3])
        return torch.where((rows[:, :, None] & columns[:, None, :])[:, None], torch.nan, feature)

    return at_tap


@torch.no_grad()
def test_beyond_the_reach_of_what_follows_nothing_changes(full: Lite, instance: Lite, fusion: Fusion) -> None:
    full, instance, fusion = (random_lite(0).double(), random_lite(1).double(), random_fusion(full, 2).double())
    found = with_objects(photo(1, 32, 1152, seed=16), boxes((0.01, 0.1, 0.05, 0.9)), SIDE, seed=4)
    planes, crops = (Canvas(*(plane.double() for plane in canvas)) for canvas in found[:2])
    found = Inputs(planes, crops, Places(*(plane.double() for plane in found.places)))
    reached = full(*planes, spread(found.places.box)).ab.isnan().any(1)[0].any(0)  # by column
    plain = full(*planes)
    fused = predict(full, instance, fusion, found)
    changed = (fused.ab != plain.ab).any(1)[0].any(0)
    assert 50 < reached.sum() < 250  # of 288: the photo is wider than the reach
    assert not changed[~reached].any()
    assert changed[:20].all()
    assert torch.equal(fused.logits[..., ~reached], plain.logits[..., ~reached])


def test_predictors_learn_from_the_answer(full: Lite, instance: Lite) -> None:
    fusion = random_fusion(full, 6).train()
    box = boxes((0, 0, 0.7, 0.7), (0.3, 0.3, 1, 1))
    prediction = predict(full, instance, fusion, with_objects(photo(1, 64, 64, seed=17), box, SIDE, seed=5))
    (prediction.ab.square().mean() + prediction.logits.square().mean()).backward()
    for name, parameter in fusion.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert all(p.grad.abs().max() > 0 for p in fusion.size.parameters() if p.grad is not None)
    full.zero_grad(set_to_none=True)
    instance.zero_grad(set_to_none=True)


@torch.no_grad()
def test_size_of_a_crop_changes_its_share(full: Lite, instance: Lite, fusion: Fusion) -> None:
    found = with_objects(photo(1, 64, 64, seed=18), boxes((0.1, 0.1, 0.9, 0.9)), SIDE, seed=6)
    small, large = (
        predict(full, instance, fusion, found._replace(places=found.places._replace(pixels=torch.full((1, 2), p))))
        for p in (3.0, 10.0)
    )
    assert (small.ab - large.ab).abs().mean() > 0.1
