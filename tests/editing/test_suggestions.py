"""Colors to choose among, alternatives, and colors borrowed from another photo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instcolor.bins import BIN_CENTERS, BIN_COUNT
from instcolor.colorspace import srgb_to_lab
from instcolor.editing.borrowing import borrow
from instcolor.editing.suggestions import APART, OBJECT_POINTS, alternatives, middle, object_hints, suggest
from instcolor.objects import DetectedObject
from support import fixtures

SIZE = (400, 200)


def nearest(a: float, b: float) -> int:
    return int(np.linalg.norm(BIN_CENTERS - (a, b), axis=1).argmin())


@pytest.fixture
def logits() -> np.ndarray:
    """Left half red or green, right half blue or yellow, each first one likelier."""
    plane = np.full((10, 20, BIN_COUNT), -8.0, np.float32)
    plane[:, :10, nearest(50, 30)], plane[:, :10, nearest(-50, 40)] = 5, 4
    plane[:, 10:, nearest(20, -60)], plane[:, 10:, nearest(0, 70)] = 5, 4
    return plane


def test_suggestions_are_the_likely_colors_of_that_place(logits: np.ndarray) -> None:
    left, right = (suggest(logits, SIZE, (x, 100, x, 100), count=2) for x in (50, 350))
    np.testing.assert_allclose([s[:2] for s in left], [(50, 30), (-50, 40)], atol=3)
    np.testing.assert_allclose([s[:2] for s in right], [(20, -60), (0, 70)], atol=3)
    assert left[0].share > left[1].share > 0.1


def test_a_region_over_both_halves_has_all_four(logits: np.ndarray) -> None:
    assert len([s for s in suggest(logits, SIZE, (0, 0, 400, 200)) if s.share > 0.05]) == 4


@given(st.integers(0, 2**31), st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_suggestions_are_few_apart_and_ordered(seed: int, x: float, y: float) -> None:
    plane = np.random.default_rng(seed).normal(0, 3, (3, 4, BIN_COUNT)).astype(np.float32)
    found = suggest(plane, SIZE, (x, y, x, y), count=5)
    assert 1 <= len(found) <= 5
    assert [s.share for s in found] == sorted((s.share for s in found), reverse=True)
    assert sum(s.share for s in found) <= 1.0001
    assert all(np.hypot(s.a, s.b) < 140 for s in found)
    assert APART > 0


def test_hints_of_an_object_lie_in_its_middle() -> None:
    points = object_hints((100, 50, 200, 150), (10, -20))
    assert points.shape == (OBJECT_POINTS**2, 4)
    x0, y0, x1, y1 = middle((100, 50, 200, 150))
    assert (x0, y0, x1, y1) == (125, 75, 175, 125)
    assert points[:, 0].min() == x0
    assert points[:, 1].max() == y1
    assert (points[:, 2:] == (10, -20)).all()


def test_alternatives_give_objects_the_colors_that_came_second(logits: np.ndarray) -> None:
    objects = [DetectedObject((20, 20, 180, 180), "a", 1.0), DetectedObject((220, 20, 380, 180), "b", 1.0)]
    first, again = (alternatives(logits, SIZE, objects, count=2, seed=3) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.points, other.points)
    colors = {tuple(np.round(p[2:], -1)) for hints in first for p in hints.points}
    assert (-50, 40) in colors
    assert (0, 70) in colors
    assert (50, 30) not in colors  # as the first coloring has it
    assert all(len(hints.points) == 2 * OBJECT_POINTS**2 for hints in first)


def test_an_alternative_gives_a_color_to_the_part_of_an_object_that_may_have_it(logits: np.ndarray) -> None:
    objects = [DetectedObject((20, 20, 380, 180), "two halves", 1.0)]
    for hints in alternatives(logits, SIZE, objects, count=3):
        x, y, a, b = hints.points.T
        assert ((x > 20) & (x < 380) & (y > 20) & (y < 180)).all()
        likely_left = np.linalg.norm((a - -50, b - 40), axis=0) + np.linalg.norm((a - 50, b - 30), axis=0) < 120
        assert (likely_left == (x < 200)).all()


def test_the_middle_of_an_object_counts_more_than_its_corners() -> None:
    plane = np.full((8, 8, BIN_COUNT), -8.0, np.float32)
    plane[..., nearest(20, -60)] = 5  # what is behind it
    plane[2:6, 2:6, nearest(20, -60)], plane[2:6, 2:6, nearest(50, 30)] = -8, 5
    first = suggest(plane, (80, 80), (0, 0, 80, 80))[0]
    np.testing.assert_allclose(first[:2], (50, 30), atol=3)


def test_without_objects_the_photo_is_the_object(logits: np.ndarray) -> None:
    (hints,) = alternatives(logits, SIZE, [], count=1)
    assert 1 <= len(hints.points) <= OBJECT_POINTS**2


def test_borrowed_colors_go_where_the_lightness_is_alike() -> None:
    scene = fixtures.scene(300, 200)
    reference = np.asarray(srgb_to_lab(scene / np.float32(255)), np.float32)
    hints = borrow(reference[..., 0], reference)
    assert len(hints.points) > 30
    own = reference[hints.points[:, 1].astype(int), hints.points[:, 0].astype(int), 1:]
    wrong = np.roll(own, len(own) // 2, axis=0)
    error = np.linalg.norm(hints.points[:, 2:] - own, axis=1).mean()
    assert error < 0.5 * np.linalg.norm(hints.points[:, 2:] - wrong, axis=1).mean()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_borrowing_for_small_photos(shape: tuple[int, int]) -> None:
    reference = np.asarray(srgb_to_lab(fixtures.scene() / np.float32(255)), np.float32)
    points = borrow(np.full(shape, 50, np.float32), reference).points
    assert np.isfinite(points).all()
    assert (points[:, 0] < shape[1]).all()
    assert (points[:, 1] < shape[0]).all()
