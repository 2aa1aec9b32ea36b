"""Color science: agreement with scikit-image, round trips, gamut mapping, and the 8-bit paths for whole photos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from instcolor import colorspace, strips

LIGHTNESS_STEP = 100 / 255
finite_lab = st.tuples(st.floats(0, 100), st.floats(-128, 128), st.floats(-128, 128))
rgb_value = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.fixture(scope="module")
def grid() -> NDArray[np.float32]:
    """(33, 33, 33, 3): sRGB in equal steps."""
    axis = np.linspace(0, 1, 33, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def extreme_lab() -> NDArray[np.float32]:
    """(n, 3): every lightness with the corners, edges and middle of the ab square."""
    L, a, b = np.meshgrid(np.linspace(0, 100, 101), *[np.linspace(-128, 128, 9)] * 2, indexing="ij")
    return np.stack([L, a, b], axis=-1).reshape(-1, 3).astype(np.float32)


def hue_difference(lab: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.floating]:
    """How far `other` lies beside the line from gray to `lab`, in Lab units."""
    chroma = np.maximum(np.hypot(lab[..., 1], lab[..., 2]), 1e-6)
    return np.abs(lab[..., 1] * other[..., 2] - lab[..., 2] * other[..., 1]) / chroma


def test_srgb_to_lab_is_that_of_scikit_image(grid: NDArray[np.float32]) -> None:
    color = pytest.importorskip("skimage.color")
    lab = colorspace.srgb_to_lab(grid)
    assert lab.dtype == np.float32
    np.testing.assert_allclose(lab, color.rgb2lab(grid.astype(np.float64)), atol=1e-3)


def test_lab_to_srgb_is_that_of_scikit_image(grid: NDArray[np.float32]) -> None:
    color = pytest.importorskip("skimage.color")
    lab = color.rgb2lab(grid.astype(np.float64))
    rgb = colorspace.lab_to_srgb(lab.astype(np.float32))
    assert rgb.dtype == np.float32
    np.testing.assert_allclose(rgb, color.lab2rgb(lab), atol=1e-3)


def test_colors_of_the_cube_come_back(grid: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(colorspace.lab_to_srgb(colorspace.srgb_to_lab(grid)), grid, atol=1e-3)


@given(rgb_value)
def test_eight_bit_colors_come_back_exactly(rgb: tuple[int, int, int]) -> None:
    lab = colorspace.srgb_to_lab(np.array(rgb, np.float32) / 255)
    assert np.rint(colorspace.lab_to_srgb(lab) * 255).astype(int).tolist() == list(rgb)


@given(finite_lab)
def test_any_lab_gives_a_color_of_its_lightness_and_hue(values: tuple[float, float, float]) -> None:
    lab = np.array(values, np.float32)
    rgb = colorspace.lab_to_srgb(lab)
    assert np.isfinite(rgb).all()
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    back = colorspace.srgb_to_lab(rgb)
    assert abs(back[0] - lab[0]) < LIGHTNESS_STEP / 2
    assert hue_difference(lab, back) < 0.5
    assert np.hypot(back[1], back[2]) < np.hypot(lab[1], lab[2]) + 0.5


def test_a_color_out_of_gamut_keeps_as_much_chroma_as_fits() -> None:
    lab = extreme_lab()
    lab = lab[(lab[:, 0] > 5) & (lab[:, 0] < 95)]
    fitted = colorspace.srgb_to_lab(colorspace.lab_to_srgb(lab))
    shrunk = np.hypot(fitted[:, 1], fitted[:, 2]) < np.hypot(lab[:, 1], lab[:, 2]) - 0.5
    assert shrunk.mean() > 0.5
    more = fitted[shrunk].astype(np.float64)
    more[:, 1:] *= 1.02
    linear = colorspace.lab_to_linear(more)
    assert ((linear.min(1) < 0) | (linear.max(1) > 1)).all()


def test_lightness_outside_0_to_100_is_limited() -> None:
    lab = np.array([[-5, 0, 0], [105, 0, 0], [120, 60, -60]], np.float32)
    np.testing.assert_allclose(colorspace.lab_to_srgb(lab), [[0, 0, 0], [1, 1, 1], [1, 1, 1]], atol=1e-3)


@pytest.mark.parametrize("name", ["srgb_to_linear", "linear_to_srgb", "linear_to_lab", "srgb_to_lab"])
def test_torch_equals_numpy_from_rgb(name: str, grid: NDArray[np.float32]) -> None:
    torch = pytest.importorskip("torch")
    function = getattr(colorspace, name)
    np.testing.assert_allclose(function(torch.from_numpy(grid)).numpy(), function(grid), atol=1e-4)


@pytest.mark.parametrize("name", ["lab_to_linear", "lab_to_srgb"])
def test_torch_equals_numpy_from_lab(name: str) -> None:
    torch = pytest.importorskip("torch")
    function = getattr(colorspace, name)
    lab = extreme_lab() * np.array([1, 0.5, 0.5], np.float32)
    np.testing.assert_allclose(function(torch.from_numpy(lab)).numpy(), function(lab), atol=1e-4, rtol=1e-4)


def test_the_input_is_left_alone() -> None:
    lab = extreme_lab()
    before = lab.copy()
    colorspace.lab_to_srgb(lab)
    colorspace.lab_to_srgb8(lab[:, :1], lab[:, None, 1:])
    np.testing.assert_array_equal(lab, before)


def test_lab_to_srgb8_is_lab_to_srgb_rounded() -> None:
    lab = extreme_lab().reshape(101, 81, 3)
    exact = colorspace.lab_to_srgb(lab) * 255
    rgb = colorspace.lab_to_srgb8(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]))
    assert rgb.dtype == np.uint8
    assert np.abs(rgb - exact).max() < 0.56


@settings(max_examples=20)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_lab_to_srgb8_does_not_depend_on_the_strips(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    L = random.uniform(0, 100, (height, width)).astype(np.float32)
    ab = random.uniform(-128, 128, (height, width, 2)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        whole = colorspace.lab_to_srgb8(L, ab)
        patch.setattr(strips, "CACHED_PIXELS", 64)
        np.testing.assert_array_equal(colorspace.lab_to_srgb8(L, ab), whole)
    assert whole.shape == (height, width, 3)


def test_a_gray_photo_goes_through_lightness_unchanged() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    rgb = np.repeat(gray[..., None], 3, axis=-1)
    L = colorspace.srgb8_to_L(rgb)
    assert L.dtype == np.float32
    np.testing.assert_array_equal(colorspace.L_to_gray8(L), gray)
    np.testing.assert_array_equal(colorspace.lab_to_srgb8(L, np.zeros((16, 16, 2), np.float32)), rgb)


def test_srgb8_to_L_is_the_lightness_of_srgb_to_lab() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (120, 130, 3), np.uint8)
    rgb[:60] //= 16  # dark colors, where lightness is steepest
    expected = colorspace.srgb_to_lab(rgb.astype(np.float32) / 255)[..., 0]
    np.testing.assert_allclose(colorspace.srgb8_to_L(rgb), expected, atol=0.01)


def test_L_to_gray8_limits_lightness() -> None:
    L = np.array([-20, 0, 100, 130], np.float32)
    np.testing.assert_array_equal(colorspace.L_to_gray8(L), [0, 0, 255, 255])
