"""Small films, made by PyAV: a texture under a moving camera, with all that a file may hold beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

Planes = tuple[NDArray[Any], ...]
WIDTH, HEIGHT, COUNT = 96, 64, 12


def texture(seed: int, height: int = 160, width: int = 240) -> NDArray[np.uint8]:
    """Soft blobs, so that the flow has something to hold on to."""
    coarse = np.random.default_rng(seed).integers(30, 220, (height // 8, width // 8)).astype(np.float32)
    wide = np.repeat(np.repeat(coarse, 8, 0), 8, 1)
    for axis in (0, 1):
        summed: Any = sum(np.roll(wide, shift, axis) for shift in range(-4, 5))
        wide = summed / 9
    return wide.astype(np.uint8)


def pan(count: int = COUNT, *, seed: int = 0, step: int = 1, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[Any]:
    """Luma of frames of a camera that moves to the right, `step` pixels a frame; 8 bits."""
    width, height = size
    picture = texture(seed, height + 8, width + step * count + 8)
    return [np.ascontiguousarray(picture[:height, step * i : step * i + width]) for i in range(count)]


def gray(lumas: Iterable[NDArray[Any]], pixels: str = "yuv420p") -> list[Planes]:
    """Planes of a gray film in a format that has color."""
    format = av.VideoFormat(pixels)
    ten = "10" in pixels
    frames: list[Planes] = []
    for luma in lumas:
        Y = luma.astype(np.uint16) * 4 + 1 if ten else luma
        height, width = Y.shape
        if pixels.startswith("gray"):
            frames.append((Y,))
            continue
        shape = format.chroma_height(height), format.chroma_width(width)
        neutral = np.full(shape, 512 if ten else 128, Y.dtype)
        frames.append((Y, neutral, neutral))
    return frames


def colored(lumas: Iterable[NDArray[Any]]) -> list[Planes]:
    """Planes of a film in color: its U and V have patterns of their own."""
    frames: list[Planes] = []
    for Y in lumas:
        height, width = -(-Y.shape[0] // 2), -(-Y.shape[1] // 2)
        rows, columns = np.indices((height, width))
        U = (128 + 60 * np.sin(columns / 7)).astype(np.uint8)
        V = (128 + 60 * np.cos(rows / 5)).astype(np.uint8)
        frames.append((Y, U, V))
    return frames


@dataclass(frozen=True)
class Recipe:
    """How a film is written."""

    pixels: str = "yuv420p"
    codec: str = "ffv1"
    options: dict[str, str] = field(default_factory=dict)
    time_base: Fraction = Fraction(1, 1000)
    pts: Sequence[int] = ()
    sound: bool = False
    chapters: tuple[tuple[float, float, str], ...] = ()
    title: str = ""
    tags: dict[str, int] = field(default_factory=dict)
    aspect: Fraction | None = None
    rotation: int = 0
    interlaced: bool = False


def write(path: Path, frames: Sequence[Planes], recipe: Recipe | None = None, **given: Any) -> Path:
    """Writes a film; `given` are fields of its `Recipe`."""
    recipe = replace(recipe or Recipe(), **given)
    pts = recipe.pts or [round(i / 25 / recipe.time_base) for i in range(len(frames))]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(recipe.codec, rate=25, options=recipe.options)
        stream.height, stream.width = frames[0][0].shape
        stream.pix_fmt = recipe.pixels
        stream.time_base = stream.codec_context.time_base = recipe.time_base
        if recipe.interlaced:
            stream.codec_context.flags |= 0x40000 | 0x20000000  # interlaced DCT and motion
        for name, value in recipe.tags.items():
            setattr(stream.codec_context, name, value)
        if recipe.aspect:
            stream.codec_context.sample_aspect_ratio = recipe.aspect
        if recipe.rotation:
            stream.set_display_rotation(recipe.rotation)
        if recipe.title:
            container.metadata["title"] = recipe.title
        sound: Any = container.add_stream("flac", rate=8000, layout="mono") if recipe.sound else None
        if recipe.chapters:
            container.set_chapters([_chapter(i, *chapter) for i, chapter in enumerate(recipe.chapters)])
        for planes, time in zip(frames, pts, strict=True):
            for packet in stream.encode(_picture(planes, recipe.pixels, time, recipe.time_base)):
                container.mux(packet)
        container.mux(stream.encode(None))
        if sound:
            samples = np.random.default_rng(0).integers(-9000, 9000, (5, 1, 800)).astype(np.int16)
            for i, values in enumerate(samples):
                block: Any = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
                block.sample_rate, block.pts, block.time_base = 8000, 800 * i, Fraction(1, 8000)
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    return path


def _chapter(number: int, start: float, end: float, title: str) -> Any:
    base = Fraction(1, 1000)
    times = {"start": round(start / base), "end": round(end / base), "time_base": base}
    return {"id": number, "metadata": {"title": title}, **times}


def _picture(planes: Planes, pixels: str, pts: int, time_base: Fraction) -> Any:
    height, width = planes[0].shape
    frame: Any = av.VideoFrame(width, height, pixels)
    frame.pts, frame.time_base = pts, time_base
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.frombuffer(plane, values.dtype).reshape(-1, plane.line_size // values.itemsize)
        rows[: values.shape[0], : values.shape[1]] = values
    return frame


@dataclass(frozen=True)
class Seen:
    """What is in a file, decoded."""

    Y: list[NDArray[Any]]
    U: list[NDArray[Any]]
    V: list[NDArray[Any]]
    times: list[float]


def read(path: Path) -> Seen:
    """The planes and the times of a film's frames, by PyAV."""
    seen = Seen([], [], [], [])
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            dtype: Any = np.uint16 if "10" in frame.format.name else np.uint8
            planes: Any = frame.planes
            for plane, kept in zip(planes, (seen.Y, seen.U, seen.V), strict=False):
                rows: Any = np.frombuffer(plane, dtype)
                rows = rows.reshape(-1, plane.line_size // rows.itemsize)
                kept.append(rows[: plane.height, : plane.width].copy())
            seen.times.append(float(frame.time or 0))
    return seen


def probe(path: Path, *asked: str) -> Any:
    """What ffprobe, another reader than ours, says of a file."""
    if not shutil.which("ffprobe"):
        pytest.skip("ffprobe is not installed (Debian's package ffmpeg)")
    command = ["ffprobe", "-v", "error", "-of", "json", *(asked or ("-show_streams", "-show_format")), str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Time and bytes of all packets of the streams of a kind."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(*streams)
            if packet.pts is not None and packet.time_base
        ]
