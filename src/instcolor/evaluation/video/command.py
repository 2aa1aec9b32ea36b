"""What `instcolor evaluate --video` asks for, run; its rows as tables and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ...colorizer import Colorizer, load_model
from ...detectors import BUILTIN
from ...errors import InstcolorError
from ...models import registry
from ...video.coloring import EVERY
from ..data import photos_of, spread
from ..intervals import RESAMPLES, interval
from ..tables import check_folder, csv_text, json_text, markdown_table, write_files
from .clips import COUNT, FLICKER, GRAIN, HEIGHT, MOST, WIDTH, Clip, made, real
from .measure import Score
from .run import scores

FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".ts")
NAMES = ("results.csv", "results.json", "results.md")
METRICS = {"over_gray": 2, "warp_error": 3, "cdc": 4, "colorfulness": 1}
"""What the table shows, with its digits."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """The options of the command; see its help."""

    data: Path
    model: str = registry.DEFAULT
    detector: str = BUILTIN
    faces: bool = True
    masks: bool = True
    styles: tuple[str, ...] = ()
    limit: int | None = None
    threads: int | None = None
    out: Path | None = None
    overwrite: bool = False


def run(request: Request) -> list[str]:
    """Measures, prints the tables and writes the files; returns a line for everything that could not be used.

    Raises InstcolorError for everything that keeps the evaluation from being made.
    """
    if request.out:
        check_folder(request.out, NAMES, request.overwrite)
    colorizer = Colorizer(
        load_model(request.model, request.threads),
        detector=request.detector,
        faces=request.faces,
        masks=request.masks,
        threads=request.threads,
    ).load()
    failures: list[str] = []
    found: list[Score] = []
    for clip in _clips(request, failures):
        found += scores([clip], colorizer, request.styles, (1, EVERY))
    if not found:
        raise InstcolorError(failures[0] if failures else f"{request.data}: no clip to measure")
    text = markdown(found, failures)
    print(text, end="")
    if request.out:
        write_files(
            request.out,
            {
                "results.csv": csv_text([field.name for field in fields(Score)], map(asdict, found)),
                "results.json": json_text({"failures": failures, "rows": rows_of(found)}),
                "results.md": text,
            },
        )
    return failures


def _clips(request: Request, failures: list[str]) -> Iterator[Clip]:
    """Films where the data are such, else clips that are made from its photos; what cannot be used is a failure."""
    data = request.data
    if films := sorted(p for p in (data.iterdir() if data.is_dir() else [data]) if p.suffix.lower() in FILMS):
        for path in spread(films, request.limit):
            try:
                yield real(path)
            except InstcolorError as error:
                failures.append(str(error))
        return
    pictures = []
    for photo in photos_of(data, request.limit):
        try:
            picture = photo.read()
            if np.ptp(picture, axis=-1).max() == 0:
                raise InstcolorError(f"{photo.name}: has no color to compare with")
            pictures.append((photo.name, picture))
        except InstcolorError as error:
            failures.append(str(error))
    for number, (name, picture) in enumerate(pictures):
        yield from made(name, picture, pictures[(number + 1) % len(pictures)][1], number)


def rows_of(found: Sequence[Score]) -> list[Row]:
    """A row for each style and method and, where there are several, kind of clip: means with intervals."""
    kinds = list(dict.fromkeys(score.kind for score in found))
    rows = []
    for kind in ["all", *kinds] if len(kinds) > 1 else kinds:
        for style, method in dict.fromkeys((score.style, score.method) for score in found):
            part = [s for s in found if (s.style, s.method) == (style, method) and kind in ("all", s.kind)]
            sources = [score.source for score in part]
            values = {name: interval([getattr(score, name) for score in part], sources) for name in METRICS}
            rows.append({"kind": kind, "style": style, "method": method, "clips": len(part), **values})
    return rows


def markdown(found: Sequence[Score], failures: Sequence[str]) -> str:
    """The protocol and a table for each kind of clip."""
    made_so = f"{COUNT} frames of {WIDTH} x {HEIGHT}, grain {GRAIN:g} of 256, flicker {FLICKER:.0%}; the true motion"
    parts = [
        "## Protocol",
        "",
        f"- clips made from photos: {made_so}",
        f"- films: at most {MOST} frames, the motion is that of the flow of their light",
        "- over_gray: dB of PSNR (RGB, the whole clip) more than the gray clip has",
        "- warp_error: mean distance of ab in a place and of ab where it was a frame before",
        "- cdc: color distribution consistency, to be compared with that of the truth",
        f"- in brackets: 95 %, percentile bootstrap over photos or films, {RESAMPLES} resamples",
    ]
    if failures:
        parts += [f"- left out: {len(failures)} that could not be used"]
    rows = rows_of(found)
    for kind in dict.fromkeys(row["kind"] for row in rows):
        part = [row for row in rows if row["kind"] == kind]
        lines = [[_name(row), *(_cell(row[name], digits) for name, digits in METRICS.items())] for row in part]
        parts += ["", f"## {kind} ({part[0]['clips']} clips)", "", *markdown_table(["way", *METRICS], lines)]
    return "\n".join(parts) + "\n"


def _name(row: Row) -> str:
    return f"{row['style']}, {row['method']}" if row["style"] else str(row["method"])


def _cell(value: dict[str, float], digits: int) -> str:
    return f"{value['mean']:.{digits}f} ({value['low']:.{digits}f} to {value['high']:.{digits}f})"
