"""An evaluation of colors as files: every score as CSV, the rows as JSON and Markdown, a gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from ..tables import csv_text, json_text
from . import report
from .run import Evaluation
from .scores import EdgeScore, ObjectScore, PictureScore

Score = PictureScore | ObjectScore | EdgeScore
GALLERY = "gallery.html"
NAMES = ("results.csv", "objects.csv", "edges.csv", "results.json", "results.md", GALLERY)


def texts(evaluation: Evaluation) -> dict[str, str]:
    """Files by name: results.csv (a line a picture), objects.csv, edges.csv, results.json, results.md."""
    return {
        "results.csv": _scores(PictureScore, evaluation.pictures),
        "objects.csv": _scores(ObjectScore, evaluation.objects),
        "edges.csv": _scores(EdgeScore, evaluation.edges),
        "results.json": json_text(evaluation.as_json()),
        "results.md": report.markdown(evaluation),
    }


def _scores(kind: type[Score], scores: Sequence[Score]) -> str:
    return csv_text([f.name for f in fields(kind)], map(asdict, scores))
