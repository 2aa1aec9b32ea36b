"""Films that are not as they should be, and disks that are full: the right result or one line, nothing half-written."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from instcolor import Colorizer
from instcolor.errors import InstcolorError, VideoError
from instcolor.video import Done, colorize_video
from support import films
from support.stand_in import FakeModel


def color(film: Path, out: Path, codec: str = "ffv1") -> Done:
    return colorize_video(film, out, colorizer=Colorizer(FakeModel(), detector="none"), codec=codec)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As a disk that fills: writing beyond fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_times_that_are_uneven_are_kept_where_scenes_meet_and_frames_are_reordered(tmp_path: Path) -> None:
    lumas = [luma for seed in (0, 1) for luma in films.pan(104, seed=seed)]
    steps = np.random.default_rng(0).integers(1, 4, len(lumas))
    pts = np.cumsum(steps).tolist()
    film = films.write(tmp_path / "old.mkv", films.gray(lumas), time_base=Fraction(1, 50), pts=pts)
    out = tmp_path / "out.mp4"
    assert color(film, out, "h264").scenes == 2
    assert films.read(out).times == pytest.approx(films.read(film).times, abs=2e-3)


def test_fields_are_made_into_whole_frames_with_a_note(tmp_path: Path) -> None:
    lumas = films.pan(12, step=2)
    woven = [np.where(np.arange(len(a))[:, None] % 2, b, a) for a, b in zip(lumas[::2], lumas[1::2], strict=True)]
    film = films.write(tmp_path / "old.mkv", films.gray(woven), codec="libx264", interlaced=True)
    done = color(film, tmp_path / "out.mkv")
    assert any("is interlaced" in note for note in done.notes), done.notes
    before, after = films.read(film), films.read(tmp_path / "out.mkv")
    assert after.times == pytest.approx(before.times, abs=2e-3)
    combs = [np.abs(np.diff(Y.astype(int), 2, axis=0)).mean() for Y in (before.Y[3], after.Y[3])]
    assert combs[1] < combs[0] / 2


def test_frames_that_change_their_size_are_refused_in_one_line(tmp_path: Path) -> None:
    film = tmp_path / "old.ts"
    with open(film, "wb") as file:
        for part, size in enumerate([(96, 64), (64, 48)]):
            lumas = films.pan(30, size=size)
            pts = [3600 * (30 * part + i) for i in range(30)]
            piece = films.write(
                tmp_path / f"{part}.ts",
                films.gray(lumas),
                codec="libx264",
                time_base=Fraction(1, 90000),
                pts=pts,
            )
            file.write(piece.read_bytes())
    with pytest.raises(VideoError, match="frames change their size") as caught:
        color(film, tmp_path / "out.mkv")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.mkv").exists()


def test_a_film_partly_in_color_keeps_those_scenes(tmp_path: Path) -> None:
    own = films.colored(films.pan(8, seed=1))
    film = films.write(tmp_path / "old.mkv", films.gray(films.pan(20, seed=0)) + own)
    done = color(film, tmp_path / "out.mkv")
    assert any("partly in color" in note for note in done.notes), done.notes
    after = films.read(tmp_path / "out.mkv")
    for frame, planes in zip(range(20, 28), own, strict=True):
        np.testing.assert_array_equal(after.U[frame], planes[1])
    assert np.abs(after.V[5].astype(int) - 128).mean() > 4


def test_a_disk_that_fills_is_one_line_and_a_later_run_goes_on(tmp_path: Path) -> None:
    lumas = [luma for seed in (0, 1) for luma in films.pan(104, seed=seed)]
    film = films.write(tmp_path / "old.mkv", films.gray(lumas))
    whole = tmp_path / "whole.mkv"
    color(film, whole)
    out = tmp_path / "out.mkv"
    for room in (20_000, whole.stat().st_size * 3 // 4):  # in the middle of a scene; when the scenes are joined
        with no_file_larger_than(room), pytest.raises(InstcolorError) as caught:
            color(film, out)
        assert "\n" not in str(caught.value)
        assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("out") and path.is_file()]
    assert color(film, out).seen == 0
    assert out.read_bytes() == whole.read_bytes()
