"""Encoded scenes and all else that a film's file holds, joined to one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from .. import __version__
from ..errors import VideoError
from ..files import cannot_be_written, shown
from .encoding import Encoding
from .packets import in_order, unpack
from .reading import Film

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
COPIED = ("audio", "subtitle", "attachment")
MADE = f"colors made by instcolor {__version__}: a guess, not a record"
"""What a result says about itself in its comment."""


def join(film: Film, encoding: Encoding, scenes: Iterable[Path], to: Path, first: int, stop: int) -> int:
    """Writes the file and returns the number of its frames; `first` and `stop` are those of the film it holds.

    Where it begins later than the film, everything is moved to begin at 0.
    """
    whole = first == 0 and stop == len(film.times)
    start = None if whole else film.times[first] * film.time_base
    end = None if stop == len(film.times) else film.times[stop] * film.time_base
    out = encoding.out
    try:
        with film.container() as source, _target(to, out) as target:
            _tell(film, source, target, start, end)
            stream = encoding.add_to(target)
            own = source.streams[film.stream]
            stream.metadata.update(own.metadata)
            pairs = {} if encoding.doubled else _copied(film, source, target, out)
            pictures = in_order(chain.from_iterable(unpack(scene, film.time_base) for scene in scenes))
            frames = 0
            others = _others(source, pairs, start, end)
            other = next(others, None)
            for packet in pictures:
                _move(packet, start)
                packet.stream = stream
                time = packet.dts * packet.time_base
                while other is not None and other[0] <= time:
                    target.mux(other[1])
                    other = next(others, None)
                target.mux(packet)
                frames += 1
            while other is not None:
                target.mux(other[1])
                other = next(others, None)
    except FFmpegError as error:
        if isinstance(error, OSError) and error.errno and 0 < error.errno < 200:
            raise cannot_be_written(out, error) from None
        raise VideoError(f"{shown(out)}: cannot be written ({error.strerror or error})") from None
    return frames


def _target(to: Path, out: Path) -> Any:
    """The file, opened for writing, without random numbers or dates, so that its bytes depend on the film alone."""
    return av.open(f"file:{to}", "w", format=FORMATS[out.suffix.lower()], container_options={"fflags": "+bitexact"})


def _tell(film: Film, source: Any, target: Any, start: Fraction | None, end: Fraction | None) -> None:
    """Copies title, chapters and the like, and says in the comment where the colors are from."""
    target.metadata.update(source.metadata)
    said = source.metadata.get("comment")
    target.metadata["comment"] = f"{said}; {MADE}" if said else MADE
    chapters = []
    for chapter in source.chapters():
        base = chapter["time_base"]
        begins, ends = chapter["start"] * base, chapter["end"] * base
        if (end is not None and begins >= end) or (start is not None and ends <= start):
            continue
        offset = start or 0
        begins = max(Fraction(0), begins - offset)
        ends = (min(ends, end) if end is not None else ends) - offset
        chapters.append(chapter | {"start": round(begins / base), "end": round(ends / base)})
    target.set_chapters(chapters)


def _copied(film: Film, source: Any, target: Any, out: Path) -> dict[int, Any]:
    """The streams that come along, by their index in the film. Raises VideoError for one that the file cannot hold."""
    pairs = {}
    for stream in source.streams:
        if stream.index == film.stream or stream.type not in COPIED:
            continue
        try:
            copy = target.add_stream_from_template(stream)
        except ValueError:
            name = stream.codec_context.name if stream.codec_context else stream.type
            raise VideoError(
                f"{shown(out)}: a {out.suffix} file cannot hold the film's {stream.type} ({name}) as it is; "
                f"give a result that ends in {' or '.join(sorted({film.path.suffix.lower(), '.mkv'}))}"
            ) from None
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        pairs[stream.index] = copy
    return pairs


def _others(source: Any, pairs: dict[int, Any], start: Fraction | None, end: Fraction | None) -> Iterator[Any]:
    """Time and packet of the streams that come along, as far as they are within the part that is wanted."""
    if not pairs:
        return
    packets = source.demux(*(source.streams[index] for index in pairs))
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:
            return
        if packet is None:
            return
        if packet.dts is None:
            continue
        time = (packet.pts if packet.pts is not None else packet.dts) * packet.time_base
        if (start is not None and time < start) or (end is not None and time >= end):
            continue
        packet.stream = pairs[packet.stream_index]
        _move(packet, start)
        yield packet.dts * packet.time_base, packet


def _move(packet: Any, start: Fraction | None) -> None:
    """Counts a packet's times from `start`."""
    if start is None:
        return
    offset = round(start / packet.time_base)
    packet.dts -= offset
    if packet.pts is not None:
        packet.pts -= offset
