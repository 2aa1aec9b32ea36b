"""Evaluation: the spread of color where the true one is even, and the hues of an object."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from instcolor.evaluation.color.evenness import EvenRegions, hues


def halves(left: tuple[float, float], right: tuple[float, float]) -> NDArray[np.float32]:
    """(64, 64, 3) Lab: the left half dark, the right half light, each with an ab of its own."""
    lab = np.empty((64, 64, 3), np.float32)
    lab[:, :32], lab[:, 32:] = (30, *left), (70, *right)
    return lab


def test_one_color_on_each_even_half_has_no_spread() -> None:
    truth = halves((10, 10), (-20, 5))
    even = EvenRegions(truth)
    assert len(even.cells) == 2
    assert even.spread(truth) == 0
    assert even.spread(halves((0, 40), (30, 0))) == 0  # wrong colors, but each of one mind


def test_a_region_of_two_colors_spreads_by_half_their_distance() -> None:
    answer = halves((10, 10), (-20, 5))
    answer[:32, :32, 1] += 12  # the upper part of the left half is redder
    assert EvenRegions(halves((10, 10), (-20, 5))).spread(answer) == pytest.approx(6 / 2, abs=0.01)  # 6 on half of all


def test_what_is_of_many_colors_is_no_even_region() -> None:
    truth = halves((10, 10), (-20, 5))
    truth[:, :32, 1] += np.random.default_rng(0).normal(0, 9, (64, 32))
    even = EvenRegions(truth)
    answer = halves((10, 10), (-20, 5))
    answer[:, :32, 1] += np.random.default_rng(1).normal(0, 9, (64, 32))
    assert all(not cells[:, :30].any() for cells in even.cells)
    assert even.spread(answer) < 1
    assert math.isnan(
        EvenRegions(np.random.default_rng(0).uniform(0, 100, (64, 64, 3)).astype(np.float32)).spread(truth)
    )


def test_large_pictures_are_measured_on_the_grid_of_small_ones() -> None:
    truth = halves((10, 10), (-20, 5))
    answer = truth.copy()
    answer[:32, :32, 1] += 12
    small = EvenRegions(truth).spread(answer)
    large = EvenRegions(truth.repeat(4, 0).repeat(4, 1)).spread(answer.repeat(4, 0).repeat(4, 1))
    assert large == pytest.approx(small, abs=0.3)


def colors(*parts: tuple[int, float, float]) -> NDArray[np.float32]:
    """(n, 2) ab: so many times each."""
    return np.concatenate([np.tile(np.array([[a, b]], np.float32), (count, 1)) for count, a, b in parts])


@pytest.mark.parametrize(
    ("ab", "expected"),
    [
        (colors((100, 40, 0)), 1),  # red
        (colors((50, 40, 0), (50, 0, -40)), 2),  # red and blue
        (colors((50, 40, 0), (50, 20, 1)), 1),  # a strong and a pale red
        (colors((91, 40, 0), (9, 0, -40)), 1),  # a few blue cells do not count
        (colors((90, 40, 0), (10, 0, -40)), 2),
        (colors((50, 5, 0), (50, 0, -5)), 1),  # near gray, whatever its hue
        (colors((40, 40, 0), (30, -3, 2), (30, -40, 0)), 3),  # red, gray, green
        (colors((50, -40, 0.1), (50, -40, -0.1)), 1),  # the circle of hues has no seam
    ],
)
def test_hues_are_the_families_of_colors_with_a_tenth_and_more(ab: NDArray[np.float32], expected: int) -> None:
    assert hues(ab) == expected
