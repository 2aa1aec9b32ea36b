"""Clips colored in every way that has a row: gray, the truth, each frame alone, and as `instcolor video` does it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from ... import styles
from ...colorizer import Colorizer
from ...photo import Photo
from ...photo.source import Source
from ...tuning import ANCHORS
from ...video import colorize_video
from ...video.coding import Plane, colored
from ...video.reading import Film
from .clips import CODING, Clip
from .measure import Chroma, Score, measure

TRUTH, GRAY, ALONE, CARRIED = "truth", "gray", "each frame alone", "carried"
RATE = 24


def scores(
    clips: Iterable[Clip], colorizer: Colorizer, wanted: Sequence[str] = (), every: Sequence[int] = (1,)
) -> Iterator[Score]:
    """The scores of clips: each style alone and carried, with networks on every so many frames."""
    for clip in clips:
        neutral = np.full_like(clip.UV[0][0], CODING.neutral)
        yield measure(clip, clip.UV, "", TRUTH)
        yield measure(clip, [(neutral, neutral)] * len(clip.Y), "", GRAY)
        chosen = wanted or tuple(styles.STYLES)
        for style, UV in zip(chosen, alone(clip, colorizer, chosen), strict=True):
            yield measure(clip, UV, style, ALONE)
        with tempfile.TemporaryDirectory() as folder:
            film = write(clip, Path(folder) / "film.mkv")
            for each in every:
                for style in chosen:
                    UV = carried(film, colorizer, style, each)
                    yield measure(clip, UV, style, f"{CARRIED}, every {each}" if each > 1 else CARRIED)


def alone(clip: Clip, colorizer: Colorizer, wanted: Sequence[str]) -> list[Chroma]:
    """U and V of a clip whose frames are colored as photographs, for each style."""
    planes: list[list[tuple[Plane, Plane]]] = [[] for _ in wanted]
    shape = clip.UV[0][0].shape
    for Y in clip.Y:
        look = colorizer.look(Photo(CODING.lightness(Y), Source(clip.name)))
        for UV, style in zip(planes, wanted, strict=True):
            ab = look.anchor(ANCHORS.index(style))
            UV.append(colored(CODING, Y, ab, (shape[0], shape[1])))
    return list(planes)


def carried(film: Path, colorizer: Colorizer, style: str, every: int) -> Chroma:
    """U and V of a gray film as it is colored; what the networks said of it is kept beside it for the next style."""
    out = film.with_name("color.mkv")
    kept = film.with_name(f"every-{every}")
    colorize_video(film, out, colorizer=colorizer, style=style, every=every, codec="ffv1", overwrite=True, sidecar=kept)
    return [frame.UV for frame in Film.open(out).frames() if frame.UV]


def write(clip: Clip, path: Path) -> Path:
    """A clip as a gray film, losslessly."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE)
        stream.height, stream.width = clip.Y[0].shape
        stream.pix_fmt = "gray"
        for Y in clip.Y:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(Y, format="gray")))
        container.mux(stream.encode(None))
    return path
