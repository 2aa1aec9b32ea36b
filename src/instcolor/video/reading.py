"""Films come in: what a file holds, and its frames one after the other, planes as they are.

PyAV's traps that are minded here: planes are read as bytes, never through RGB; timestamps are those of the file, also
of variable frame rates; a damaged packet costs itself alone; a playlist or an address is not opened.
"""

from __future__ import annotations

import bisect
import re
import stat
from array import array
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.stream import Disposition

from ..errors import VideoError
from ..files import shown
from ..limits import MAX_FILM_FRAMES, MAX_FILM_STREAMS, MAX_FRAME_PIXELS
from .coding import BT601, BT709, HD_HEIGHT, MATRICES, UNSPECIFIED, Coding, Plane

DEMUXERS = (
    "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,dv,mxf,flv,asf,ogg,nut,yuv4mpegpipe"
)
"""What is opened, by FFmpeg's names: files that hold frames, and no lists of other files or of addresses."""
PLANAR = re.compile(r"(?:yuva?j?4\d\dp|gray)(?:(?P<bits>\d+)le)?")
"""Pixel formats with a plane of luma of its own."""
BITS = (8, 10)
TRANSFERS_HDR = {16: "PQ", 18: "HLG"}
TAGS = ("color_range", "colorspace", "color_primaries", "color_trc")
EARLY = 1.0  # seconds that a file may end before its header says so, without a note
SEEK_MARGIN = 2.0  # seconds before a frame that reading starts: a deinterlacer wants to see what came before
PROBED = 25  # frames that are asked whether the film is interlaced


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a film, its planes as they are in the file."""

    number: int
    """From 0, counted through the whole film."""
    pts: int
    """In units of the film's time base."""
    Y: Plane
    """(height, width)"""
    UV: tuple[Plane, Plane] | None
    """Planes U and V, each of the film's `chroma_shape`; None for a gray film."""


