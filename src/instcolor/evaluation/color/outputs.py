"""An evaluation of colors as files: every score as CSV, the rows as JSON and Markdown, a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from ..tables import csv_text, json_text
from . import report
from .measure import ObjectScore, PictureScore
from .run import Evaluation

GALLERY = "gallery.html"
NAMES = ("results.csv", "objects.csv", "results.json", "results.md", GALLERY)


def texts(evaluation: Evaluation) -> dict[str, str]:
    """Files by name: results.csv (a line a picture), objects.csv (a line an object), results.json, results.md."""
    return {
        "results.csv": _scores(PictureScore, evaluation.pictures),
        "objects.csv": _scores(ObjectScore, evaluation.objects),
        "results.json": json_text(evaluation.as_json()),
        "results.md": report.markdown(evaluation),
    }


def _scores(kind: type[PictureScore] | type[ObjectScore], scores: Sequence[PictureScore | ObjectScore]) -> str:
    return csv_text([f.name for f in fields(kind)], map(asdict, scores))
