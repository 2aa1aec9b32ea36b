"""Evaluation: metrics against scikit-image and published figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.color
import skimage.metrics
from numpy.typing import NDArray

from instcolor.evaluation import metrics
from support import fixtures
from support.evaluations import gray, noisy

RANDOM = np.random.default_rng(0).integers(0, 256, (50, 41, 3), dtype=np.uint8)
PAIRS = {
    "slight noise": (fixtures.scene(60, 45), noisy(fixtures.scene(60, 45), 4)),
    "strong noise": (fixtures.scene(60, 45), noisy(fixtures.scene(60, 45), 60)),
    "all colors": (RANDOM, RANDOM[::-1]),
    "gray": (fixtures.scene(61, 40), gray(fixtures.scene(61, 40))),
    "same": (RANDOM, RANDOM),
    "as small as the window": (RANDOM[:7, :7], RANDOM[7:14, :7]),
}
pairs = pytest.mark.parametrize(("a", "b"), PAIRS.values(), ids=PAIRS.keys())


@pairs
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_psnr_is_scikit_images(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
    expected = skimage.metrics.peak_signal_noise_ratio(a, b)
    assert metrics.psnr(a, b) == pytest.approx(expected, abs=1e-4)


@pairs
def test_ssim_is_scikit_images(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
    expected = skimage.metrics.structural_similarity(a, b, channel_axis=-1)
    assert metrics.ssim(a, b) == pytest.approx(expected, abs=1e-4)


@pairs
def test_delta_e2000_is_scikit_images(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> None:
    lab_a, lab_b = skimage.color.rgb2lab(a), skimage.color.rgb2lab(b)
    expected = skimage.color.deltaE_ciede2000(lab_a, lab_b)
    np.testing.assert_allclose(metrics.delta_e2000(lab_a, lab_b), expected, atol=1e-4)
    own = metrics.delta_e2000(metrics.lab_of(a), metrics.lab_of(b)).mean()
    assert own == pytest.approx(expected.mean(), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "expected"),  # from the test data of Sharma, Wu and Dalal 2005
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_delta_e2000_of_published_pairs(first: tuple[float, ...], second: tuple[float, ...], expected: float) -> None:
    assert metrics.delta_e2000(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)


def test_ssim_refuses_what_is_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="40 x 6"):
        metrics.ssim(np.zeros((6, 40, 3), np.uint8), np.zeros((6, 40, 3), np.uint8))


def test_colorfulness_is_signed_as_its_authors_define_it() -> None:
    assert metrics.colorfulness(gray(RANDOM)) == 0
    # half red, half cyan: the opponent colors of the halves cancel in the mean, which absolute values would hide
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:2], picture[2:] = (200, 0, 0), (0, 200, 200)
    rg, yb = np.array([200.0, -200.0]), np.array([100.0, -100.0])
    expected = math.hypot(rg.std(), yb.std()) + 0.3 * math.hypot(rg.mean(), yb.mean())
    assert metrics.colorfulness(picture) == pytest.approx(expected)
