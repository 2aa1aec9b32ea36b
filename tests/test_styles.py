"""From a distribution over colors to one color a cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from instcolor.bins import BIN_CENTERS, BIN_COUNT
from instcolor.runtime.model import Answer
from instcolor.styles import DEFAULT, STYLES, Style, apply, confidence, probabilities
from instcolor.upsampling import upsample_plane

Plane = NDArray[np.float32]


def random_answer(seed: int = 0, spread: float = 2.0) -> Answer:
    rng = np.random.default_rng(seed)
    ab = rng.uniform(-60, 60, (3, 5, 2)).astype(np.float32)
    return Answer(ab, (spread * rng.standard_normal((3, 5, BIN_COUNT))).astype(np.float32))


def chroma(ab: Plane) -> float:
    return float(np.linalg.norm(ab, axis=-1).mean())


def test_the_three_styles_and_the_default_are_there() -> None:
    assert set(STYLES) == {"faithful", "natural", "vivid"}
    assert DEFAULT in STYLES


def test_faithful_is_the_regression() -> None:
    answer = random_answer()
    assert np.array_equal(apply(answer, STYLES["faithful"]), answer.ab)


@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_annealed_color_is_the_mean_of_the_bins_written_out(temperature: float) -> None:
    answer = random_answer(1)
    found = apply(answer, Style(share=1.0, temperature=temperature))
    for i, j in np.ndindex(3, 5):
        odds = np.exp(answer.logits[i, j].astype(np.float64) / temperature)
        np.testing.assert_allclose(found[i, j], odds @ BIN_CENTERS / odds.sum(), atol=1e-3)


def test_lowest_temperature_gives_the_most_likely_color() -> None:
    answer = random_answer(2)
    found = apply(answer, Style(share=1.0, temperature=1e-4))
    np.testing.assert_allclose(found, BIN_CENTERS[answer.logits.argmax(-1)], atol=1e-3)


def test_highest_temperature_gives_the_mean_of_all_colors() -> None:
    found = apply(random_answer(3), Style(share=1.0, temperature=1e6))
    np.testing.assert_allclose(found, np.broadcast_to(BIN_CENTERS.mean(0), found.shape), atol=1e-2)


def test_of_two_likely_colors_a_lower_temperature_takes_the_likelier() -> None:
    logits = np.full((1, 1, BIN_COUNT), -30, np.float32)
    logits[..., 40], logits[..., 200] = 1.0, 0.5
    answer = Answer(np.zeros((1, 1, 2), np.float32), logits)
    away = [
        np.linalg.norm(apply(answer, Style(1.0, temperature)) - BIN_CENTERS[40]) for temperature in (1.0, 0.38, 0.1)
    ]
    assert away[0] > away[1] > away[2]
    assert away[2] < 0.05 * away[0]


@given(st.floats(0, 1), st.integers(0, 9))
def test_share_mixes_regression_and_distribution(share: float, seed: int) -> None:
    answer = random_answer(seed)
    faithful, annealed = apply(answer, Style(0.0, 0.4)), apply(answer, Style(1.0, 0.4))
    expected = (1 - share) * faithful + share * annealed
    np.testing.assert_allclose(apply(answer, Style(share, 0.4)), expected, atol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_saturation_multiplies_chroma_and_keeps_the_hue(share: float) -> None:
    answer = random_answer(4)
    plain, more = apply(answer, Style(share, 0.4)), apply(answer, Style(share, 0.4, saturation=1.5))
    np.testing.assert_allclose(more, 1.5 * plain, rtol=1e-5, atol=1e-5)
    assert not apply(answer, Style(share, 0.4, saturation=0.0)).any()


def test_styles_go_from_dull_to_vivid_where_two_colors_are_likely() -> None:
    """A network that hesitates: the regression is the mean of its colors, as training makes it."""
    rng = np.random.default_rng(5)
    logits = np.full((8, 8, BIN_COUNT), -30, np.float32)
    for i, j in np.ndindex(8, 8):
        logits[i, j, rng.choice(BIN_COUNT, 2, replace=False)] = rng.uniform(0, 1.5, 2)
    answer = Answer((probabilities(logits, 1.0) @ BIN_CENTERS).astype(np.float32), logits)
    faithful, natural, vivid = (chroma(apply(answer, STYLES[name])) for name in ("faithful", "natural", "vivid"))
    assert faithful < natural < vivid


@pytest.mark.parametrize("style", STYLES.values(), ids=list(STYLES))
def test_answer_is_not_touched_and_the_result_is_float32(style: Style) -> None:
    answer = random_answer(6)
    before = answer.ab.copy(), answer.logits.copy()
    found = apply(answer, style)
    assert found.dtype == np.float32
    assert found.shape == answer.ab.shape
    found += 1
    assert np.array_equal(answer.ab, before[0])
    assert np.array_equal(answer.logits, before[1])


def test_a_coarser_distribution_comes_to_the_grid_of_the_regression() -> None:
    coarse = random_answer(7)
    answer = Answer(np.zeros((12, 20, 2), np.float32), coarse.logits)
    found = apply(answer, Style(share=1.0, temperature=0.5))
    annealed = apply(coarse, Style(share=1.0, temperature=0.5))
    assert found.shape == (12, 20, 2)
    for i in range(2):
        np.testing.assert_allclose(found[..., i], upsample_plane(annealed[..., i], (12, 20)), atol=1e-4)
    assert np.array_equal(apply(answer, STYLES["faithful"]), answer.ab)


# Confidence


def test_confidence_is_0_for_knowing_nothing_and_1_for_certainty() -> None:
    logits = np.zeros((1, 2, BIN_COUNT), np.float32)
    logits[0, 1, 100] = 200
    np.testing.assert_allclose(confidence(logits), [[0, 1]], atol=1e-5)


def test_confidence_falls_with_the_number_of_likely_colors() -> None:
    logits = np.full((1, 6, BIN_COUNT), -60, np.float32)
    for column, count in enumerate((1, 2, 4, 16, 64, 261)):
        logits[0, column, :count] = 3
    found = confidence(logits)[0]
    np.testing.assert_allclose(found, 1 - np.log([1, 2, 4, 16, 64, 261]) / np.log(261), atol=1e-4)


@given(st.integers(0, 99), st.floats(0, 300, width=32))
def test_confidence_stays_within_0_and_1(seed: int, spread: float) -> None:
    found = confidence(random_answer(seed, spread).logits)
    assert found.shape == (3, 5)
    assert found.dtype == np.float32
    assert (found >= -1e-5).all()
    assert (found <= 1 + 1e-5).all()


@given(st.integers(0, 99), st.floats(1e-3, 1e3), st.floats(-1e4, 1e4))
def test_probabilities_sum_to_1_and_do_not_overflow(seed: int, temperature: float, offset: float) -> None:
    logits = random_answer(seed).logits
    p = probabilities(logits + np.float32(offset), temperature)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-4)
