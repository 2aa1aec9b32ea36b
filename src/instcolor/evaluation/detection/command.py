"""What `instcolor evaluate --detection` asks for, run; its rows as tables and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...detectors import BUILTIN, load_detector
from ...errors import InstcolorError
from ...objects import read_boxes
from ..data import annotations_of, photos_of
from ..tables import check_folder, csv_text, json_text, markdown_table, write_files
from .run import LEAST_SCORE, DetectionEvaluation, Row, evaluate_detectors, protocol_lines

PRECISION = ("AP", "AP50", "AP75", "AP small", "AP medium", "AP large", "ms")
RECALL = ("AR1", "AR8", "AR100", "recall of 8", "recall of 100")
NAMES = ("results.csv", "results.json", "results.md")
BY_SIZE = ("recall of 8, small", "recall of 8, medium", "recall of 8, large")


def run(
    data: Path,
    *,
    boxes: Path | None = None,
    detectors: Sequence[str] = (),
    limit: int | None = None,
    threads: int | None = None,
    out: Path | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Measures detectors, prints the tables and writes the files; returns a line for every photo not used.

    Raises InstcolorError for everything that keeps the evaluation from being made.
    """
    listed = annotations_of(data, boxes)
    if listed is None:
        raise InstcolorError("what is there to find? Name the boxes file with --boxes")
    photos = photos_of(data, limit)
    known = read_boxes(listed)
    loaded = {}
    for name in detectors or (BUILTIN,):
        detector = load_detector(name, threshold=LEAST_SCORE, limit=100, threads=threads)
        if detector is None:
            raise InstcolorError(f"{name}: finds nothing, there is nothing to measure")
        loaded[name] = detector
    if out:
        check_folder(out, NAMES, overwrite)
    evaluation = evaluate_detectors(photos, known, loaded)
    print(markdown(evaluation), end="")
    if out:
        write_files(out, texts(evaluation))
    return evaluation.failures


def markdown(evaluation: DetectionEvaluation) -> str:
    """The protocol and the tables: precision, recall, recall by size."""
    rows = evaluation.rows
    parts = ["## Protocol", "", *(f"- {line}" for line in protocol_lines())]
    if evaluation.failures:
        parts += [f"- left out: {len(evaluation.failures)} photos that could not be used"]
    counted = f"{rows[0]['photos']} photos, {rows[0]['boxes']} boxes"
    parts += ["", f"## Precision ({counted})", "", *_table(rows, PRECISION)]
    parts += ["", "## Recall", "", *_table(rows, (*RECALL, *BY_SIZE))]
    return "\n".join(parts) + "\n"


def texts(evaluation: DetectionEvaluation) -> dict[str, str]:
    """Files by name: the rows as CSV, all as JSON, the tables as Markdown."""
    return {
        "results.csv": csv_text(list(evaluation.rows[0]), evaluation.rows),
        "results.json": json_text(evaluation.as_json()),
        "results.md": markdown(evaluation),
    }


def _table(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    lines = [[Path(row["detector"]).stem, row["match"], *(_cell(row[name], name) for name in columns)] for row in rows]
    return markdown_table(["detector", "match", *columns], lines)


def _cell(value: Any, name: str) -> str:
    return "" if value is None else f"{value:.0f}" if name == "ms" else f"{value:.3f}"
