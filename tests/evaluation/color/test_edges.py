"""Evaluation: rectangles that objects leave."""

from __future__ import annotations

import numpy as np
import pytest

from instcolor.evaluation.color.edges import edges
from instcolor.objects import DetectedObject


def item(*box: float) -> DetectedObject:
    return DetectedObject(box, "person", 0.9)  # type: ignore[arg-type]


def test_a_rectangle_of_another_color_jumps_at_all_four_edges() -> None:
    change = np.zeros((96, 192, 2), np.float32)
    change[20:60, 50:100] = (3, -4)
    found = list(edges(change, [item(50, 20, 100, 60)], (192, 96)))
    assert [edge.side for edge in found] == ["left", "right", "top", "bottom"]
    assert [edge.jump for edge in found] == pytest.approx([5, 5, 5, 5])


def test_a_change_that_ends_inside_the_box_does_not_jump() -> None:
    change = np.zeros((96, 96, 2), np.float32)
    change[30:50, 40:60] = 20
    assert all(edge.jump == 0 for edge in edges(change, [item(30, 20, 70, 60)], (96, 96)))


def test_a_jump_is_the_mean_along_the_edge() -> None:
    change = np.zeros((96, 96, 2), np.float32)
    change[20:30, 50:90, 0] = 8  # a quarter of the left edge, and the whole of no other
    left, right, *_ = edges(change, [item(50, 20, 90, 60)], (96, 96))
    assert [left.jump, right.jump] == pytest.approx([2, 2])


def test_the_photos_own_border_is_no_edge() -> None:
    found = edges(np.ones((96, 96, 2), np.float32), [item(0, 0, 96, 50)], (96, 96))
    assert [(edge.item, edge.side) for edge in found] == [(0, "bottom")]


def test_boxes_are_in_pixels_of_the_stored_photo_and_cells_are_means() -> None:
    change = np.zeros((192, 192, 2), np.float32)
    change[40:120, 40:120, 1] = 6
    change[40:120:2, 40:120, 1] += 2  # finer than a cell
    found = list(edges(change, [item(400, 200, 1200, 600)], (1920, 960)))
    assert [edge.jump for edge in found] == pytest.approx([7, 7, 7, 7])


def test_a_box_thinner_than_what_is_compared_stays_within_the_photo() -> None:
    found = list(edges(np.zeros((96, 96, 2), np.float32), [item(94.5, 10, 96, 11), item(95.9, 40, 96, 41)], (96, 96)))
    assert {edge.side for edge in found if edge.item == 0} == {"left", "top", "bottom"}
    assert all(edge.jump == 0 for edge in found)
