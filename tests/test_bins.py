"""The bins are the cells of the ab plane that sRGB can reach, and every color knows its nearest."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from instcolor.bins import BIN_CENTERS, BIN_COUNT, NEAREST, ROWS, STEP
from instcolor.colorspace import srgb_to_lab


def cells_of_the_gamut(steps: int = 65) -> set[tuple[int, int]]:
    """Centers of the cells that some color of the sRGB cube lies in."""
    axis = np.linspace(0, 1, steps, dtype=np.float32)
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 1, 3)
    ab = srgb_to_lab(cube)[..., 1:].reshape(-1, 2)
    return {(int(a), int(b)) for a, b in np.unique(np.round(ab / STEP) * STEP, axis=0)}


def test_bins_are_the_cells_that_srgb_reaches() -> None:
    bins = {(int(a), int(b)) for a, b in BIN_CENTERS}
    assert bins == cells_of_the_gamut()


def test_rows_are_without_gaps_and_in_order() -> None:
    assert [a for a, _, _ in ROWS] == list(range(ROWS[0][0], ROWS[-1][0] + STEP, STEP))
    assert BIN_CENTERS.shape == (BIN_COUNT, 2) == (261, 2)
    assert BIN_CENTERS.dtype == np.float32
    assert BIN_CENTERS.tolist() == sorted(BIN_CENTERS.tolist())


def test_nearest_table_holds_the_nearest_bin_of_each_cell() -> None:
    assert NEAREST.shape == (23, 23)
    for i, j in np.ndindex(23, 23):
        cell = np.array([(i - 11) * STEP, (j - 11) * STEP])
        distances = np.linalg.norm(BIN_CENTERS - cell, axis=1)
        assert distances[NEAREST[i, j]] == distances.min()
    own = (BIN_CENTERS / STEP + 11).astype(int)
    assert NEAREST[own[:, 0], own[:, 1]].tolist() == list(range(BIN_COUNT))


@given(st.tuples(*[st.floats(0, 1, width=32)] * 3))
def test_every_srgb_color_lies_in_its_bin(rgb: tuple[float, float, float]) -> None:
    """The cube is sampled, so a color at the edge of the gamut may lie a little outside the last bin."""
    a, b = srgb_to_lab(np.array([[rgb]], np.float32))[0, 0, 1:]
    center = BIN_CENTERS[NEAREST[round(float(a) / STEP) + 11, round(float(b) / STEP) + 11]]
    assert np.abs(center - (a, b)).max() <= STEP / 2 + 2
