"""Colors that stay in an object's outline, or where a spot's lightness goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from instcolor import Colorizer, DetectedObject
from instcolor.objects import Mask
from instcolor.regions import SIDE, Layer, lay, object_layer, spot_layer
from support import stand_in

BLUE = (10.0, -60.0)
HEIGHT, WIDTH = 120, 160


def disc(x: float, y: float, radius: float) -> NDArray[np.bool_]:
    rows, columns = np.indices((HEIGHT, WIDTH)) + 0.5
    inside: NDArray[np.bool_] = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
    return inside


THING = disc(70, 60, 34)
GRAY = np.where(THING, 70, 40).astype(np.float32) + np.random.default_rng(0).normal(0, 1, THING.shape).astype(
    np.float32
)


def outlined(box: tuple[float, float, float, float] = (36, 26, 104, 94)) -> DetectedObject:
    """The disc with a mask as a detector gives it: 28 x 28 cells over its box."""
    y, x = (np.indices((28, 28)) + 0.5) / 28 * 2 - 1
    return DetectedObject(box, "ball", 0.9, Mask(box, (x**2 + y**2 < 1).astype(np.float32)))


def laid(layer: Layer, strength: float = 1.0) -> NDArray[np.float32]:
    """(h, w) the share of BLUE that a photo without colors gets."""
    ab = np.zeros((*GRAY.shape, 2), np.float32)
    lay(layer, ab, strength)
    np.testing.assert_allclose(ab[..., 0] * BLUE[1], ab[..., 1] * BLUE[0], atol=1e-2)
    return (ab[..., 1] / BLUE[1]).astype(np.float32)


def test_an_objects_color_is_all_over_it_and_nowhere_else() -> None:
    share = laid(object_layer(GRAY, outlined(), BLUE))
    assert share[THING].sum() / share.sum() > 0.95
    assert (share[THING] > 0.8).mean() > 0.95
    assert share[~disc(70, 60, 40)].max() < 0.01


def test_a_coarse_outline_moves_to_the_edge_of_the_lightness() -> None:
    item = outlined()
    assert item.mask is not None
    blurred = np.clip(item.mask.over((32, 22, 108, 98), (14, 14)), 0, 1)  # larger and softer than the disc
    coarse = DetectedObject(item.box, "ball", 0.9, Mask((30, 20, 110, 100), blurred))
    share = laid(object_layer(GRAY, coarse, BLUE))
    flat = laid(object_layer(np.full_like(GRAY, 50), coarse, BLUE))
    assert share[THING].sum() / share.sum() > flat[THING].sum() / flat.sum() + 0.02


def test_an_object_without_an_outline_fills_its_box_as_an_ellipse() -> None:
    share = laid(object_layer(np.full_like(GRAY, 50), DetectedObject((40, 20, 120, 100), "object", 1.0), BLUE))
    assert share[60, 80] > 0.9
    assert share[22, 42] < 0.01
    assert share[:, 121:].max() < 0.3


def test_a_spot_goes_to_the_edge_and_not_beyond() -> None:
    share = laid(spot_layer(GRAY, [(70.0, 60.0)], BLUE))
    assert share[THING].sum() / share.sum() > 0.95
    assert (share[THING] > 0.8).mean() > 0.9


def test_a_spot_does_not_leap_to_what_is_alike_elsewhere() -> None:
    L = np.where(THING | disc(135, 60, 20), 70, 40).astype(np.float32)
    share = laid(spot_layer(L, [(70.0, 60.0)], BLUE))
    assert share[disc(135, 60, 18)].max() < 0.05


def test_a_stroke_colors_all_that_it_runs_through() -> None:
    L = np.where(THING | disc(135, 60, 20), 70, 40).astype(np.float32)
    share = laid(spot_layer(L, [(70.0, 60.0), (135.0, 60.0)], BLUE))
    assert (share[disc(135, 60, 18)] > 0.8).mean() > 0.8


def test_a_spot_stays_within_its_object() -> None:
    L = np.full_like(GRAY, 50)
    share = laid(spot_layer(L, [(70.0, 60.0)], BLUE, outlined()))
    assert share[THING].sum() / share.sum() > 0.95


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 2000)])
def test_any_shape_of_photo(shape: tuple[int, int]) -> None:
    L = np.linspace(0, 100, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    box = (0.0, 0.0, float(shape[1]), float(shape[0]))
    ab = np.zeros((*shape, 2), np.float32)
    for layer in (object_layer(L, DetectedObject(box, "all", 1.0), BLUE), spot_layer(L, [(shape[1], shape[0])], BLUE)):
        assert max(layer.share.shape) <= SIDE
        lay(layer, ab)
    assert np.isfinite(ab).all()


def test_the_later_layer_lies_over_the_earlier() -> None:
    first, second = object_layer(GRAY, outlined(), (60.0, 0.0)), object_layer(GRAY, outlined(), BLUE)
    both, one_by_one = np.zeros((2, *GRAY.shape, 2), np.float32)
    lay(second.over(first), both)
    lay(first, one_by_one)
    lay(second, one_by_one)
    np.testing.assert_allclose(both, one_by_one, atol=0.05)
    np.testing.assert_allclose(both[60, 70], np.array(BLUE) * 0.95 + (0.05 * 0.95 * 60, 0), atol=0.5)


def test_a_look_with_a_layer_is_painted_with_it_and_grayed_with_it() -> None:
    look = Colorizer(stand_in.FakeModel()).look(np.where(THING, 180, 90).astype(np.uint8))
    layer = object_layer(look.photo.L, outlined(), BLUE)
    colored = replace(look, layer=layer)
    for style in ("faithful", "vivid"):
        plain, painted = look.color(style).ab, colored.color(style).ab
        assert plain is not None
        assert painted is not None
        np.testing.assert_array_equal(plain[~disc(70, 60, 50)], painted[~disc(70, 60, 50)])
        np.testing.assert_allclose(painted[60, 70], 0.95 * np.array(BLUE) + 0.05 * plain[60, 70], atol=0.1)
    gray = colored.color(strength=0.0).ab
    assert gray is not None
    assert np.abs(gray).max() == 0
