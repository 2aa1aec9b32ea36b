"""Points of known color, drawn onto the grid of whatever looks at the photo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instcolor.hints import PATCH, Hints


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
    [(0, 0, (0, 0)), (9.9, 9.9, (0, 0)), (10, 9.9, (0, 1)), (355, 212, (21, 35)), (499.9, 399.9, (39, 49))],
)
def test_a_point_is_drawn_as_a_square_around_its_cell(x: float, y: float, cell: tuple[int, int]) -> None:
    ab, mask = hints((x, y, 30, -20)).draw((0, 0, 500, 400), (40, 50))
    rows, columns = (slice(max(0, c - PATCH // 2), c + PATCH // 2 + 1) for c in cell)
    assert (mask[rows, columns] == 1).all()
    assert mask.sum() == mask[rows, columns].size
    assert (ab[mask == 1] == [30, -20]).all()
    assert not ab[mask == 0].any()


def test_points_of_one_cell_give_their_mean() -> None:
    ab, mask = hints((1, 1, 10, 0), (2, 3, 30, 20), (3, 2, 50, 40), (12, 1, -5, -5)).draw((0, 0, 20, 10), (1, 2))
    assert mask.tolist() == [[1, 1]]
    assert ab.tolist() == [[[30, 20], [-5, -5]]]


def test_between_two_points_a_cell_takes_the_nearer() -> None:
    ab, mask = hints((10.5, 5.5, 40, 0), (15.5, 5.5, 0, 40)).draw((0, 0, 30, 11), (11, 30))
    assert (ab[5, 6:13] == [40, 0]).all()
    assert (ab[5, 13:20] == [0, 40]).all()
    assert mask[5].sum() == 14


@pytest.mark.parametrize("point", [(-0.1, 5), (100, 5), (5, -3), (5, 50), (1e30, 1e30), (-1e30, 5), (np.nan, 5)])
def test_points_outside_the_region_are_left_out(point: tuple[float, float]) -> None:
    ab, mask = hints((*point, 60, 60)).draw((0, 0, 100, 50), (5, 10))
    assert not mask.any()
    assert not ab.any()


def test_a_crop_sees_its_own_points_at_its_own_scale() -> None:
    drawn = hints((10, 10, 1, 1), (45, 30, 2, 2), (60, 30, 3, 3))
    ab, mask = drawn.draw((40, 20, 60, 40), (40, 80))
    assert np.argwhere(mask).mean(0).tolist() == [20, 20]
    assert (ab[mask == 1] == 2).all()


def test_a_gray_point_is_a_hint() -> None:
    ab, mask = hints((5, 5, 0, 0)).draw((0, 0, 10, 10), (1, 1))
    assert mask.tolist() == [[1]]
    assert not ab.any()


between = st.integers(-50, 150).map(lambda pixel: pixel + 0.37)  # never on the border of two cells
color = st.floats(-110, 110, width=32)


@given(st.lists(st.tuples(between, between, color, color), max_size=20), st.integers(1, 40), st.integers(1, 40))
def test_every_cell_takes_the_points_nearest_to_it(
    points: list[tuple[float, float, float, float]], height: int, width: int
) -> None:
    ab, mask = hints(*points).draw((0, 0, 100, 80), (height, width))
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for x, y, a, b in points:
        if 0 <= x < 100 and 0 <= y < 80:
            cells.setdefault((int(y / 80 * height), int(x / 100 * width)), []).append((a, b))
    for cell in np.ndindex(height, width):
        near = {c: np.hypot(*np.subtract(c, cell)) for c in cells if np.abs(np.subtract(c, cell)).max() <= PATCH // 2}
        assert mask[cell] == bool(near)
        means = [np.mean(cells[c], 0) for c in near if near[c] == min(near.values())] or [np.zeros(2)]
        assert min(np.abs(ab[cell] - mean).max() for mean in means) < 1e-3
