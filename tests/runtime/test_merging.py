"""Merging of objects in NumPy, against the same in torch, which the golden tests hold to the published code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from instcolor.inputs import CellBox, cell_box
from instcolor.networks import siggraph17_fusion as in_torch
from instcolor.runtime.merging import Merger, Mode, resize

GRID = (12, 16)


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int] = (200, 180)) -> tuple[int, int, int, int]:
    """Whole pixels inside a photo of `size`."""
    x, y = (sorted(draw(st.tuples(st.integers(0, side), st.integers(0, side)))) for side in size)
    return x[0], y[0], x[1], y[1]


def shares(box: tuple[int, int, int, int]) -> list[float]:
    """A box as the networks' inputs have it."""
    of_photo = np.array(box, np.float32) / np.array([200, 180, 200, 180], np.float32)
    return [float(share) for share in of_photo]


def published(start: int, end: int, pixels: int, cells: int) -> tuple[int, int]:
    """First cell and number of cells, in the order of the operations of the published code."""
    first, last = int(start / pixels * cells), int(end / pixels * cells)
    if last - first >= 1:
        return first, last - first
    return (first, 1) if cells - last > 1 else (max(first - 1, 0), 1)


@given(boxes(), st.sampled_from([1, 2, 16, 32, 64, 128, 256]))
def test_cells_of_a_box_are_those_of_the_published_code(box: tuple[int, int, int, int], cells: int) -> None:
    left, width = published(box[0], box[2], 200, cells)
    top, height = published(box[1], box[3], 180, cells)
    assert cell_box(shares(box), (cells, cells)) == (left, top, width, height)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 20), st.integers(1, 20))
def test_resize_is_torchs(height: int, width: int, rows: int, columns: int) -> None:
    planes = np.random.default_rng(0).normal(size=(3, height, width)).astype(np.float32)
    before = planes.copy()
    expected = torch.nn.functional.interpolate(torch.from_numpy(planes)[None], (rows, columns), mode="bilinear")[0]
    np.testing.assert_allclose(resize(planes, (rows, columns)), expected.numpy(), atol=1e-5)
    assert (planes == before).all()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(boxes(), min_size=1, max_size=5),
    st.sampled_from(["masked", "reference"]),
    st.sampled_from([0.1, 5.0, 500.0]),
)
def test_merged_objects_are_those_of_torch(found: list[tuple[int, int, int, int]], mode: Mode, scale: float) -> None:
    rng = np.random.default_rng(len(found))
    numpy_merger = Merger(3, GRID, mode)
    torch_merger = in_torch.Merger(3, GRID, mode, torch.zeros(1))
    for box in found:
        feature = rng.normal(size=(3, 8, 8)).astype(np.float32)
        weight = (scale * rng.random((8, 8))).astype(np.float32)
        cells = cell_box(shares(box), GRID)
        numpy_merger.add(feature, weight, cells)
        torch_merger.add(torch.from_numpy(feature)[None], torch.from_numpy(weight)[None, None], cells)
    tolerance = 1e-5 * max(scale, 1)
    for plane, expected in zip(numpy_merger.merged(), torch_merger.merged(), strict=True):
        assert plane.dtype == np.float32
        np.testing.assert_allclose(plane, expected.numpy(), atol=tolerance)


@settings(deadline=None, max_examples=50)
@given(st.lists(boxes(), min_size=1, max_size=5), st.sampled_from(["masked", "reference"]), st.integers(1, 30))
def test_objects_with_masks_are_those_of_torch(found: list[tuple[int, int, int, int]], mode: Mode, side: int) -> None:
    rng = np.random.default_rng(side)
    numpy_merger = Merger(3, GRID, mode)
    torch_merger = in_torch.Merger(3, GRID, mode, torch.zeros(1))
    for box in found:
        feature, weight = rng.normal(size=(3, 8, 8)).astype(np.float32), 5 * rng.random((8, 8)).astype(np.float32)
        coverage = np.rint(rng.random((side, side))).astype(np.float32)
        cells = cell_box(shares(box), GRID)
        numpy_merger.add(feature, weight, cells, coverage)
        planes = torch.from_numpy(feature)[None], torch.from_numpy(weight)[None, None]
        torch_merger.add(*planes, cells, torch.from_numpy(coverage)[None, None])
    (feature, logit), (in_feature, in_logit) = numpy_merger.merged(), (p.numpy() for p in torch_merger.merged())
    odds, in_odds = np.exp(logit), np.exp(in_logit)  # of all objects; where next to nothing, the rest is rounding
    np.testing.assert_allclose(odds, in_odds, atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(feature * odds, in_feature * in_odds, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("mode", ["masked", "reference"])
def test_a_full_mask_is_none_and_reference_knows_no_masks(mode: Mode) -> None:
    rng = np.random.default_rng(0)
    feature, weight = rng.normal(size=(2, 6, 6)).astype(np.float32), rng.random((6, 6)).astype(np.float32)
    part = rng.random((9, 9)).astype(np.float32)

    def merged(*coverages: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        merger = Merger(2, GRID, mode)
        for coverage, box in zip(coverages, (CellBox(1, 1, 8, 7), CellBox(5, 3, 9, 9)), strict=True):
            merger.add(feature, weight, box, coverage)
        return merger.merged()

    plain = merged(None, None)
    for found, expected in zip(merged(np.ones((1, 1), np.float32), None), plain, strict=True):
        assert np.array_equal(found, expected)
    assert np.array_equal(merged(part, None)[1], plain[1]) == (mode == "reference")


def test_an_object_takes_part_as_far_as_its_mask_covers_a_cell_whatever_its_weight() -> None:
    merger = Merger(1, GRID, "masked")
    half = np.zeros((4, 4), np.float32)
    half[:, :2] = 1
    ones = np.ones((1, 4, 4), np.float32)
    merger.add(ones, np.full((4, 4), 500, np.float32), CellBox(4, 4, 4, 4), half)  # counts in columns 4 and 5 alone
    merger.add(2 * ones, np.full((4, 4), 3, np.float32), CellBox(6, 4, 4, 4), 0.5 * half)  # in 6 and 7, by half
    feature, logit = merger.merged()
    assert feature[0, 0, 5, 3:9].tolist() == [0, 1, 1, 2, 2, 0]
    np.testing.assert_allclose(logit[0, 0, 5, 3:9], [-np.inf, 500, 500, *2 * (3 + np.log(0.5),), -np.inf], rtol=1e-6)


def test_cells_outside_all_boxes_are_left_to_the_photo() -> None:
    merger = Merger(1, GRID, "reference")
    merger.add(np.ones((1, 4, 4), np.float32), np.ones((4, 4), np.float32), CellBox(3, 2, 5, 4))
    feature, logit = merger.merged()
    outside = np.ones(GRID, bool)
    outside[2:6, 3:8] = False
    assert (feature[0, 0][outside] == 0).all()
    assert (logit[0, 0][outside] == -np.inf).all()
    assert logit[0, 0][~outside] == pytest.approx(1)
