"""An evaluation as files: every score as CSV, the rows as JSON and Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..errors import InstcolorError
from ..photo.files import write_whole
from .color import report
from .color.measure import ObjectScore, PictureScore
from .color.run import Evaluation

GALLERY = "gallery.html"
NAMES = ("results.csv", "objects.csv", "results.json", "results.md", GALLERY)


def check_folder(folder: Path, overwrite: bool) -> None:
    """Makes the folder where it is missing. Raises InstcolorError, before hours are spent, for what cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InstcolorError(f"{folder}: cannot be made ({error.strerror or error})") from error
    there = [name for name in NAMES if (folder / name).exists()]
    if there and not overwrite:
        raise InstcolorError(f"{folder / there[0]}: exists already and is not replaced unless asked")


def write_results(evaluation: Evaluation, folder: Path) -> None:
    """results.csv (a line a picture), objects.csv (a line an object), results.json and results.md, replacing old ones.

    Raises PhotoError where the disk refuses.
    """
    texts = {
        "results.csv": _table(PictureScore, evaluation.pictures),
        "objects.csv": _table(ObjectScore, evaluation.objects),
        "results.json": json.dumps(evaluation.as_json(), indent=1, allow_nan=False) + "\n",
        "results.md": report.markdown(evaluation),
    }
    for name, text in texts.items():
        write_whole(folder / name, text.encode("utf-8"), overwrite=True)


def _table(kind: type[PictureScore] | type[ObjectScore], scores: Sequence[PictureScore | ObjectScore]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [f.name for f in fields(kind)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in asdict(score).items()} for score in scores)
    return buffer.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return str(value)
