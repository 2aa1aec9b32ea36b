"""Evaluation: what is compared with what, and how single results are scored."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import skimage.color
import skimage.metrics
from PIL import Image

from instcolor.colorizer import Colorizer
from instcolor.evaluation import metrics
from instcolor.evaluation.color.measure import measure
from instcolor.evaluation.color.methods import (
    FULL,
    FUSED,
    GRAY,
    Method,
    center_hints,
    chosen_objects,
    hinted,
    standard_methods,
)
from instcolor.evaluation.color.protocol import Protocol
from instcolor.evaluation.metrics import MAX_PSNR
from instcolor.inputs import Inputs
from instcolor.objects import DetectedObject
from instcolor.objects.geometry import Box
from instcolor.runtime.model import Answer, Plane
from support import fixtures
from support.evaluations import CAT, SMALL, TINY, gray, of_one_color
from support.stand_in import FakeModel


def test_pictures_are_compared_squashed_and_crops_come_from_the_stored_photo() -> None:
    rgb, model = fixtures.scene(120, 90), FakeModel()
    case = SMALL.case("a", rgb, [CAT])
    squashed = np.asarray(Image.fromarray(rgb).resize((64, 64), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(case.truth, squashed)
    SMALL.look(case, model, case.chosen)
    (asked,) = model.asked
    np.testing.assert_allclose(asked.photo.L[0, 0], skimage.color.rgb2lab(squashed)[..., 0], atol=0.01)
    np.testing.assert_allclose(2**asked.places.pixels, [[46, 30]], atol=1e-3)  # box and surroundings, stored pixels


def test_at_its_own_size_a_photo_goes_the_way_of_the_colorizer() -> None:
    rgb, protocol = fixtures.scene(120, 90), Protocol(side=None)
    case = protocol.case("a", rgb, [CAT])
    (fused,) = measure([case], [Method(FUSED, FakeModel(), chosen_objects)], protocol, ["natural"])
    expected = Colorizer(FakeModel()).colorize(rgb, objects=[CAT], style="natural").rgb()
    np.testing.assert_array_equal(fused.rgb, expected)


@pytest.mark.parametrize(("squash", "shape"), [(False, (48, 88)), (True, (64, 64))])
def test_the_network_gets_the_photos_aspect_or_a_square(squash: bool, shape: tuple[int, int]) -> None:
    protocol, model = Protocol(side=None, squash=squash), FakeModel()
    case = protocol.case("a", fixtures.scene(180, 98))
    protocol.look(case, model, ())
    assert model.asked[0].photo.L.shape[2:] == shape
    assert case.truth.shape == (98, 180, 3)


def test_annotated_objects_are_measured_and_detected_ones_fused() -> None:
    unsure = replace(TINY, score=0.3)
    case = SMALL.case("a", fixtures.scene(), [CAT, unsure])
    assert case.objects == case.chosen == (CAT,)
    case = SMALL.case("a", fixtures.scene(), [CAT], [TINY])
    assert (case.objects, case.chosen) == ((CAT,), (TINY,))
    case = SMALL.case("a", fixtures.scene(), None, [unsure])
    assert case.objects == case.chosen == (unsure,)


@pytest.mark.parametrize("box", [(0, 0, 100, 50), (99.9, 49.9, 100, 50), (0, 0, 0.1, 0.1), (30, 10, 31, 40)])
def test_every_object_has_a_window_inside_the_picture(box: Box) -> None:
    case = Protocol(side=32).case("a", fixtures.scene(100, 50))
    rows, columns = case.window(DetectedObject(box, "cat", 1.0))
    assert 0 <= rows.start < rows.stop <= 32
    assert 0 <= columns.start < columns.stop <= 32
    assert columns.start == pytest.approx(box[0] * 0.32, abs=1)
    assert rows.stop == pytest.approx(box[3] * 0.64, abs=1)


def test_the_protocol_says_its_size_and_its_objects() -> None:
    told = "\n".join(Protocol(side=128, min_score=0.5, limit=3).lines())
    assert "128 x 128" in told
    assert "score at least 0.5" in told
    assert "best 3" in told
    assert "own size" in Protocol(side=None).lines()[0]


# Measuring


def test_a_perfect_answer_beats_gray_by_far() -> None:
    case = SMALL.case("a", of_one_color(), [CAT])
    gray, full, fused = measure([case], [Method(GRAY), *standard_methods(FakeModel())], SMALL, ["faithful"])
    assert gray.picture.colorfulness < 1
    assert full.picture.psnr > 45 > 30 > gray.picture.psnr
    assert full.picture.delta_e2000 < 1 < gray.picture.delta_e2000
    assert full.picture.colorfulness == pytest.approx(full.picture.truth_colorfulness, rel=0.02)
    assert fused.picture.psnr < full.picture.psnr  # the fake's b* moves away with each object
    assert full.objects[0].psnr > 45 > fused.objects[0].psnr


def test_no_color_at_all_is_the_gray_row() -> None:
    class Colorless(FakeModel):
        def answer(self, inputs: Inputs[Plane]) -> Answer:
            answer = super().answer(inputs)
            return Answer(np.zeros_like(answer.ab), answer.logits)

    case = SMALL.case("a", fixtures.scene(80, 60))
    gray, full = measure([case], [Method(GRAY), Method(FULL, Colorless())], SMALL, ["faithful"])
    assert full.picture.psnr == pytest.approx(gray.picture.psnr, abs=0.02)


def test_an_object_is_measured_inside_its_box_only() -> None:
    picture = gray(fixtures.scene(64, 64))
    picture[5:25, 10:40] = (200, 30, 30)
    case = SMALL.case("a", picture, [CAT, TINY])
    (row,) = measure([case], [Method(GRAY)], SMALL)
    inside, outside = row.objects
    window = picture[5:25, 10:40]
    assert inside.psnr == pytest.approx(metrics.psnr(row.rgb[5:25, 10:40], window))
    assert inside.psnr < 15
    assert outside.psnr > 40
    assert inside.label == "cat"
    assert inside.share == pytest.approx(600 / 4096)
    crop = row.rgb[5:25, 10:40]
    assert inside.ssim == pytest.approx(skimage.metrics.structural_similarity(crop, window, channel_axis=-1), abs=1e-4)
    assert inside.colorfulness == 0
    assert inside.truth_colorfulness == pytest.approx(metrics.colorfulness(window))
    assert math.isnan(outside.ssim)  # 4 x 4 pixels are smaller than its window


def test_hints_are_the_true_colors_at_the_centers_of_objects() -> None:
    model = FakeModel()
    picture = gray(fixtures.scene(128, 64))
    picture[5:25, 10:40] = (200, 30, 30)
    case = SMALL.case("a", picture, [CAT, DetectedObject((60, 30, 100, 60), "ball", 0.8)])
    (red, none) = center_hints(case).points
    np.testing.assert_allclose(
        red, [25, 15, *skimage.color.rgb2lab(np.array([[[200, 30, 30]]]) / 255)[0, 0, 1:]], atol=0.1
    )
    np.testing.assert_allclose(none, [80, 45, 0, 0], atol=0.1)
    (method,) = hinted([Method(FULL, model)])
    assert method.name == "full image, hinted"
    list(measure([case], [method], SMALL, ["faithful"]))
    expected = np.zeros((64, 64))
    for y, x in ((15, 12), (45, 40)):  # the network sees 64 x 64, and patches of 9 x 9
        expected[y - 4 : y + 5, x - 4 : x + 5] = 1
    np.testing.assert_array_equal(model.asked[0].photo.hint_mask[0, 0], expected)


def test_the_color_of_a_hint_is_the_mean_of_its_patch_inside_the_objects_box() -> None:
    picture = gray(fixtures.scene(256, 256))
    picture[100:120, 40:60] = (200, 30, 30)
    case = Protocol(side=256).case("a", picture, [DetectedObject((54, 90, 80, 130), "cat", 0.9)])  # center (67, 110)
    true = case.truth_lab[106:115, 63:72, 1:].mean((0, 1))
    np.testing.assert_allclose(center_hints(case).points, [[67, 110, *true]], atol=1e-3)
    narrow = Protocol(side=256).case("a", picture, [DetectedObject((58, 90, 60, 130), "cat", 0.9)])  # 2 pixels wide
    true = case.truth_lab[106:115, 58:60, 1:].mean((0, 1))
    np.testing.assert_allclose(center_hints(narrow).points, [[59, 110, *true]], atol=1e-3)
    assert true[0] > 50


def test_identical_pictures_count_a_finite_psnr() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    (gray,) = measure([SMALL.case("a", black)], [Method(GRAY)], SMALL)
    assert gray.picture.psnr == MAX_PSNR
