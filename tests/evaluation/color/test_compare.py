"""Evaluation: within true outlines, on skin, in objects, and where no truth is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from instcolor.colorspace import lab_to_srgb8
from instcolor.evaluation import metrics
from instcolor.evaluation.color.compare import LEAST_SKIN, Comparison
from instcolor.evaluation.color.measure import measure
from instcolor.evaluation.color.methods import FUSED, GRAY, Method, hinted, standard_methods
from instcolor.evaluation.color.protocol import Protocol
from instcolor.evaluation.color.report import markdown
from instcolor.evaluation.color.run import Evaluation
from instcolor.evaluation.color.scores import EdgeScore
from instcolor.evaluation.color.summary import rows_of
from instcolor.evaluation.masks import INSIDE, SKIN
from instcolor.inputs import Inputs
from instcolor.objects import DetectedObject, Mask
from instcolor.runtime.model import Answer, Plane
from support import fixtures
from support.evaluations import SMALL
from support.stand_in import FakeModel

WHO = ("a", "", "own", "faithful")
CAT = DetectedObject((8, 8, 40, 40), "cat", 0.9)


def of(*ab: float) -> NDArray[np.uint8]:
    """A picture (64, 64, 3) of one middle lightness and one color."""
    return lab_to_srgb8(np.full((64, 64), 60, np.float32), np.tile(np.array(ab, np.float32), (64, 64, 1)))


def marked() -> NDArray[np.uint8]:
    """A person in the left half, skin in a corner of it."""
    mask = np.zeros((64, 64), np.uint8)
    mask[:, :32] = INSIDE
    mask[:20, :20] = SKIN
    return mask


def test_only_what_is_inside_the_true_outline_counts_there() -> None:
    truth = of(20, 20)
    answer = truth.copy()
    answer[:, 32:] = 0  # outside it is as wrong as can be
    answer[:, :32] = np.clip(truth[:, :32].astype(int) + 10, 0, 255)
    score = Comparison(SMALL.case("a", truth, mask=marked()), answer).picture(WHO, 0)
    assert score.inside_psnr == pytest.approx(20 * math.log10(255 / 10), abs=0.01)
    assert score.psnr < 15


def test_skin_is_measured_by_its_chroma_and_by_its_mean_color() -> None:
    answer = of(0, 0)
    answer[:20, :10], answer[:20, 10:20] = of(12, 16)[0, 0], of(0, 0)[0, 0]  # half of the skin is colored
    score = Comparison(SMALL.case("a", of(12, 16), mask=marked()), answer).picture(WHO, 0)
    assert score.truth_skin_chroma == pytest.approx(20, abs=0.5)
    assert score.skin_chroma == pytest.approx(10, abs=0.5)
    assert score.skin_error == pytest.approx(10, abs=0.5)  # (6, 8) in place of (12, 16)


def test_too_little_skin_and_an_empty_mask_have_no_figures() -> None:
    few = np.zeros((64, 64), np.uint8)
    few[0, : LEAST_SKIN - 1] = SKIN
    score = Comparison(SMALL.case("a", of(12, 16), mask=few), of(0, 0)).picture(WHO, 0)
    assert math.isfinite(score.inside_psnr)
    assert math.isnan(score.skin_error)
    score = Comparison(SMALL.case("a", of(12, 16), mask=np.zeros((64, 64), np.uint8)), of(0, 0)).picture(WHO, 0)
    assert math.isnan(score.inside_psnr)


def test_the_best_outline_among_the_fused_objects_is_told_by_its_iou() -> None:
    truth, far = of(20, 20), DetectedObject((40, 40, 60, 60), "dog", 0.9)
    case = SMALL.case("a", truth, mask=marked())
    box = DetectedObject((0, 0, 48, 64), "person", 0.9)  # the person is in the left two thirds of it
    half = replace(box, mask=Mask(box.box, np.array([[0.9, 0.9, 0.1]], np.float32)))
    for fused, expected in (([far, box], 2 / 3), ([box, half, far], 1), ([far], 0)):
        assert Comparison(case, truth, fused=fused).picture(WHO, 0).outline_iou == pytest.approx(expected, abs=0.03)
    assert math.isnan(Comparison(case, truth).picture(WHO, 0).outline_iou)


def test_masks_are_squashed_with_their_photos() -> None:
    mask = np.zeros((90, 120), np.uint8)
    mask[:, 60:] = INSIDE
    case = SMALL.case("a", fixtures.scene(120, 90), mask=mask)
    assert case.mask is not None
    np.testing.assert_array_equal(case.mask, np.repeat([[0, INSIDE]], 32, 1).repeat(64, 0))


def test_hues_are_counted_within_an_objects_outline() -> None:
    answer = of(40, 0)
    answer[:, :24] = of(0, -40)[0, 0]  # the left half of the box is blue
    outlined = replace(
        CAT, mask=Mask((8, 8, 40, 40), np.array([[0, 1]], np.float32))
    )  # but the object is in its right half
    for item, expected in ((CAT, 2), (outlined, 1)):
        (score,) = Comparison(SMALL.case("a", of(40, 0), [item]), answer).objects(WHO)
        assert (score.hues, score.truth_hues) == (expected, 1)
        assert score.width == 0.5


class Boxed(FakeModel):
    """Gives a color of its own to the middle of the photo as soon as there is an object."""

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        answer = super().answer(inputs)
        ab = np.zeros_like(answer.ab)
        if len(inputs.objects.L):
            ab[4:12, 4:12] = (12, 16)
        return Answer(ab, answer.logits)


def test_edges_tell_of_what_the_objects_change_against_the_full_image() -> None:
    flat = np.full((64, 64, 3), 120, np.uint8)  # nothing guides the color to an edge
    case = SMALL.case("a", flat, [DetectedObject((16, 16, 48, 48), "cat", 0.9)])
    methods = [Method(GRAY), *standard_methods(Boxed())]
    gray, full, fused, again = measure([case], [*methods, *hinted(methods[2:])], SMALL, ["vivid"])
    assert gray.edges == full.edges == again.edges == ()
    assert [edge.side for edge in fused.edges] == ["left", "right", "top", "bottom"]
    assert {(edge.photo, edge.label, edge.index) for edge in fused.edges} == {("a", "cat", 0)}
    (plain,) = measure([case], methods[2:], SMALL, ["faithful"])
    assert plain.edges == ()  # no full image to compare with
    *_, faithful = measure([case], methods, SMALL, ["faithful"])
    assert min(edge.jump for edge in faithful.edges) > 5  # of 20, as regions pool and the grid is coarse


def test_edges_have_their_mean_and_their_worst_in_a_table() -> None:
    edges = [
        EdgeScore("near", "", FUSED, "faithful", "cat", 0, "left", 3.0),
        EdgeScore("near", "", FUSED, "faithful", "cat", 0, "top", 7.0),
        EdgeScore("far", "", FUSED, "faithful", "dog", 2, "top", 2.0),
    ]
    pictures = [Comparison(SMALL.case("a", of(0, 0)), of(0, 0)).picture(("a", "", FUSED, "faithful"), 0)]
    evaluation = Evaluation(SMALL, pictures, edges=edges)
    (row,) = evaluation.rows()
    assert row["edges"]["edges"] == 3
    assert row["edges"]["jump"] == {"mean": 4.0, "low": 2.0, "high": 5.0}  # the edges of one photo stay together
    assert row["edges"]["worst"] == 7.0
    assert "- worst of fused, faithful: near, cat, top" in markdown(evaluation)


def test_without_a_truth_only_what_needs_none_is_told_of() -> None:
    protocol = Protocol(side=64, truth=False)
    case = protocol.case("old", of(20, 20), None, [CAT])
    evaluation = Evaluation(protocol)
    for result in measure([case], [Method(GRAY), *standard_methods(FakeModel())], protocol, ["faithful", "natural"]):
        evaluation.pictures.append(result.picture)
        evaluation.objects.extend(result.objects)
        evaluation.edges.extend(result.edges)
    row = next(row for row in evaluation.rows() if (row["method"], row["style"]) == (FUSED, "natural"))
    assert {"colorfulness", "edges", "seconds"} <= set(row)
    assert not {"psnr", "ssim", "delta_e2000", "spread", "over_gray", "colorfulness_ratio", "inside"} & set(row)
    objects = row["objects"]["by_size"]["all"]
    assert objects["hues"]["mean"] == 1
    assert "hues_beyond" not in objects
    told = markdown(evaluation)
    assert "truth: none" in told
    assert "PSNR |" not in told


def test_rows_tell_of_outlines_skin_spread_and_the_plain_style() -> None:
    case = SMALL.case("a", of(12, 16), mask=marked())
    scores = []
    for style, answer in (("faithful", of(9, 12)), ("natural", of(12, 8))):
        scores.append(Comparison(case, answer).picture(("a", "", FUSED, style), 0))
    scores.append(Comparison(case, of(0, 0)).picture(("a", "", GRAY, ""), 0))
    faithful, natural, gray = rows_of(scores, [])
    inside = faithful["inside"]
    assert (inside["photos"], inside["skin_photos"]) == (1, 1)
    assert inside["over_gray"]["mean"] == pytest.approx(metrics.psnr(of(9, 12), of(12, 16)) - gray["psnr"]["mean"])
    assert inside["skin_chroma_ratio"] == pytest.approx(0.75, abs=0.03)
    assert inside["skin_error"]["mean"] == pytest.approx(5, abs=0.5)
    assert natural["over_faithful"]["mean"] == natural["psnr"]["mean"] - faithful["psnr"]["mean"]
    assert "over_faithful" not in faithful
    assert "spread_ratio" not in gray  # the truth is of one color: nothing to divide by


def test_faces_and_small_ones_among_them_have_a_table() -> None:
    faces = [DetectedObject((0, 0, 20, 20), "face", 0.9), DetectedObject((40, 40, 45, 48), "face", 0.8), CAT]
    case = SMALL.case("a", fixtures.scene(64, 64), faces)
    evaluation = Evaluation(SMALL)
    for result in measure([case], [Method(GRAY), *standard_methods(FakeModel())], SMALL, ["faithful"]):
        evaluation.pictures.append(result.picture)
        evaluation.objects.extend(result.objects)
    fused = evaluation.rows()[2]["objects"]["faces"]
    assert (fused["all"]["objects"], fused["small"]["objects"]) == (2, 1)  # 5 of 64 pixels are under 8 %
    assert "over_full" in fused["small"]
    assert "| under 8 % of the width (n=1) |" in markdown(evaluation)
