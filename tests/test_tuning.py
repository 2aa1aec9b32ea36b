"""What is turned after the networks: style as a slider, saturation, strength, warmth."""

from __future__ import annotations

import numpy as np
import pytest

from instcolor import Colorizer
from instcolor.tuning import ANCHORS, Tuning, position, tuned
from support import fixtures, stand_in
from support.photographs import ab_of


def test_tuned_planes_are_linear_in_what_is_turned() -> None:
    anchor = [np.full((2, 3, 2), v, np.float32) for v in (0, 10, 30)].__getitem__
    assert tuned(anchor, Tuning(style=0.5)).mean() == 10
    assert tuned(anchor, Tuning(style=0.75)).mean() == 20
    assert tuned(anchor, Tuning(style=1, saturation=0.5, strength=0.5)).mean() == 7.5
    assert tuned(anchor, Tuning(strength=0, warmth=1)).max() == 0
    np.testing.assert_allclose(tuned(anchor, Tuning(style=0, warmth=-1))[0, 0], (-3, -12))


def test_named_styles_are_places_of_the_slider() -> None:
    look = Colorizer(stand_in.FakeModel()).look(fixtures.gray_scene())
    for style in ANCHORS:
        np.testing.assert_array_equal(ab_of(look.color(style)), ab_of(look.paint(Tuning(position(style)))))
    with pytest.raises(ValueError, match="no style 'loud'"):
        position("loud")


def test_warmth_is_the_same_everywhere_it_is_turned() -> None:
    look = Colorizer(stand_in.FakeModel()).look(fixtures.gray_scene())
    warmer = ab_of(look.color(warmth=0.5)) - ab_of(look.color())
    np.testing.assert_allclose(warmer.mean((0, 1)), (1.5, 6), atol=0.01)
