"""The way of a film, as a recipe: a scout runs ahead and finds each frame's colors, a painter writes them.

    from instcolor.video import colorize_video
    colorize_video("old.mp4", "old-color.mp4")

Both read the file, the scout some seconds ahead, so no frame waits in memory. Scenes are encoded one by one into the
sidecar and joined at the end with all else that the file holds.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import styles
from ..colorizer import Colorizer
from ..errors import VideoError
from ..files import already_exists, shown, written_whole
from ..hints import Hints
from .chroma import has_color
from .coding import colored
from .cuts import Shot, shots
from .encoding import Encoding, encoded, fitted
from .joining import join
from .motion import Floats
from .packets import pack
from .reading import Film, Frame
from .scenes import Manner, Painted, paint
from .seeing import Seeing, read_reference
from .sidecar import SUFFIX, Sidecar

EVERY = 4
"""Of how many frames one is seen by the networks, unless told otherwise."""
LEAST_SCENE = 100  # frames that are encoded together at least: scenes that are shorter share a file
AHEAD = 64  # small colors that wait for the painter at most
SAMPLES = 24  # frames, spread over a film, that are asked whether it is in color
IN_COLOR = 0.5  # share of them from which on a film is taken for one in color
ENDS = 1 << 16  # bytes at a file's beginning and end that tell it from another one


@dataclass(frozen=True)
class Progress:
    """How far a film is."""

    done: int
    """Frames, of these and of an earlier run."""
    total: int
    a_second: float
    """Frames of this run."""
    seconds_left: float


@dataclass(frozen=True)
class Done:
    """What has been done."""

    out: Path
    frames: int
    scenes: int
    seen: int
    """Key frames that the networks saw in this run."""
    seconds: float
    notes: tuple[str, ...]


def colorize_video(
    source: str | Path,
    out: str | Path,
    *,
    colorizer: Colorizer | None = None,
    networks: str = "",
    style: str = styles.DEFAULT,
    saturation: float = 1.0,
    every: int = EVERY,
    start: float = 0.0,
    end: float | None = None,
    preview: bool = False,
    references: Mapping[int, str | Path] | None = None,
    hints: Mapping[int, Hints] | None = None,
    codec: str = "",
    crf: int | None = None,
    anyway: bool = False,
    overwrite: bool = False,
    sidecar: str | Path | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Done:
    """Colors a film; the result is there whole, or not at all.

    Args:
        source: a file with video of 8 or 10 bits a channel, gray or with planes of luma and chroma.
        out: .mp4, .m4v, .mov, .mkv or .webm. Luma, timestamps, sound, subtitles, chapters, tags, aspect and rotation
            are the film's own.
        colorizer: a default one where none is given.
        networks: what tells its networks from others; what an earlier run found out is used again where it is the same.
        style, saturation: as in `Look.color`.
        every: the networks see every so many frames; the others take over their colors.
        start, end: seconds from the film's first frame.
        preview: before and after, side by side in one frame.
        references: colored pictures, by the numbers of the frames (from 0) that they show; they lend colors to scenes.
        hints: points with known color, by the numbers of their frames, in pixels of the upright frame.
        codec, crf: see `encoding.CODECS`.
        anyway: color what has color already.
        overwrite: replace `out`.
        sidecar: the folder for what is found out on the way; `out` + ".instcolor" by default.
        watch: called from time to time.

    Raises:
        VideoError: the film, a reference or the options are not what they should be; FileError: the disk refuses;
        ModelError, DetectorError.
    """
    begun = time.monotonic()
    source, out = Path(source), Path(out)
    if out.exists() and not overwrite:
        raise already_exists(out)
    if style not in styles.STYLES:
        raise VideoError(f"no style {style!r}: {', '.join(styles.STYLES)}")
    if every < 1:
        raise VideoError(f"every {every} frames: at least every frame is counted")
    film = Film.open(source)
    if out.exists() and out.samefile(source):
        raise VideoError(f"{shown(out)}: the result would replace the film itself")
    encoding = Encoding(film, out, codec, crf, doubled=preview)
    first, stop = film.number_at(start), len(film.times) if end is None else film.number_at(end)
    if first >= stop:
        raise VideoError(f"{film.name}: has no frame between these times, it is {film.length} long")
    lent = {number: read_reference(Path(path)) for number, path in (references or {}).items()}
    lenders = tuple(sorted({*lent, *(hints or {})}))
    for number in lenders:
        if not first <= number < stop:
            raise VideoError(f"{film.name}: frame {number} is not among those that are colored, {first} to {stop - 1}")
    if not anyway:
        _refuse_color(film, first, stop)

    colorizer = colorizer or Colorizer()
    manner = Manner(styles.STYLES[style], saturation, every, lenders)
    about_film = {
        "file": _fingerprint(source),
        "frames": [first, stop, every, list(lenders)],
        "networks": networks or type(colorizer.load().model).__qualname__,
    }
    about_manner = {
        "style": [style, saturation],
        "encoding": [encoding.name, encoding.pixels, crf, preview, out.suffix.lower()],
        "anyway": anyway,
        "lent": _digest(lent, hints or {}),
    }
    folder = Path(sidecar) if sidecar else out.with_name(out.name + SUFFIX)
    kept = Sidecar(folder, about_film, about_manner)
    seeing = Seeing(film, colorizer, manner, lent, hints or {}, kept)
    work = _Work(film, encoding, manner, seeing, kept, anyway=anyway)
    work.encode(first, stop, _Clock(stop - first, kept.done(first) - first, watch))
    with written_whole(out, overwrite=overwrite) as temporary:
        frames = join(film, encoding, kept.scenes(), temporary, first, stop)
    scenes = sum(len(scene["cuts"]) for scene in kept.done_scenes)
    kept.finished()
    notes = tuple(dict.fromkeys((*film.notes, *seeing.notes)))
    return Done(out, frames, scenes, seeing.asked, time.monotonic() - begun, notes)


class _Work:
    """From a film to encoded scenes in the sidecar."""

    def __init__(
        self, film: Film, encoding: Encoding, manner: Manner, seeing: Seeing, kept: Sidecar, *, anyway: bool
    ) -> None:
        self.film, self.encoding, self.manner, self.seeing, self.kept = film, encoding, manner, seeing, kept
        self.anyway = anyway

    def encode(self, first: int, stop: int, clock: _Clock) -> None:
        """Encodes what is not encoded yet."""
        start = self.kept.done(first)
        if start >= stop:
            return
        frames = self.film.frames(start, stop)
        with closing(_ahead(self._colors(start, stop))) as colors, closing(frames):
            pairs = zip(frames, colors, strict=False)
            pair = next(pairs, None)
            while pair is not None:
                pair = self._encode_scene(pair, pairs, clock)

    def _encode_scene(
        self, pair: tuple[Frame, Painted], pairs: Iterator[tuple[Frame, Painted]], clock: _Clock
    ) -> tuple[Frame, Painted] | None:
        """Encodes one scene, or several short ones, from a pair on, and returns the first pair that is none of it."""
        first = pair[0].number
        cuts: list[int] = []
        context = self.encoding.context()
        with written_whole(self.kept.scene(first), overwrite=True) as temporary, open(temporary, "wb") as file:
            following: tuple[Frame, Painted] | None = pair
            while following is not None:
                frame, painted = following
                if painted.first:
                    if frame.number - first >= LEAST_SCENE:
                        break
                    cuts.append(frame.number)
                for packet in encoded(context, self._picture(frame, painted)):
                    file.write(pack(packet, self.film.duration(packet.pts)))
                clock.tick()
                last = frame.number
                following = next(pairs, None)
            for packet in encoded(context, None):
                file.write(pack(packet, self.film.duration(packet.pts)))
        self.kept.scene_is_done(first, last + 1, cuts)
        return following

    def _colors(self, start: int, stop: int) -> Iterator[Painted]:
        """The small colors of every frame: the scout."""
        turned = self.film.rotation // 90
        upright = (_turned(frame, turned) for frame in self.film.frames(start, stop))
        bits = self.film.coding.bits
        return paint(shots(upright, bits), self.seeing, self.manner, self._keeps)

    def _keeps(self, shot: Shot) -> bool:
        return not self.anyway and has_color(shot.frame, self.film.coding)

    def _picture(self, frame: Frame, painted: Painted) -> Any:
        """The picture that is written: the film's Y, and U and V of the colors or its own."""
        shape, coding = self.encoding.chroma_shape, self.film.coding
        Y = frame.Y
        if painted.ab is None:
            U, V = (fitted(plane, shape) for plane in frame.UV or ())
        else:
            U, V = colored(coding, Y, np.rot90(painted.ab, -(self.film.rotation // 90)), shape)
        if self.encoding.doubled:
            gray = np.full(shape, coding.neutral, coding.dtype)
            Y, U, V = np.hstack([Y, Y]), np.hstack([gray, U]), np.hstack([gray, V])
        return self.encoding.picture(Y, U, V, frame.pts)


class _Clock:
    """Counts frames and tells how long the rest takes."""

    def __init__(self, total: int, done: int, watch: Callable[[Progress], None]) -> None:
        self.total, self.done, self.watch = total, done, watch
        self.before, self.begun = done, time.monotonic()

    def tick(self) -> None:
        self.done += 1
        rate = (self.done - self.before) / max(time.monotonic() - self.begun, 1e-9)
        self.watch(Progress(self.done, self.total, rate, max(0, self.total - self.done) / rate))


def _turned(frame: Frame, quarters: int) -> Frame:
    """A frame upright: turned counterclockwise by so many quarters."""
    if not quarters:
        return frame
    Y, *UV = (np.ascontiguousarray(np.rot90(plane, quarters)) for plane in (frame.Y, *(frame.UV or ())))
    return replace(frame, Y=Y, UV=(UV[0], UV[1]) if UV else None)


def _ahead(items: Iterator[Painted]) -> Generator[Painted]:
    """The same items, made in a thread of their own up to `AHEAD` before they are asked for."""
    waiting: queue.Queue[Painted | BaseException | None] = queue.Queue(AHEAD)
    over = threading.Event()

    def put(item: Painted | BaseException | None) -> bool:
        while not over.is_set():
            with suppress(queue.Full):
                waiting.put(item, timeout=0.1)
                return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(None)
        except BaseException as error:  # raised again where the items are asked for
            put(error)

    thread = threading.Thread(target=work, name="instcolor-scout", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        over.set()
        thread.join()


def _refuse_color(film: Film, first: int, stop: int) -> None:
    """Raises VideoError for a film most of whose sampled frames are in color."""
    if film.is_gray:
        return
    numbers = sorted({first + (stop - 1 - first) * i // max(1, SAMPLES - 1) for i in range(SAMPLES)})
    colored = sum(any(has_color(frame, film.coding) for frame in film.frames(n, n + 1)) for n in numbers)
    if colored >= IN_COLOR * len(numbers):
        raise VideoError(f"{film.name}: is in color already; ask for --anyway to color it anew")
    if colored:
        film.notes.append("is partly in color: scenes in color stay as they are")


def _fingerprint(path: Path) -> list[Any]:
    """Size and a digest of both ends of a file."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        ends = file.read(ENDS)
        file.seek(max(0, size - ENDS))
        ends += file.read(ENDS)
    return [size, hashlib.sha256(ends).hexdigest()]


def _digest(lent: Mapping[int, Floats], hints: Mapping[int, Hints]) -> str:
    """Of everything that people lend a film."""
    digest = hashlib.sha256()
    for number, picture in sorted(lent.items()):
        digest.update(f"{number}".encode() + np.ascontiguousarray(picture).tobytes())
    for number, each in sorted(hints.items()):
        digest.update(f"-{number}".encode() + each.points.tobytes())
    return digest.hexdigest()
