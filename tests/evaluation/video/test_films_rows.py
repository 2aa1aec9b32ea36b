"""Clips whose motion is known, the figures of ways to color them, and the command's table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from instcolor.cli import app
from instcolor.evaluation.video.clips import CODING, COUNT, KINDS, Clip, made, real
from instcolor.evaluation.video.measure import distribution_consistency, measure
from support import films


def colorful(seed: int) -> np.ndarray:
    """(400, 600, 3): soft blobs of many colors."""
    return np.stack([films.texture(seed + channel, 400, 600) for channel in range(3)], -1)


@pytest.fixture(scope="module")
def clips() -> dict[str, Clip]:
    return {clip.kind: clip for clip in made("blobs", colorful(0), colorful(10), 0)}


def test_things_are_where_a_made_clip_says_that_they_were(clips: dict[str, Clip]) -> None:
    assert tuple(clips) == KINDS
    for clip in clips.values():
        true = measure(clip, clip.UV, "", "truth")
        shuffled = [clip.UV[(7 * i) % COUNT] for i in range(COUNT)]
        assert true.warp_error < 0.5 * measure(clip, shuffled, "", "shuffled").warp_error, clip.kind
        assert true.warp_error < 1.5, clip.kind
        assert [i for i, move in enumerate(clip.moves) if move is None] == (
            [0, COUNT // 2] if clip.kind == "cut" else [0]
        )


def test_the_truth_is_better_than_gray_and_colors_that_come_and_go_are_unsteady(clips: dict[str, Clip]) -> None:
    clip = clips["pan"]
    neutral = np.full_like(clip.UV[0][0], CODING.neutral)
    gray = measure(clip, [(neutral, neutral)] * COUNT, "", "gray")
    assert (gray.over_gray, gray.warp_error) == pytest.approx((0, 0), abs=1e-4)
    assert measure(clip, clip.UV, "", "truth").over_gray > 3
    blinking = [UV if i % 2 else (neutral, neutral) for i, UV in enumerate(clip.UV)]
    assert measure(clip, blinking, "", "blinking").warp_error > 5


def test_distributions_of_pictures_that_share_no_value_are_as_far_apart_as_they_can_be() -> None:
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert distribution_consistency([black, black, black]) == 0
    assert distribution_consistency([black, white]) == pytest.approx(np.log(2))
    assert distribution_consistency([black]) == 0


def test_a_film_in_color_is_its_own_truth_and_a_gray_one_is_refused(tmp_path: Path) -> None:
    lumas = films.pan(6)
    clip = real(films.write(tmp_path / "color.mkv", films.colored(lumas)))
    assert len(clip.Y) == len(clip.moves) == 6
    assert clip.moves[0] is None
    known = clip.moves[3]
    assert known is not None
    y, x = np.indices(lumas[0].shape)
    shift = (known.places - np.stack([x, y], -1))[known.known]
    assert np.median(shift, 0) == pytest.approx((1, 0), abs=0.3)
    films.write(tmp_path / "gray.mkv", films.gray(lumas, "gray"), pixels="gray")
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "gray.mkv"), "--video", "--detector", "none"])
    assert result.exit_code == 1
    assert "gray.mkv: films in color of 8 bits a channel are measured" in result.stderr


def test_a_photo_without_color_is_no_truth(tmp_path: Path) -> None:
    Image.fromarray(colorful(0)[..., 0]).save(tmp_path / "gray.png")
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--video", "--detector", "none"])
    assert result.exit_code == 1
    assert "gray.png: has no color to compare with" in result.stderr


def test_the_command_has_rows_for_gray_each_frame_alone_and_carried(tmp_path: Path) -> None:
    films.write(tmp_path / "short.mkv", films.colored(films.pan(6)))
    Image.fromarray(colorful(0)).save(tmp_path / "no-film.png")
    asked = ["evaluate", str(tmp_path), "--video", "--detector", "none", "--style", "natural", "--threads", "1"]
    result = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert [row["method"] for row in rows] == ["truth", "gray", "each frame alone", "carried", "carried, every 4"]
    assert all(np.isfinite(row["warp_error"]["mean"]) for row in rows)
