"""Where scenes begin: cuts, and what only looks like one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from instcolor.video.cuts import Place, shots
from instcolor.video.reading import Frame
from support import films


def places(lumas: Sequence[Any]) -> str:
    """One letter a frame: F begins a scene, f is a flash, a point is inside."""
    frames = (Frame(i, i, luma, None) for i, luma in enumerate(lumas))
    letters = {Place.FIRST: "F", Place.FLASH: "f", Place.INSIDE: "."}
    return "".join(letters[shot.place] for shot in shots(frames, 8))


def test_a_cut_begins_a_scene_and_a_pan_does_not() -> None:
    assert places(films.pan(8, seed=0, step=3) + films.pan(8, seed=1, step=3)) == "F.......F......."


def test_grain_and_flicker_begin_no_scene() -> None:
    rng = np.random.default_rng(0)
    lumas = [
        np.clip(luma * rng.uniform(0.85, 1.1) + rng.normal(0, 10, luma.shape), 0, 255).astype(np.uint8)
        for luma in films.pan(10)
    ]
    assert places(lumas) == "F........."


def test_a_flash_of_up_to_three_frames_is_none() -> None:
    lumas = films.pan(12)
    for count in (1, 2, 3):
        flashed = list(lumas)
        flashed[4 : 4 + count] = [np.full_like(lumas[0], 250) for _ in range(count)]
        assert places(flashed) == "F..." + "f" * count + "." * (8 - count)


def test_longer_white_is_a_scene_of_its_own() -> None:
    lumas = films.pan(14)
    lumas[4:9] = [np.full_like(lumas[0], 250) for _ in range(5)]
    assert places(lumas) == "F...F....F...."


def test_a_strobe_is_one_scene() -> None:
    a, b = films.pan(21, seed=0), films.pan(21, seed=1)
    assert places([(a, b)[i % 2][i] for i in range(21)]) == "F" + "f." * 10


def test_a_thousand_cuts_a_minute_are_as_many_scenes() -> None:
    lumas = [luma for seed in range(12) for luma in films.pan(2, seed=seed)]
    assert places(lumas) == "F." * 12


def test_what_fades_in_from_black_is_a_new_scene() -> None:
    rng = np.random.default_rng(0)
    out = [luma * (1 - i / 9) for i, luma in enumerate(films.pan(10, seed=0))]
    up = [luma * (i / 9) for i, luma in enumerate(films.pan(10, seed=1))]
    noisy = [np.clip(16 + 0.8 * luma + rng.normal(0, 1, luma.shape), 0, 255).astype(np.uint8) for luma in out + up]
    found = places(noisy)
    assert found[0] == "F"
    assert found[1:9] == "." * 8
    assert found.count("F") == 2
    assert "F" in found[10:14]


def test_nothing_gives_nothing() -> None:
    assert places([]) == ""
