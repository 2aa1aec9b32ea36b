"""What `instcolor evaluate --detection` asks for, run; its rows as tables and files."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...detectors import BUILTIN, load_detector
from ...errors import InstcolorError
from ...objects import read_boxes
from ...photo.files import write_whole
from ..color.command import spread
from ..color.report import table
from ..outputs import check_folder
from ..photos import find_photos
from .run import LEAST_SCORE, DetectionEvaluation, Row, evaluate_detectors, protocol_lines

PRECISION = ("AP", "AP50", "AP75", "AP small", "AP medium", "AP large", "ms")
RECALL = ("AR1", "AR8", "AR100", "recall of 8", "recall of 100")
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
) -> bool:
    """Measures detectors, prints the tables and writes the files; returns whether some photo could not be used.

    Raises InstcolorError for everything that keeps the evaluation from being made.
    """
    listed = boxes or (data if data.suffix.lower() == ".json" else None)
    if listed is None:
        raise InstcolorError("what is there to find? Name the boxes file with --boxes")
    photos = spread(find_photos(data), limit)
    known = read_boxes(listed)
    loaded = {}
    for name in detectors or (BUILTIN,):
        detector = load_detector(name, threshold=LEAST_SCORE, limit=100, threads=threads)
        if detector is None:
            raise InstcolorError(f"{name}: finds nothing, there is nothing to measure")
        loaded[name] = detector
    if out:
        check_folder(out, overwrite)
    evaluation = evaluate_detectors(photos, known, loaded)
    print(markdown(evaluation), end="")
    for failure in evaluation.failures:
        print(f"error: {failure}", file=sys.stderr)
    if out:
        write(evaluation, out)
    return bool(evaluation.failures)


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


def write(evaluation: DetectionEvaluation, folder: Path) -> None:
    """results.csv, results.json and results.md, replacing old ones. Raises PhotoError where the disk refuses."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(evaluation.rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(evaluation.rows)
    texts = {
        "results.csv": buffer.getvalue(),
        "results.json": json.dumps(evaluation.as_json(), indent=1, allow_nan=False) + "\n",
        "results.md": markdown(evaluation),
    }
    for name, text in texts.items():
        write_whole(folder / name, text.encode("utf-8"), overwrite=True)


def _table(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    lines = [[Path(row["detector"]).stem, row["match"], *(_cell(row[name], name) for name in columns)] for row in rows]
    return table(["detector", "match", *columns], lines)


def _cell(value: Any, name: str) -> str:
    return "" if value is None else f"{value:.0f}" if name == "ms" else f"{value:.3f}"
