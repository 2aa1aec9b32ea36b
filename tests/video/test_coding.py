"""Luma, chroma and lightness of films, without RGB in between."""

from __future__ import annotations

import numpy as np
import pytest

from instcolor.colorspace import srgb_to_lab
from instcolor.video.coding import BT601, BT709, MATRICES, Coding, calmed, colored, halved

CODINGS = [Coding(), Coding(matrix=BT709), Coding(full_range=True), Coding(10, matrix=BT709), Coding(10, True, 9)]
STEP = {8: 1.0, 10: 4.0}


def planes(coding: Coding, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y, and U and V before they are rounded, of sRGB colors, by the definition of a matrix."""
    red, blue = MATRICES[coding.matrix]
    luma = rgb @ np.array([red, 1 - red - blue, blue])
    steps = (1 << coding.bits) - 1 if coding.full_range else 1 << (coding.bits - 8)
    black, span, chroma = (0, steps, steps) if coding.full_range else (16 * steps, 219 * steps, 224 * steps)
    Y = np.rint(black + span * luma).astype(coding.dtype)
    U, V = ((rgb[..., c] - luma) / (2 - 2 * share) * chroma + coding.neutral for c, share in ((2, blue), (0, red)))
    return Y, U, V


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_the_color_of_a_color_film_comes_back_from_its_luma_and_ab(coding: Coding) -> None:
    rng = np.random.default_rng(0)
    rgb = (0.3 + 0.4 * rng.random((30, 40, 1)) + 0.2 * (rng.random((30, 40, 3)) - 0.5)).astype(np.float32)
    Y, U, V = planes(coding, rgb)
    found = coding.chroma(Y, np.asarray(srgb_to_lab(rgb)[..., 1:], np.float32))
    for plane, truth in zip(found, (U, V), strict=True):
        assert plane.dtype == coding.dtype
        assert np.abs(plane - truth).max() < 1.2 * STEP[coding.bits]


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_gray_stays_neutral_at_every_luma(coding: Coding) -> None:
    Y = np.arange(1 << coding.bits, dtype=coding.dtype)[None]
    U, V = coding.chroma(Y, np.zeros((*Y.shape, 2), np.float32))
    assert set(U.ravel()) == set(V.ravel()) == {coding.neutral}


def test_black_and_white_have_no_room_for_color() -> None:
    for coding, ends in ((Coding(), (16, 235)), (Coding(full_range=True), (0, 255))):
        U, V = coding.chroma(np.array([ends], np.uint8), np.full((1, 2, 2), 60, np.float32))
        assert (U == 128).all()
        assert (V == 128).all()


def test_a_color_that_rgb_lacks_keeps_its_luma_and_loses_chroma() -> None:
    coding = Coding(full_range=True)
    Y = np.full((1, 1), 200, np.uint8)
    U, V = coding.chroma(Y, np.array([[[0, -120]]], np.float32))
    red, blue = MATRICES[BT601]
    shown = coding.color(Y, U, V)[0, 0]
    assert shown @ np.array([red, 1 - red - blue, blue]) == pytest.approx(200 / 255, abs=0.01)
    assert U[0, 0] > 140


def test_lightness_reads_the_range_of_the_film() -> None:
    assert Coding().lightness(np.array([[16, 235]], np.uint8)) == pytest.approx(np.array([[0, 100]]), abs=0.01)
    wide = Coding(full_range=True).lightness(np.array([[0, 255]], np.uint8))
    assert wide == pytest.approx(np.array([[0, 100]]), abs=0.01)
    deep = Coding(10).lightness(np.array([[64, 940]], np.uint16))
    assert deep == pytest.approx(np.array([[0, 100]]), abs=0.01)


def test_luma_for_small_chroma_planes_is_the_mean_under_each() -> None:
    Y = np.array([[10, 20, 30, 40], [10, 20, 50, 40]], np.uint8)
    assert halved(Y, (1, 2)).tolist() == [[15, 40]]


@pytest.mark.parametrize("bits", [8, 10])
def test_grain_stays_in_luma_and_edges_stay_in_color(bits: int) -> None:
    coding = Coding(bits)
    rng = np.random.default_rng(0)
    step = np.where(np.arange(64) < 32, 70.0, 170.0)
    clean = np.tile(step, (48, 1)) * STEP[bits]
    grainy = np.rint(clean + 6 * STEP[bits] * rng.standard_normal(clean.shape))
    Y = grainy.astype(coding.dtype)
    calm = calmed(Y, bits)
    even = np.abs(np.arange(64) - 31.5) > 4
    assert (calm - clean)[:, even].std() < 0.4 * (grainy - clean)[:, even].std()
    assert np.abs(calm.mean(0) - step * STEP[bits])[~even].max() < 10 * STEP[bits]  # of 100: no ramp
    ab = np.full((12, 16, 2), (20, 40), np.float32)
    U, V = colored(coding, Y, ab, (48, 64))
    rough_U, rough_V = coding.chroma(Y, np.full((48, 64, 2), (20, 40), np.float32))
    for plane, rough in ((U, rough_U), (V, rough_V)):
        assert plane[:, even].std(0).mean() < 0.6 * rough[:, even].std(0).mean()
