"""How much of an object counts where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instcolor.objects import Mask
from instcolor.runtime.coverage import CELLS, SURE, UNSURE, coverage
from instcolor.runtime.preparing import crop_boxes

SIZE = (300, 200)


def of(box: tuple[float, float, float, float], mask: Mask | None = None) -> np.ndarray:
    boxes = np.array([box], np.float32)
    plane: np.ndarray = coverage(crop_boxes(boxes, SIZE), boxes, SIZE, [mask])[0, 0]
    return plane


def half(box: tuple[float, float, float, float]) -> Mask:
    plane = np.zeros((28, 28), np.float32)
    plane[:, :14] = 1
    return Mask(box, plane)


def test_a_mask_is_laid_over_the_crop() -> None:
    found = of((60, 40, 140, 120), half((60, 40, 140, 120)))
    # the crop is 40..160 across and 20..140 down, so the left half of the box is cells 8 to 24 across and 8 to 40 down
    assert (found[11:37, 11:23] == 1).all()
    assert (found[:, 25:] == 0).all()
    assert (found[:, :8] == 0).all()
    assert (found[:8] == 0).all()


@settings(deadline=None)
@given(
    st.floats(10, 190),
    st.floats(10, 90),
    st.floats(10, 100),
    st.floats(10, 100),
    st.sampled_from([None, 0.0, 0.5, 1.0]),
)
def test_it_falls_to_nothing_towards_the_edges_of_the_box(
    x: float, y: float, width: float, height: float, value: float | None
) -> None:
    box = (x, y, x + width, y + height)
    mask = None if value is None else Mask(box, np.full((8, 8), value, np.float32))
    found, (left, top, right, bottom) = of(box, mask), crop_boxes(np.array([box], np.float32), SIZE)[0].tolist()
    across = left + (np.arange(CELLS) + 0.5) * (right - left) / CELLS
    down = top + (np.arange(CELLS) + 0.5) * (bottom - top) / CELLS
    for centers, start, side, plane in ((across, x, width, found), (down, y, height, found.T)):
        inside = np.minimum(centers - start, start + side - centers) / (SURE * side)
        assert (plane <= inside.clip(0, 1) + 1e-3).all()
    middle = found[np.abs(down - y - height / 2).argmin(), np.abs(across - x - width / 2).argmin()]
    assert middle == pytest.approx({None: 1, 0.0: 0, 0.5: 0.5, 1.0: 1}[value], abs=1e-3)


def test_the_more_a_mask_doubts_the_earlier_it_falls() -> None:
    box = (60.0, 40.0, 140.0, 120.0)
    sure, unsure = Mask(box, np.ones((8, 8), np.float32)), Mask(box, np.full((8, 8), 0.9, np.float32))
    widths = [int((of(box, mask)[24] > 0.99).sum()) for mask in (sure, unsure, None)]
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] == pytest.approx((1 - 2 * UNSURE) * 32, abs=2)


def test_an_edge_of_the_photo_takes_nothing_away() -> None:
    found = of((0, 0, 300, 100))
    assert (found[:20, :] == 1).all()  # the crop ends a quarter of the box below it
    assert (found[-10:] == 0).all()
    assert found[30, 0] == found[30, -1]
