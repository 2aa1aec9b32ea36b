"""Evaluation: from single scores to rows with intervals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from instcolor.evaluation.color.methods import FULL, FUSED, GRAY, HINTED
from instcolor.evaluation.color.protocol import Protocol
from instcolor.evaluation.color.report import markdown
from instcolor.evaluation.color.run import Evaluation
from instcolor.evaluation.color.scores import ObjectScore, PictureScore
from instcolor.evaluation.color.summary import rows_of
from instcolor.evaluation.intervals import interval


def test_interval_is_the_mean_with_its_spread() -> None:
    values = list(np.random.default_rng(0).normal(5, 1, 400))
    found = interval(values)
    assert found["mean"] == pytest.approx(np.mean(values))
    assert found["low"] == pytest.approx(found["mean"] - 1.96 / 20, abs=0.02)
    assert found["high"] == pytest.approx(found["mean"] + 1.96 / 20, abs=0.02)
    assert interval(values) == found
    assert interval([2.0, 2.0]) == {"mean": 2.0, "low": 2.0, "high": 2.0}


def test_objects_of_one_photo_are_no_independent_draws() -> None:
    per_photo = np.random.default_rng(0).normal(size=30)
    values = [float(v) for v in np.repeat(per_photo, 10)]
    photos = [str(i) for i in np.repeat(np.arange(30), 10)]
    alone, together = interval(values), interval(values, photos)
    assert together["mean"] == alone["mean"]
    assert together["high"] - together["low"] > 2 * (alone["high"] - alone["low"])


def picture_score(photo: str, method: str, style: str, psnr: float) -> PictureScore:
    return PictureScore(photo, "", method, style, psnr, 0.9, 5.0, 20.0, 40.0, math.nan, 0.1)


def object_score(photo: str, method: str, style: str, share: float, psnr: float, label: str = "cat") -> ObjectScore:
    return ObjectScore(photo, "", method, style, label, 0, 0.9, share, psnr, 0.9, 5.0, 20.0, 40.0, math.nan)


def test_rows_pair_each_photo_with_itself_in_gray_and_in_full() -> None:
    pictures = [picture_score("a", GRAY, "", 20), picture_score("b", GRAY, "", 30)]
    pictures += [picture_score("a", FULL, "faithful", 22), picture_score("b", FULL, "faithful", 31)]
    pictures += [picture_score("b", FUSED, "faithful", 31.5), picture_score("a", FUSED, "faithful", 22.5)]
    gray, full, fused = rows_of(pictures, [])
    assert "over_gray" not in gray
    assert "over_full" not in full
    assert full["over_gray"] == {"mean": 1.5, "low": 1.0, "high": 2.0}
    assert fused["over_full"] == {"mean": 0.5, "low": 0.5, "high": 0.5}
    assert fused["colorfulness_ratio"] == 0.5
    assert fused["colorfulness_difference"] == -20
    assert "lpips" not in fused
    assert fused["photos"] == 2


def test_what_hints_are_worth_is_told_against_the_same_method_without() -> None:
    psnr = {FULL: 20.0, FUSED: 21.0, FULL + HINTED: 22.5, FUSED + HINTED: 24.0}
    pictures = [picture_score("a", method, "faithful", value) for method, value in psnr.items()]
    objects = [object_score("a", method, "faithful", 0.2, value + 1) for method, value in psnr.items()]
    full, fused, full_hinted, fused_hinted = rows_of(pictures, objects)
    for row, gain in ((full_hinted, 2.5), (fused_hinted, 3.0)):
        assert row["over_unhinted"]["mean"] == gain
        assert row["objects"]["by_size"]["all"]["over_unhinted"]["mean"] == gain
    assert "over_unhinted" not in full
    assert "over_unhinted" not in fused["objects"]["by_size"]["all"]
    assert fused_hinted["over_full"]["mean"] == 4


def test_objects_too_small_for_a_metric_do_not_count_in_its_mean() -> None:
    scores = [replace(object_score(str(i), FULL, "faithful", 0.2, 20), ssim=s) for i, s in enumerate((0.5, math.nan))]
    (row,) = rows_of([picture_score("0", FULL, "faithful", 20)], scores)
    group = row["objects"]["by_label"]["cat"]
    assert group["objects"] == 2
    assert group["ssim"]["mean"] == 0.5
    assert group["colorfulness_difference"] == -20
    assert "lpips" not in group


def test_the_table_of_objects_has_no_figures_of_pictures() -> None:
    pictures = [replace(picture_score("a", GRAY, "", 20), lpips=0.125)]
    evaluation = Evaluation(Protocol(), pictures, [object_score("a", GRAY, "", 0.2, 25)])
    _, of_pictures, of_objects, *_ = markdown(evaluation).split("## ")[1:]
    assert of_pictures.startswith("Pictures (1 photos)")
    assert "| LPIPS |" in of_pictures
    assert "0.1250" in of_pictures
    assert of_objects.startswith("Objects (1)")
    assert "| gray | 25.00 (25.00..25.00) | 0.9000" in of_objects
    assert "LPIPS" not in of_objects
    assert "s per photo" not in of_objects


def test_objects_are_grouped_by_size_and_label() -> None:
    shares = {"a": 0.01, "b": 0.02, "c": 0.2, "d": 0.5}
    scores = [object_score(photo, FULL, "faithful", share, 20) for photo, share in shares.items()]
    scores += [object_score(photo, FUSED, "faithful", share, 20 + share) for photo, share in shares.items()]
    pictures = [picture_score("a", method, "faithful", 20) for method in (FULL, FUSED)]
    _, fused = rows_of(pictures, scores)
    sizes = fused["objects"]["by_size"]
    assert {name: group["objects"] for name, group in sizes.items()} == {
        "<2 %": 1,
        "2-10 %": 1,
        "10-30 %": 1,
        ">30 %": 1,
        ">=2 %": 3,
        "all": 4,
    }
    assert sizes[">=2 %"]["over_full"]["mean"] == pytest.approx((0.02 + 0.2 + 0.5) / 3)
    assert fused["objects"]["by_label"]["cat"]["objects"] == 4
