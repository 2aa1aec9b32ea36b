"""The flow between frames, and how far it is trusted."""

from __future__ import annotations

import numpy as np
import pytest

from instcolor.video.motion import Flow, Motion, half, small_gray, still
from support import films

SIZE = (160, 120)


def grays(count: int = 2, step: int = 2) -> list[np.ndarray]:
    return [small_gray(luma, 8) for luma in films.pan(count, step=step, size=SIZE)]


def test_a_pan_is_found_and_trusted() -> None:
    first, second = grays()
    there, back = Flow().between(first, second)
    inner = slice(5, -5), slice(5, -5)
    assert there.sure.shape == half(first)
    assert np.median(there.flow[inner][..., 0]) == pytest.approx(-1, abs=0.1)  # 2 pixels, 1 cell of the half grid
    assert np.median(back.flow[inner][..., 0]) == pytest.approx(1, abs=0.1)
    assert there.sure[inner].mean() > 0.95


def test_what_comes_into_the_picture_is_not_trusted() -> None:
    first, second = grays(step=12)
    _, back = Flow().between(first, second)
    assert back.sure[:, -4:].mean() < 0.2
    assert back.sure[:, 10:-20].mean() > 0.8


def test_another_picture_is_trusted_nowhere() -> None:
    a, b = (small_gray(films.pan(1, seed=seed, size=SIZE)[0], 8) for seed in (0, 1))
    there, _ = Flow().between(a, b)
    assert there.sure.mean() < 0.3


def test_light_that_flickers_is_no_change() -> None:
    first, second = grays()
    brighter = np.clip(second * 1.15 + 4, 0, 255).astype(np.uint8)
    assert Flow().between(first, brighter)[0].sure[5:-5, 5:-5].mean() > 0.9


def test_two_motions_one_after_the_other_are_one() -> None:
    right = Motion(np.full((8, 10, 2), (1, 0), np.float32), np.full((8, 10), 0.5, np.float32))
    down = Motion(np.full((8, 10, 2), (0, 2), np.float32), np.full((8, 10), 0.8, np.float32))
    both = right.then(down)
    assert both.flow[3, 3].tolist() == [1, 2]
    assert both.sure[3, 3] == pytest.approx(0.4)


def test_a_motion_brings_many_planes_at_once_on_any_grid() -> None:
    values = np.random.default_rng(0).random((4, 5, 261)).astype(np.float32)
    moved = Motion(np.full((8, 10, 2), (2, 0), np.float32), np.ones((8, 10), np.float32)).bring(values)
    assert moved[:, :-1] == pytest.approx(values[:, 1:], abs=1e-5)
    assert still((8, 10)).bring(values[..., 0]) == pytest.approx(values[..., 0], abs=1e-6)


def test_a_picture_too_small_for_a_flow_stands_still() -> None:
    tiny = np.zeros((8, 8), np.uint8)
    assert not Flow().between(tiny, tiny)[0].flow.any()
