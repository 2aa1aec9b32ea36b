"""`instcolor video`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..files import shown
from ..options import ABOUT_STYLE, DETECTOR, MODEL, SATURATION, STYLE, Style
from .extras import needing
from .options import STREAM, Detector, Json, Model, Quiet, Threads, chosen, finite, unfolded

if TYPE_CHECKING:
    from ..hints import Hint, Hints
    from ..video import Done, Progress


@dataclass(frozen=True)
class Options:
    """How a film is colored and written, and what is said about it."""

    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="mp4, m4v, mov, mkv or webm (default: IN-color beside IN)."),
    ] = None
    style: Annotated[Style, typer.Option(help=ABOUT_STYLE)] = STYLE
    saturation: Annotated[float, chosen(SATURATION)] = SATURATION.default
    every: Annotated[
        int, typer.Option(metavar="N", min=1, help="The networks see every Nth frame, the others follow the motion.")
    ] = 4
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Seconds, or 1:02:03.5.")] = "0"
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Likewise.")] = None
    preview: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.1, callback=finite, help="Only so much, before and after side by side."),
    ] = None
    reference: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N:PICTURE|FOLDER",
            help="A colored picture of frame N, or a folder of such named ref_000123.png, lends its scene colors.",
        ),
    ] = None
    hint: Annotated[
        list[str] | None, typer.Option(metavar="N:X,Y,#RRGGBB", help="The color at a pixel of frame N.")
    ] = None
    codec: Annotated[
        str, typer.Option(metavar="NAME", help="h264 (default; vp9 in .webm), h265, av1, vp9, ffv1 or prores.")
    ] = ""
    crf: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=63, help="Quality of the encoder; less is better and larger.")
    ] = None
    anyway: Annotated[bool, typer.Option("--anyway", help="Color what is in color already.")] = False
    detector: Detector = None
    model: Model = MODEL
    threads: Threads = None
    sidecar: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For what is found out on the way (default: OUT.instcolor).")
    ] = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a result, never the film.")] = False
    as_json: Json = False
    quiet: Quiet = False


@unfolded
def video(
    film: Annotated[str, typer.Argument(metavar="IN", help="A film: mp4, mov, mkv, webm, avi, mpg, ts and the like.")],
    options: Options,
) -> None:
    """Color a film.

    Its luma stays as it is; so do times, sound, subtitles, chapters and tags. A run that was broken off goes on at the
    scene where it was.
    """
    if STREAM in (film, str(options.out)):
        raise typer.BadParameter("a film is read twice and written whole: give files, not -", param_hint="IN, --out")
    path = Path(film)
    start, end = seconds(options.start, "--from"), options.end and seconds(options.end, "--to")
    if options.preview is not None:
        end = start + options.preview
    lenders, points = references(options.reference or ()), hints(options.hint or ())

    from .progress import frames_of
    from .report import Report

    report = Report(quiet=options.quiet, aside=options.as_json)
    try:
        with report.setting_up(), frames_of(report) as watch:
            done = _color(options, path, start, end or None, lenders, points, watch)
    except KeyboardInterrupt:
        report.interrupt()
        report.exit()
    for note in done.notes:
        report.note(f"{film} {note}")
    rate = done.frames / max(done.seconds, 1e-9)
    scenes = f"{done.scenes} {'scene' if done.scenes == 1 else 'scenes'}"
    report.line(f"{film} -> {shown(done.out)} ({done.frames} frames, {scenes}, {rate:.1f} frames a second)")
    if options.as_json:
        print(json.dumps({"film": film} | asdict(done) | {"out": str(done.out), "seconds": round(done.seconds, 3)}))
    report.exit()


def _color(
    options: Options,
    path: Path,
    start: float,
    end: float | None,
    lenders: Mapping[int, Path],
    points: Mapping[int, Hints],
    watch: Callable[[Progress], None],
) -> Done:
    with needing("coloring films", "video"):
        from ..video import colorize_video
    from ..colorizer import Colorizer, load_model
    from ..models import registry

    detector = options.detector or DETECTOR
    model = load_model(options.model, options.threads)
    return colorize_video(
        path,
        options.out or beside(path),
        colorizer=Colorizer(model, detector=detector, threads=options.threads).load(),
        networks=f"{options.model} {registry.find(options.model).weights}, {detector}",
        style=options.style.value,
        saturation=options.saturation,
        every=options.every,
        start=start,
        end=end,
        preview=options.preview is not None,
        references=lenders,
        hints=points,
        codec=options.codec,
        crf=options.crf,
        anyway=options.anyway,
        overwrite=options.overwrite,
        sidecar=options.sidecar,
        watch=watch,
    )


def beside(path: Path) -> Path:
    """Where a result goes unless told otherwise: in a container like the film's, else in Matroska."""
    suffix = path.suffix if path.suffix.lower() in (".mp4", ".m4v", ".mov", ".mkv", ".webm") else ".mkv"
    return path.with_name(f"{path.stem}-color{suffix}")


def seconds(text: str, option: str) -> float:
    """Seconds of "83", "1:23" or "0:01:23.5"."""
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)", text)
    if match is None:
        raise typer.BadParameter(f"{text} is no time such as 83, 1:23 or 0:01:23.5", param_hint=option)
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + rest


def references(texts: Iterable[str]) -> dict[int, Path]:
    """Pictures by the numbers of their frames, from N:PICTURE and from folders of ref_000123.png."""
    found: dict[int, Path] = {}
    for text in texts:
        number, mark, picture = text.partition(":")
        if mark and number.isdecimal():
            found[int(number)] = Path(picture)
        elif Path(text).is_dir():
            named = {path: re.fullmatch(r"(?:.*\D)?(\d+)", path.stem) for path in sorted(Path(text).iterdir())}
            found |= {int(match[1]): path for path, match in named.items() if match}
        else:
            raise typer.BadParameter(f"{text} is neither N:PICTURE nor a folder", param_hint="--reference")
    return found


def hints(texts: Iterable[str]) -> dict[int, Hints]:
    """Points by the numbers of their frames, from N:X,Y,#RRGGBB."""
    points: dict[int, list[Hint]] = {}
    for text in texts:
        match = re.fullmatch(r"(\d+):(\d+(?:\.\d+)?),(\d+(?:\.\d+)?),#?([0-9a-fA-F]{6})", text)
        if match is None:
            raise typer.BadParameter(f"{text} is not N:X,Y,#RRGGBB", param_hint="--hint")
        points.setdefault(int(match[1]), []).append((float(match[2]), float(match[3]), match[4]))
    if not points:
        return {}
    from ..hints import Hints

    return {number: Hints.of(each) for number, each in points.items()}