@dataclass
class Film:
    """A file that has been looked through: what it holds, how long it is. `frames` reads it, as often as wanted.

    Raises VideoError: the file cannot be opened, has no video, or is of a kind that is not taken.
    """

    path: Path
    notes: list[str] = field(default_factory=list)
    """Sentences for the person."""
    width: int = 0
    height: int = 0
    rotation: int = 0
    """Degrees counterclockwise, a multiple of 90, that make the frames upright: the file says so, its pixels stay."""
    pixels: str = ""
    """FFmpeg's name of the pixel format."""
    chroma_shape: tuple[int, int] = (0, 0)
    """Height and width of U and V; those of a gray film as if it had them at half the sides."""
    coding: Coding = field(default_factory=Coding)
    interlaced: bool = False
    rate: Fraction = Fraction(25)
    """Frames a second, on average; the timestamps count."""
    aspect: Fraction | None = None
    """Width over height of a pixel, where the file says it."""
    tags: dict[str, int] = field(default_factory=dict)
    """Range, matrix, primaries and transfer as the file names them, by PyAV's names."""
    time_base: Fraction = Fraction(1, 1000)
    times: Sequence[int] = ()
    """The timestamp of every frame, in order."""
    stream: int = 0
    """The index of the video stream in the file."""

    @classmethod
    def open(cls, path: str | Path) -> Film:
        """Looks the file through. Raises VideoError."""
        film = cls(Path(path))
        with film.container() as container:
            film._look(container)
        with film.container() as container:
            film._index(container)
        return film

    @property
    def name(self) -> str:
        """What messages call it."""
        return shown(self.path)

    def container(self) -> Any:
        """The file, opened for reading."""
        try:
            mode = self.path.stat().st_mode
        except OSError as error:
            raise VideoError(f"{self.name}: cannot be read ({error.strerror or error})") from error
        except ValueError as error:
            raise VideoError(f"{self.name}: cannot be read ({error})") from error
        if not stat.S_ISREG(mode):
            kind = "folder" if stat.S_ISDIR(mode) else "pipe or device"
            raise VideoError(f"{self.name}: is a {kind}; a film is read twice, from a file")
        options = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
        try:
            return av.open(f"file:{self.path}", options=options, metadata_errors="replace")
        except (FFmpegError, OSError, ValueError) as error:
            raise VideoError(f"{self.name}: is no film that can be opened ({_reason(error)})") from None

    def _look(self, container: Any) -> None:
        """Reads what the header and the first frames say."""
        if len(container.streams) > MAX_FILM_STREAMS:
            raise VideoError(f"{self.name}: has {len(container.streams)} streams, more than {MAX_FILM_STREAMS}")
        videos = [s for s in container.streams.video if Disposition.attached_pic not in s.disposition]
        if not videos:
            raise VideoError(f"{self.name}: has no video")
        stream = videos[0]
        if len(videos) > 1:
            self.notes.append(f"has {len(videos)} video streams: the first is colored, the others are left out")
        if stream.codec_context is None:
            raise VideoError(f"{self.name}: its video is of a codec that is not known here")
        self.stream, self.time_base = stream.index, stream.time_base
        self.rate = stream.average_rate or stream.guessed_rate or self.rate
        self.aspect = stream.sample_aspect_ratio or None
        self._check_size(stream.codec_context.width, stream.codec_context.height)
        frames: list[Any] = []
        for packet in _packets(container, stream):
            frames += _decoded(packet) or ()
            if len(frames) >= PROBED:
                break
        if not frames:
            raise VideoError(f"{self.name}: has no frame that can be decoded")
        first = frames[0]
        self.width, self.height, self.pixels = first.width, first.height, first.format.name
        self._check_size(self.width, self.height)
        if first.rotation % 90 == 0:
            self.rotation = first.rotation % 360
        self.coding = self._coding(first)
        self.tags = {name: int(getattr(first, name)) for name in TAGS}
        self.chroma_shape = self._chroma_shape(first.format)
        self.interlaced = any(frame.interlaced_frame for frame in frames)
        if self.interlaced:
            self.notes.append("is interlaced: fields are made into whole frames, so its lines are not kept as they are")

    def _check_size(self, width: int, height: int) -> None:
        if width * height > MAX_FRAME_PIXELS:
            raise VideoError(f"{self.name}: frames of {width} x {height} have more than {MAX_FRAME_PIXELS:,} pixels")

    def _coding(self, frame: Any) -> Coding:
        match = PLANAR.fullmatch(self.pixels)
        if match is None:
            advice = "ffmpeg -i IN -pix_fmt yuv444p -c:v ffv1 -c:a copy OUT.mkv makes one"
            raise VideoError(f"{self.name}: pixels of {self.pixels} have no plane of luma of their own ({advice})")
        bits = int(match["bits"] or 8)
        if bits not in BITS:
            raise VideoError(f"{self.name}: has {bits} bits a channel; films of 8 and 10 are taken")
        if int(frame.color_trc) in TRANSFERS_HDR:
            raise VideoError(f"{self.name}: is HDR ({TRANSFERS_HDR[int(frame.color_trc)]}), which is not taken")
        matrix = int(frame.colorspace)
        if matrix == UNSPECIFIED or (matrix == 0 and self.pixels.startswith("gray")):
            matrix = BT709 if self.height >= HD_HEIGHT else BT601
        if matrix not in MATRICES:
            raise VideoError(f"{self.name}: its color matrix (number {matrix} of H.273) is not taken")
        full = int(frame.color_range) == 2 or self.pixels.startswith(("gray", "yuvj")) and int(frame.color_range) != 1
        return Coding(bits, full, matrix)

    def _chroma_shape(self, pixels: Any) -> tuple[int, int]:
        if self.is_gray:
            return -(-self.height // 2), -(-self.width // 2)
        return pixels.chroma_height(self.height), pixels.chroma_width(self.width)

    @property
    def is_gray(self) -> bool:
        """Whether the file has no color planes."""
        return self.pixels.startswith("gray")

    def _index(self, container: Any) -> None:
        """Looks through all packets, decoding none: when each frame is, and whether the file is whole."""
        times, last, damaged = array("q"), 0.0, False
        packets = container.demux()
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                damaged = True
                break
            if packet is None:
                break
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None:
                continue
            last = max(last, float(time * packet.time_base))
            if packet.stream_index == self.stream:
                times.append(time)
                if len(times) > MAX_FILM_FRAMES:
                    raise VideoError(f"{self.name}: has more than {MAX_FILM_FRAMES:,} frames")
        if not times:
            raise VideoError(f"{self.name}: its video has no frame")
        self.times = array("q", sorted(times))
        said = (container.duration or 0) / av.time_base + (container.start_time or 0) / av.time_base
        if damaged or said - last > EARLY:
            self.notes.append(f"ends early, at {clock(last)}: what is there is colored")

    def number_at(self, seconds: float) -> int:
        """The number of the first frame that is shown `seconds` after the first, or later."""
        return bisect.bisect_left(self.times, self.times[0] + seconds / float(self.time_base))

    @property
    def length(self) -> str:
        """From the first frame to the end of the last, as people write it."""
        return clock((self.times[-1] - self.times[0] + self.duration(self.times[-1])) * float(self.time_base))

    def duration(self, pts: int) -> int:
        """How long the frame of a timestamp is shown, in the film's time base: till the next, the last on average."""
        following = bisect.bisect_right(self.times, pts)
        if following < len(self.times):
            return self.times[following] - pts
        return max(1, round(1 / (self.rate * self.time_base)))

    def frames(self, start: int = 0, stop: int | None = None) -> Generator[Frame]:
        """The frames from number `start` on, up to before `stop`.

        Raises VideoError where frames change their size or their kind of pixels.
        """
        stop = len(self.times) if stop is None else stop
        with self.container() as container:
            stream = container.streams[self.stream]
            stream.thread_type = "AUTO"
            if start:
                back = max(self.times[0], self.times[start] - int(SEEK_MARGIN / self.time_base))
                container.seek(int(back), stream=stream)
            yield from self._numbered(self._decode(container, stream), start, stop)

    def _numbered(self, frames: Iterator[Any], start: int, stop: int) -> Iterator[Frame]:
        number, last = start, None
        for frame in frames:
            if number >= stop:
                return
            pts = frame.pts
            if pts is None:
                pts = self.times[number] if number < len(self.times) else None
            else:
                pts = round(pts * frame.time_base / self.time_base)
            if pts is None or (start and pts < self.times[start]):
                continue
            if last is not None and pts <= last:  # no container can hold two frames of one time
                pts = last + 1
            yield self._frame(frame, number, pts)
            number, last = number + 1, pts

    def _decode(self, container: Any, stream: Any) -> Iterator[Any]:
        """Frames as the decoder, and the deinterlacer where one is needed, gives them."""
        graph = self._deinterlacer(stream) if self.interlaced else None
        damaged = 0
        for packet in _packets(container, stream):
            frames = _decoded(packet)
            if frames is None:
                damaged += 1
                continue
            for frame in frames:
                self._check_frame(frame)
                if graph is None:
                    yield frame
                else:
                    graph.push(frame)
                    yield from _pulled(graph)
        if graph is not None:
            graph.push(None)
            yield from _pulled(graph)
        note = f"has {damaged} damaged {'part' if damaged == 1 else 'parts'}, whose frames are left out"
        if damaged and note not in self.notes:
            self.notes.append(note)

    def _deinterlacer(self, stream: Any) -> Any:
        graph = av.filter.Graph()
        source = graph.add_buffer(template=stream)
        bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
        sink = graph.add("buffersink")
        source.link_to(bwdif)
        bwdif.link_to(sink)
        graph.configure()
        return graph

    def _check_frame(self, frame: Any) -> None:
        if (frame.width, frame.height) != (self.width, self.height):
            change = f"from {self.width} x {self.height} to {frame.width} x {frame.height}"
            raise VideoError(f"{self.name}: its frames change their size ({change}), which is not taken")
        if frame.format.name != self.pixels:
            raise VideoError(f"{self.name}: its pixels change from {self.pixels} to {frame.format.name}")

    def _frame(self, frame: Any, number: int, pts: int) -> Frame:
        Y = self._plane(frame.planes[0], (self.height, self.width))
        UV = None
        if not self.is_gray:
            UV = self._plane(frame.planes[1], self.chroma_shape), self._plane(frame.planes[2], self.chroma_shape)
        return Frame(number, pts, Y, UV)

    def _plane(self, plane: Any, shape: tuple[int, int]) -> Plane:
        """A copy of a plane without the padding of its rows."""
        dtype = self.coding.dtype
        rows = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // np.dtype(dtype).itemsize)
        return rows[: shape[0], : shape[1]].copy()


def clock(seconds: float) -> str:
    """As people write it: 1:02:03, 2:03."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """The stream's packets up to where the file ends or cannot be read any more; the last one is empty (a flush)."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:
            return
        if packet is None:
            return
        yield packet


def _decoded(packet: Any) -> list[Any] | None:
    """The frames that a packet completes; None where it is damaged."""
    try:
        return list(packet.decode())
    except FFmpegError:
        return None


def _pulled(graph: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (BlockingIOError, EOFError):
            return


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())
