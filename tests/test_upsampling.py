"""Small planes to the photo's size: bilinear where lightness is flat, sharp where it has an edge, never a new color."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from instcolor import strips, upsampling
from instcolor.upsampling import resize_plane, upsample_ab, upsample_plane

Plane = NDArray[np.float32]
grids = st.tuples(st.integers(1, 9), st.integers(1, 9))
sizes = st.tuples(st.integers(1, 50), st.integers(1, 50))
seeds = st.integers(0, 2**32 - 1)


def random_ab(seed: int, grid: tuple[int, int]) -> Plane:
    return np.random.default_rng(seed).uniform(-110, 110, (*grid, 2)).astype(np.float32)


def random_L(seed: int, size: tuple[int, int]) -> Plane:
    return np.random.default_rng(seed + 1).uniform(0, 100, size).astype(np.float32)


def pillow(plane: Plane, size: tuple[int, int]) -> Plane:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def two_halves(edge: int) -> tuple[Plane, Plane]:
    """ab (64, 64, 2) and L (64, 64) of a photo that is dark red left of `edge` and light blue right of it."""
    right = np.arange(64) >= edge
    L = np.where(right, 80, 30) * np.ones((64, 1))
    ab = np.where(right[:, None], (-10, -40), (50, 30)) * np.ones((64, 1, 1))
    return ab.astype(np.float32), L.astype(np.float32)


def averaged(planes: Plane, cells: int) -> Plane:
    """The means of cells x cells squares of planes (n, n, k)."""
    side = len(planes) // cells
    means: Plane = planes.reshape(cells, side, cells, side, -1).mean((1, 3))
    return means


@settings(max_examples=60)
@given(grids, sizes, seeds)
def test_any_grid_fits_any_photo(grid: tuple[int, int], size: tuple[int, int], seed: int) -> None:
    ab = random_ab(seed, grid)
    result = upsample_ab(ab, random_L(seed, size))
    assert result.shape == (*size, 2)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    for channel in range(2):
        assert result[..., channel].min() >= ab[..., channel].min() - 1e-4
        assert result[..., channel].max() <= ab[..., channel].max() + 1e-4


@given(grids, sizes, seeds, st.floats(-110, 110, width=32), st.floats(-110, 110, width=32))
def test_equal_ab_stays_equal(grid: tuple[int, int], size: tuple[int, int], seed: int, a: float, b: float) -> None:
    ab = np.full((*grid, 2), (a, b), np.float32)
    np.testing.assert_array_equal(upsample_ab(ab, random_L(seed, size)), np.full((*size, 2), (a, b), np.float32))


@given(grids, st.tuples(st.integers(9, 50), st.integers(9, 50)), seeds, st.floats(0, 100, width=32))
def test_flat_lightness_gives_bilinear(
    grid: tuple[int, int], size: tuple[int, int], seed: int, lightness: float
) -> None:
    ab = random_ab(seed, grid)
    result = upsample_ab(ab, np.full(size, lightness, np.float32))
    for channel in range(2):
        np.testing.assert_allclose(result[..., channel], pillow(ab[..., channel], size), atol=2e-2)


@given(grids, sizes, seeds)
def test_a_mirrored_photo_gives_the_mirrored_color(grid: tuple[int, int], size: tuple[int, int], seed: int) -> None:
    ab, L = random_ab(seed, grid), random_L(seed, size)
    for flip in (np.s_[::-1], np.s_[:, ::-1]):
        np.testing.assert_allclose(upsample_ab(ab[flip], L[flip]), upsample_ab(ab, L)[flip], atol=1e-2)


@pytest.mark.parametrize("edge", range(28, 37))
def test_color_stops_at_an_edge_of_lightness(edge: int) -> None:
    truth, L = two_halves(edge)
    small = averaged(truth, 8).astype(np.float32)
    guided = np.abs(upsample_ab(small, L) - truth).mean()
    bilinear = np.abs(upsample_ab(small, np.full_like(L, 50)) - truth).mean()
    assert guided < 0.6 * bilinear


@pytest.mark.parametrize("edge", range(28, 37))
def test_an_edge_gets_no_halo(edge: int) -> None:
    truth, L = two_halves(edge)
    result = upsample_ab(averaged(truth, 8).astype(np.float32), L)
    assert result[..., 0].max() <= 50 + 1e-4
    assert result[..., 1].min() >= -40 - 1e-4
    np.testing.assert_allclose(result[:, :8], truth[:, :8], atol=1e-3)
    np.testing.assert_allclose(result[:, -8:], truth[:, -8:], atol=1e-3)


def test_grain_does_not_color_an_even_surface() -> None:
    random = np.random.default_rng(0)
    L = random.normal(50, 6, (160, 160)).astype(np.float32)
    ab = random.normal((10, 20), 1, (16, 16, 2)).astype(np.float32)
    bilinear = np.stack([pillow(ab[..., channel], L.shape) for channel in range(2)], -1)
    assert np.abs(upsample_ab(ab, L) - bilinear).mean() < 0.5


def test_ab_at_the_photos_size_stays_as_it_is() -> None:
    rng = np.random.default_rng(0)
    ab = rng.uniform(-60, 60, (30, 40, 2)).astype(np.float32)
    found = upsample_ab(ab, rng.uniform(0, 100, (30, 40)).astype(np.float32))
    assert np.array_equal(found, ab)
    assert not np.shares_memory(found, ab)


def test_strips_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    ab, L = random_ab(0, (7, 5)), random_L(0, (61, 43))
    whole = upsample_ab(ab, L)
    monkeypatch.setattr(strips, "CACHED_PIXELS", 100)
    np.testing.assert_array_equal(upsample_ab(ab, L), whole)


def test_inputs_are_left_alone() -> None:
    ab, L = random_ab(0, (7, 5)), random_L(0, (61, 43))
    before = ab.copy(), L.copy()
    upsample_ab(ab, L)
    np.testing.assert_array_equal(ab, before[0])
    np.testing.assert_array_equal(L, before[1])


@given(grids, st.tuples(st.integers(9, 50), st.integers(9, 50)), seeds)
def test_upsample_plane_is_bilinear(grid: tuple[int, int], size: tuple[int, int], seed: int) -> None:
    plane = random_L(seed, grid)
    np.testing.assert_allclose(upsample_plane(plane, size), pillow(plane, size), atol=1e-3)


def test_upsample_plane_averages_for_a_photo_smaller_than_the_grid() -> None:
    plane = random_L(0, (16, 16))
    assert upsample_plane(plane, (1, 1))[0, 0] == pytest.approx(pillow(plane, (1, 1))[0, 0], abs=1e-3)
    assert upsample_plane(plane, (3, 40)).shape == (3, 40)


@given(sizes, sizes, seeds)
def test_resize_plane_is_that_of_pillow_in_bands_too(old: tuple[int, int], new: tuple[int, int], seed: int) -> None:
    plane = random_L(seed, old)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upsampling, "BAND_PIXELS", 200)
        np.testing.assert_allclose(resize_plane(plane, new), pillow(plane, new), atol=1e-2)


@given(st.data(), seeds)
def test_resize_plane_of_a_box_is_that_of_the_cut_out_part(data: st.DataObject, seed: int) -> None:
    plane = random_L(seed, (30, 40))
    x0, y0 = data.draw(st.integers(0, 39)), data.draw(st.integers(0, 29))
    x1, y1 = data.draw(st.integers(x0 + 1, 40)), data.draw(st.integers(y0 + 1, 30))
    size = (y1 - y0, x1 - x0)
    np.testing.assert_allclose(resize_plane(plane, size, (x0, y0, x1, y1)), plane[y0:y1, x0:x1], atol=1e-3)


def test_resize_plane_takes_boxes_between_pixels() -> None:
    ramp = np.tile(np.arange(32, dtype=np.float32), (32, 1))
    part = resize_plane(ramp, (4, 8), (4.25, 8.5, 20.25, 16.5))
    np.testing.assert_allclose(part[:, 1:-1], np.tile(4.25 + 2 * np.arange(1, 7) + 0.5, (4, 1)), atol=1e-2)


@pytest.mark.parametrize("band_pixels", [60, 1 << 20])
def test_resize_plane_sees_nothing_beside_its_box(monkeypatch: pytest.MonkeyPatch, band_pixels: int) -> None:
    monkeypatch.setattr(upsampling, "BAND_PIXELS", band_pixels)
    plane = np.full((32, 32), 100, np.float32)
    plane[10:20, 12:24] = 7
    np.testing.assert_allclose(resize_plane(plane, (3, 3), (12, 10, 24, 20)), 7, atol=1e-4)
    np.testing.assert_allclose(resize_plane(plane, (33, 33), (12, 10, 24, 20)), 7, atol=1e-4)
