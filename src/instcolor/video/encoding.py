"""Films go out: which encoder writes them and how, and one frame's planes into one picture of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.error import FFmpegError

from ..errors import VideoError
from ..files import shown
from .coding import Plane
from .reading import Film

CONTAINERS = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
FULL_RANGE = 2  # in PyAV's numbers
ENCODER_THREADS = 2  # always, since the bytes depend on it


@dataclass(frozen=True)
class Codec:
    """An encoder and its settings."""

    encoder: str
    crf: int | None = None
    """The quality that is taken where none is asked for; None where it has none."""
    most: int = 0
    """The largest crf."""
    options: dict[str, str] = field(default_factory=dict)


CODECS = {
    "h264": Codec("libx264", 18, 51, {"preset": "medium"}),
    "h265": Codec("libx265", 20, 51, {"preset": "fast", "x265-params": "log-level=error"}),
    "av1": Codec("libsvtav1", 26, 63, {"preset": "8"}),
    "vp9": Codec("libvpx-vp9", 24, 63, {"b": "0", "deadline": "good", "cpu-used": "4"}),
    "ffv1": Codec("ffv1", options={"level": "3", "slicecrc": "1"}),
    "prores": Codec("prores_ks", options={"profile": "3"}),
}


@dataclass(frozen=True)
class Encoding:
    """How one film is written.

    Raises VideoError where codec, container and the film do not go together.
    """

    film: Film
    out: Path
    codec: str = ""
    """One of `CODECS`; h264 by default, vp9 in .webm."""
    crf: int | None = None
    doubled: bool = False
    """Whether a frame is as wide as two, before and after side by side."""

    def __post_init__(self) -> None:
        if self.out.suffix.lower() not in CONTAINERS:
            raise VideoError(f"{shown(self.out)}: the suffix is none of {', '.join(CONTAINERS)}")
        if self.codec and self.codec not in CODECS:
            raise VideoError(f"{self.codec}: no such codec; known are {', '.join(CODECS)}")
        if self.encoder not in av.codecs_available:
            raise VideoError(f"{self.name}: the installed PyAV has no encoder {self.encoder}")
        if self.crf is not None and not 0 <= self.crf <= self.settings.most:
            crf = f"a crf of 0 to {self.settings.most}" if self.settings.most else "no crf"
            raise VideoError(f"{self.name}: has {crf}, not {self.crf}")
        if self.pixels is None:
            raise VideoError(f"{self.name}: does not hold films of {self.film.coding.bits} bits a channel")

    @property
    def name(self) -> str:
        """Of the codec: as asked, else VP9 for WebM and H.264 for all else."""
        return self.codec or ("vp9" if self.out.suffix.lower() == ".webm" else "h264")

    @property
    def settings(self) -> Codec:
        """What the codec can and how it is set."""
        return CODECS[self.name]

    @property
    def encoder(self) -> str:
        """The name by which FFmpeg knows the encoder."""
        return self.settings.encoder

    @property
    def pixels(self) -> str | None:
        """FFmpeg's name of the pixel format: the film's own, or the nearest that has its depth; luma is the same."""
        film = self.film
        end = "10le" if film.coding.bits == 10 else ""
        odd = film.width % 2 or film.height % 2
        own = film.pixels.replace("yuvj", "yuv").replace("yuva", "yuv")
        wanted = ["yuv444p" + end] if odd else ["yuv420p" + end, "yuv422p" + end, "yuv444p" + end]
        if own.startswith("yuv") and not (odd and self.encoder != "ffv1"):
            wanted.insert(0, own)
        known = {pixels.name for pixels in av.Codec(self.encoder, "w").video_formats or ()}
        return next((name for name in wanted if name in known), None)

    @property
    def chroma_shape(self) -> tuple[int, int]:
        """Height and width of the planes U and V that are written, of one frame."""
        pixels = av.VideoFormat(self.pixels or "")
        return pixels.chroma_height(self.film.height), pixels.chroma_width(self.film.width)

    def context(self) -> Any:
        """An encoder by itself."""
        context: Any = av.CodecContext.create(self.encoder, "w")
        context.framerate = self.film.rate
        context.options = self._options()
        context.flags |= Flags.global_header  # as the containers want it
        self._set_up(context)
        return context

    def add_to(self, container: Any) -> Any:
        """A stream in a container for what `context` encodes. Raises VideoError where it holds no such stream."""
        try:
            stream = container.add_stream(self.encoder, rate=self.film.rate, options=self._options())
        except ValueError:
            raise VideoError(f"{shown(self.out)}: a {self.out.suffix} file holds no {self.name}") from None
        stream.time_base = self.film.time_base
        self._set_up(stream.codec_context)
        if self.film.rotation and not self.doubled:
            stream.set_display_rotation(self.film.rotation)
        return stream

    def _options(self) -> dict[str, str]:
        options = dict(self.settings.options)
        if self.settings.crf is not None:
            options["crf"] = str(self.settings.crf if self.crf is None else self.crf)
        return options

    def _set_up(self, context: Any) -> None:
        film = self.film
        context.width, context.height = film.width * (2 if self.doubled else 1), film.height
        context.pix_fmt, context.time_base, context.thread_count = self.pixels, film.time_base, ENCODER_THREADS
        tags = dict(film.tags)
        if film.coding.full_range:  # the pixel format, or that the film is gray, may have said so alone
            tags["color_range"] = FULL_RANGE
        if film.is_gray:
            tags["colorspace"] = film.coding.matrix
        for name, value in tags.items():
            setattr(context, name, value)
        if film.aspect:
            context.sample_aspect_ratio = film.aspect

    def picture(self, Y: Plane, U: Plane, V: Plane, pts: int) -> Any:
        """One frame for the encoder; Y goes in as it is, byte for byte."""
        height, width = Y.shape
        frame: Any = av.VideoFrame(width, height, self.pixels or "")
        frame.pts, frame.time_base = pts, self.film.time_base
        for plane, values in zip(frame.planes, (Y, U, V), strict=True):
            rows = np.frombuffer(plane, values.dtype).reshape(-1, plane.line_size // values.itemsize)
            rows[: values.shape[0], : values.shape[1]] = values
        return frame


def fitted(plane: Plane, shape: tuple[int, int]) -> Plane:
    """A plane of U or V of a film brought to the `shape` (height, width) that is written."""
    if plane.shape == shape:
        return plane
    return np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR), plane.dtype)


def encoded(context: Any, frame: Any) -> list[Any]:
    """The packets that a frame, or the end (None), brings out of an encoder. Raises VideoError."""
    try:
        return list(context.encode(frame))
    except FFmpegError as error:
        raise VideoError(f"the encoder {context.codec.name} fails ({error.strerror or error})") from error
