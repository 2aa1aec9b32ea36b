"""Whole films: what stays as it was, what goes on after a stop, what is steady, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from instcolor import Colorizer
from instcolor.bins import BIN_CENTERS
from instcolor.cli import app
from instcolor.errors import VideoError
from instcolor.inputs import Inputs, Sizes
from instcolor.runtime.model import Answer
from instcolor.video import Progress, colorize_video
from support import films
from support.places import EXAMPLES


class Wavering:
    """A model whose colors change from frame to frame: red and yellow, a little more or less."""

    sizes = Sizes(side=64, instance_size=32, multiple=16)

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.asked = 0

    def answer(self, inputs: Inputs[NDArray[np.float32]]) -> Answer:
        self.asked += 1
        height, width = inputs.photo.L.shape[2] // 4, inputs.photo.L.shape[3] // 4
        ab = np.broadcast_to(self.rng.normal((35, 25), 8, 2), (height, width, 2)).astype(np.float32)
        mask = inputs.photo.hint_mask[0, 0] > 0
        if mask.any():
            ab = np.broadcast_to(inputs.photo.hint_ab[0][:, mask].mean(1), ab.shape).astype(np.float32)
        logits = -0.02 * ((ab[:, :, None] - BIN_CENTERS) ** 2).sum(-1)
        return Answer(ab, logits.astype(np.float32))


def color(source: Path, out: Path, **options: Any) -> Any:
    colorizer = options.pop("colorizer", None) or Colorizer(Wavering(), detector="none")
    return colorize_video(source, out, colorizer=colorizer, **options)


@pytest.mark.parametrize(("pixels", "codec"), [("yuv420p", "ffv1"), ("yuv420p10le", "ffv1"), ("yuv444p", "ffv1")])
def test_luma_is_the_films_own_bit_for_bit_and_everything_else_comes_along(
    pixels: str, codec: str, tmp_path: Path
) -> None:
    uneven = [0, 40, 85, 120, 200, 240, 281, 320, 360, 400, 450, 480]
    film = films.write(
        tmp_path / "old.mkv",
        films.gray(films.pan(), pixels),
        pixels=pixels,
        pts=uneven,
        sound=True,
        chapters=((0.0, 0.2, "one"), (0.2, 0.5, "two")),
        title="An old film",
    )
    out = tmp_path / "out.mkv"
    done = color(film, out, codec=codec)
    before, after = films.read(film), films.read(out)
    assert done.frames == len(after.Y) == 12
    for one, two in zip(before.Y, after.Y, strict=True):
        np.testing.assert_array_equal(one, two)
    assert after.times == pytest.approx(before.times, abs=1e-3)
    neutral = 512 if "10" in pixels else 128
    assert np.mean([np.abs(plane.astype(int) - neutral).mean() for plane in (*after.U, *after.V)]) > 4 * neutral / 128
    assert films.packets(out, "audio") == films.packets(film, "audio")
    told = films.probe(out, "-show_streams", "-show_format", "-show_chapters")
    (video,) = (stream for stream in told["streams"] if stream["codec_type"] == "video")
    assert video["pix_fmt"] == pixels
    assert told["format"]["tags"]["title"] == "An old film"
    assert [chapter["tags"]["title"] for chapter in told["chapters"]] == ["one", "two"]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    film = films.write(tmp_path / "old.mp4", films.gray(films.pan(4)), codec="libx264", aspect=Fraction(4, 3))
    out = tmp_path / "out.mp4"
    color(film, out)
    assert films.probe(out)["streams"][0]["sample_aspect_ratio"] == "4:3"


def test_a_film_turned_by_its_tag_is_seen_upright_and_written_turned(tmp_path: Path) -> None:
    film = films.write(tmp_path / "old.mkv", films.gray(films.pan(4)), rotation=90)
    out = tmp_path / "out.mkv"
    color(film, out, codec="ffv1")
    np.testing.assert_array_equal(films.read(film).Y[0], films.read(out).Y[0])
    sides = [data for stream in films.probe(out)["streams"] for data in stream.get("side_data_list", [])]
    assert [abs(data["rotation"]) for data in sides if "rotation" in data] == [90]


def test_colors_are_steadier_than_those_of_each_frame_alone_and_change_at_a_cut(tmp_path: Path) -> None:
    still = [films.pan(1, seed=0)[0]] * 24
    film = films.write(tmp_path / "old.mkv", films.gray(still))
    changes = {}
    for every in (1, 4):
        out = tmp_path / f"every-{every}.mkv"
        color(film, out, codec="ffv1", every=every, style="faithful")
        V = np.stack(films.read(out).V).astype(float)
        changes[every] = np.abs(np.diff(V.mean((1, 2)))).mean()
    rng = np.random.default_rng(0)
    alone = np.abs(np.diff(rng.normal(0, 8, 24))).mean()
    assert changes[1] < alone / 2
    assert changes[4] < alone / 4
    two = films.write(tmp_path / "two.mkv", films.gray(films.pan(6, seed=0) + films.pan(6, seed=1)))
    done = color(two, tmp_path / "two-color.mkv", codec="ffv1")
    assert done.scenes == 2


def test_a_broken_run_goes_on_to_the_same_bytes_and_another_style_needs_no_networks(tmp_path: Path) -> None:
    lumas = [luma for seed in range(4) for luma in films.pan(110, seed=seed, size=(48, 32))]
    film = films.write(tmp_path / "old.mkv", films.gray(lumas))
    whole = tmp_path / "whole.mkv"
    color(film, whole, codec="ffv1", every=16, networks="w")

    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.done > 250:
            raise Stop

    out = tmp_path / "out.mkv"
    model = Wavering()
    colorizer = Colorizer(model, detector="none")
    with pytest.raises(Stop):
        color(film, out, codec="ffv1", every=16, networks="w", watch=stop, colorizer=colorizer)
    assert not out.exists()
    asked = model.asked
    done = color(film, out, codec="ffv1", every=16, networks="w", colorizer=colorizer)
    assert 0 < model.asked - asked < asked
    assert out.read_bytes() == whole.read_bytes()
    again = color(film, tmp_path / "out.mkv", codec="ffv1", every=16, networks="w", style="vivid", overwrite=True)
    assert done.frames == again.frames == 440
    assert again.seen == 0


def test_a_reference_and_a_hint_lend_their_colors(tmp_path: Path) -> None:
    lumas = films.pan(12)
    film = films.write(tmp_path / "old.mkv", films.gray(lumas))
    blue = np.stack([lumas[4] // 2, lumas[4] // 2, np.clip(lumas[4].astype(int) + 60, 0, 255)], -1).astype(np.uint8)
    Image.fromarray(blue).save(tmp_path / "ref.png")
    plain, lent = tmp_path / "plain.mkv", tmp_path / "lent.mkv"
    color(film, plain, codec="ffv1")
    color(film, lent, codec="ffv1", references={4: tmp_path / "ref.png"})
    U = [np.stack(films.read(path).U).astype(int).mean() for path in (plain, lent)]
    assert U[1] > U[0] + 10
    result = CliRunner().invoke(
        app, ["video", str(film), "-o", str(tmp_path / "hint.mkv"), "--reference", f"99:{tmp_path / 'ref.png'}"]
    )
    assert result.exit_code == 1
    assert "frame 99 is not among those that are colored, 0 to 11" in result.stderr


def test_a_part_of_a_film_as_a_preview_on_the_command_line(tmp_path: Path) -> None:
    film = films.write(tmp_path / "old.mkv", films.gray(films.pan(50, size=(64, 48))))
    out = tmp_path / "part.mkv"
    asked = ["video", str(film), "-o", str(out), "--from", "0:00:01", "--preview", "0.4", "--codec", "ffv1", "--json"]
    result = CliRunner().invoke(app, [*asked, "--detector", "none", "--threads", "1"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["frames"] == 10
    seen = films.read(out)
    assert seen.Y[0].shape == (48, 128)
    np.testing.assert_array_equal(seen.Y[0][:, :64], films.read(film).Y[25])
    assert (seen.U[0][:, :32] == 128).all()


def cut_in_the_middle(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    return path


def test_what_is_there_of_a_film_that_is_cut_in_the_middle_is_colored_with_a_note(tmp_path: Path) -> None:
    film = cut_in_the_middle(films.write(tmp_path / "old.mkv", films.gray(films.pan(120))))
    done = color(film, tmp_path / "out.mkv", codec="ffv1")
    assert 5 < done.frames < 120
    assert any("ends early" in note for note in done.notes), done.notes


def a_picture(folder: Path) -> Path:
    return EXAMPLES / "cat.jpg"


def sound_alone(folder: Path) -> Path:
    import av

    path = folder / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("flac", rate=8000, layout="mono")
        block: Any = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = 8000, 0, Fraction(1, 8000)
        container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return path


def no_film(folder: Path) -> Path:
    (folder / "text.mp4").write_text("this is no film")
    return folder / "text.mp4"


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def in_color(folder: Path) -> Path:
    return films.write(folder / "color.mkv", films.colored(films.pan()))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "none.mp4", r"none\.mp4: cannot be read \(No such file"),
        (no_film, r"text\.mp4: is no film that can be opened"),
        (a_picture, r"cat\.jpg: is no film that can be opened"),
        (sound_alone, r"sound\.mkv: has no video"),
        (a_pipe, r"pipe: is a pipe or device; a film is read twice"),
        (in_color, r"color\.mkv: is in color already; ask for --anyway"),
    ],
)
def test_what_is_no_film_to_color_is_refused_in_one_line(
    make: Callable[[Path], Path], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(VideoError, match=reason) as caught:
        color(make(tmp_path), tmp_path / "out.mkv")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.mkv").exists()


def test_a_film_in_color_is_colored_when_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    color(in_color(tmp_path), out, anyway=True, codec="ffv1")
    assert np.stack(films.read(out).V).mean() > 130


@pytest.mark.parametrize(
    ("options", "name", "reason"),
    [
        ({"codec": "divx"}, "out.mkv", "divx: no such codec; known are"),
        ({}, "out.gif", r"out\.gif: the suffix is none of"),
        ({"style": "loud"}, "out.mkv", "no style 'loud'"),
        ({"start": 99.0}, "out.mkv", "has no frame between these times"),
        ({"crf": 60, "codec": "h264"}, "out.mkv", "h264: has .* not 60"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_done(
    options: dict[str, Any], name: str, reason: str, tmp_path: Path
) -> None:
    film = films.write(tmp_path / "old.mkv", films.gray(films.pan(4)))
    with pytest.raises(VideoError, match=reason):
        color(film, tmp_path / name, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["old.mkv"]


def test_a_result_is_not_replaced_unless_asked_for_and_a_film_never(tmp_path: Path) -> None:
    film = films.write(tmp_path / "old.mkv", films.gray(films.pan(4)))
    out = tmp_path / "out.mkv"
    color(film, out, codec="ffv1")
    result = CliRunner().invoke(app, ["video", str(film), "-o", str(out), "--detector", "none"])
    assert result.exit_code == 1
    assert "out.mkv" in result.stderr
    with pytest.raises(VideoError, match="would replace the film itself"):
        color(film, film, overwrite=True)
