"""Regions that decide together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from instcolor.bins import BIN_CENTERS, BIN_COUNT
from instcolor.coherence import SHARE, coherent
from instcolor.runtime.model import Answer
from instcolor.styles import probabilities

RED, BLUE = (int(((BIN_CENTERS - color) ** 2).sum(1).argmin()) for color in ((50, 40), (10, -50)))


def undecided(height: int, width: int, seed: int = 0) -> Answer:
    """Every place takes red or blue, by chance."""
    logits = np.zeros((height, width, BIN_COUNT), np.float32)
    takes = np.random.default_rng(seed).random((height, width)) < 0.7
    logits[..., RED], logits[..., BLUE] = 8.0 + takes, 8.0 + ~takes
    return Answer(np.zeros((height, width, 2), np.float32), logits)


def spread(answer: Answer) -> float:
    ab = probabilities(answer.logits, 0.2) @ BIN_CENTERS
    return float(np.sqrt(ab.var((0, 1)).sum()))


def test_a_surface_of_one_lightness_takes_one_color() -> None:
    answer, L = undecided(16, 24), np.full((64, 96), 50, np.float32)
    pooled = coherent(answer, L)
    assert spread(pooled) < 0.5 * spread(answer)
    # and it is one of the two, not the mud between them
    chosen = (probabilities(pooled.logits, 0.2).mean((0, 1))).argmax()
    assert chosen == RED


def test_what_is_alike_everywhere_stays_as_it_is() -> None:
    logits = np.tile(np.random.default_rng(0).normal(0, 3, BIN_COUNT).astype(np.float32), (8, 8, 1))
    answer = Answer(np.full((8, 8, 2), (20, -10), np.float32), logits)
    pooled = coherent(answer, np.random.default_rng(1).uniform(0, 100, (32, 32)).astype(np.float32))
    np.testing.assert_allclose(pooled.logits, logits, atol=1e-3)
    np.testing.assert_allclose(pooled.ab, answer.ab, atol=1e-3)


def test_what_differs_in_lightness_keeps_its_own_color() -> None:
    logits = np.zeros((16, 16, BIN_COUNT), np.float32)
    logits[:, :8, RED] = logits[:, 8:, BLUE] = 10
    L = np.full((64, 64), 20, np.float32)
    L[:, 32:] = 80
    pooled = coherent(Answer(np.zeros((16, 16, 2), np.float32), logits), L)
    assert (pooled.logits[:, :8].argmax(-1) == RED).all()
    assert (pooled.logits[:, 8:].argmax(-1) == BLUE).all()


def test_an_object_keeps_its_color_among_things_as_light_as_it_is() -> None:
    logits = np.zeros((16, 16, BIN_COUNT), np.float32)
    mask = np.zeros((16, 16), np.float32)
    mask[4:12, 6:10] = 1
    logits[mask == 1, RED] = logits[mask == 0, BLUE] = 10
    answer, L = Answer(np.zeros((16, 16, 2), np.float32), logits), np.full((64, 64), 50, np.float32)
    loss = [10 - coherent(answer, L, objects).logits[mask == 1, RED].mean() for objects in ([], [mask])]
    assert loss[1] < 0.5 * loss[0]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4), st.integers(0, 5))
def test_any_grid_keeps_its_shape_and_stays_within_what_was_said(height: int, width: int, fine: int, n: int) -> None:
    rng = np.random.default_rng(height + 31 * width)
    logits = rng.normal(0, 3, (height, width, BIN_COUNT)).astype(np.float32)
    answer = Answer(rng.normal(0, 20, (height * fine, width * fine, 2)).astype(np.float32), logits)
    objects = [rng.random((height, width)).astype(np.float32) for _ in range(n)]
    pooled = coherent(answer, rng.uniform(0, 100, (37, 41)).astype(np.float32), objects)
    assert pooled.ab.shape == answer.ab.shape
    assert pooled.logits.shape == logits.shape
    assert pooled.logits.min() >= logits.min() - 1e-3
    assert pooled.logits.max() <= logits.max() + 1e-3
    own = (1 - SHARE) * logits
    assert ((pooled.logits - own) / SHARE <= logits.max() + 1e-2).all()
