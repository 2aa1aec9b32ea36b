"""Points of known color, drawn onto the grid of whatever looks at the photo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instcolor.hints import Hints


def hints(*points: tuple[float, float, float, float]) -> Hints:
    return Hints(np.array(points, np.float32).reshape(-1, 4))


def test_no_hints_draw_nothing() -> None:
    ab, mask = Hints.none().draw((0, 0, 100, 50), (5, 10))
    assert ab.shape == (5, 10, 2)
    assert mask.shape == (5, 10)
    assert ab.dtype == mask.dtype == np.float32
    assert not ab.any()
    assert not mask.any()


@pytest.mark.parametrize(
    ("x", "y", "cell"),
    [(0, 0, (0, 0)), (9.9, 9.9, (0, 0)), (10, 9.9, (0, 1)), (35, 12, (1, 3)), (99.9, 49.9, (4, 9))],
)
def test_a_point_falls_into_the_cell_that_it_lies_in(x: float, y: float, cell: tuple[int, int]) -> None:
    ab, mask = hints((x, y, 30, -20)).draw((0, 0, 100, 50), (5, 10))
    assert np.argwhere(mask).tolist() == [list(cell)]
    assert mask[cell] == 1
    assert ab[cell].tolist() == [30, -20]
    assert np.abs(ab).sum() == 50


def test_points_of_one_cell_give_their_mean() -> None:
    ab, mask = hints((1, 1, 10, 0), (2, 3, 30, 20), (3, 2, 50, 40), (12, 1, -5, -5)).draw((0, 0, 20, 10), (1, 2))
    assert mask.tolist() == [[1, 1]]
    assert ab.tolist() == [[[30, 20], [-5, -5]]]


@pytest.mark.parametrize("point", [(-0.1, 5), (100, 5), (5, -3), (5, 50), (1e30, 1e30), (-1e30, 5), (np.nan, 5)])
def test_points_outside_the_region_are_left_out(point: tuple[float, float]) -> None:
    ab, mask = hints((*point, 60, 60)).draw((0, 0, 100, 50), (5, 10))
    assert not mask.any()
    assert not ab.any()


def test_a_crop_sees_its_own_points_at_its_own_scale() -> None:
    drawn = hints((10, 10, 1, 1), (45, 30, 2, 2), (60, 30, 3, 3))
    ab, mask = drawn.draw((40, 20, 60, 40), (4, 8))
    assert np.argwhere(mask).tolist() == [[2, 2]]
    assert ab[2, 2].tolist() == [2, 2]


def test_a_grey_point_is_a_hint() -> None:
    ab, mask = hints((5, 5, 0, 0)).draw((0, 0, 10, 10), (1, 1))
    assert mask.tolist() == [[1]]
    assert not ab.any()


between = st.integers(-50, 150).map(lambda pixel: pixel + 0.37)  # never on the border of two cells
color = st.floats(-110, 110, width=32)


@given(st.lists(st.tuples(between, between, color, color), max_size=20), st.integers(1, 12), st.integers(1, 12))
def test_every_point_inside_counts_in_its_cell_and_nowhere_else(
    points: list[tuple[float, float, float, float]], height: int, width: int
) -> None:
    ab, mask = hints(*points).draw((0, 0, 100, 80), (height, width))
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for x, y, a, b in points:
        if 0 <= x < 100 and 0 <= y < 80:
            cells.setdefault((int(y / 80 * height), int(x / 100 * width)), []).append((a, b))
    for cell in np.ndindex(height, width):
        assert mask[cell] == (cell in cells)
        np.testing.assert_allclose(ab[cell], np.mean(cells.get(cell, [(0, 0)]), 0), atol=1e-3)
