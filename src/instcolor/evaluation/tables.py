"""Tables of both wings: as Markdown, CSV and JSON, and as files in a folder."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import already_exists, make_folder, write_whole


def markdown_table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table, numbers to the right."""
    rule = ["---", *("---:" for _ in headings[1:])]
    return ["| " + " | ".join(cells) + " |" for cells in (headings, rule, *lines)]


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """A CSV file with a heading; numbers with six digits, NaN and None as nothing."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def json_text(value: Any) -> str:
    """A JSON file. Raises ValueError for NaN, which JSON does not know."""
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


def check_folder(folder: Path, names: Iterable[str], overwrite: bool) -> None:
    """Makes the folder where it is missing. Raises FileError, before hours are spent, for what cannot be used."""
    make_folder(folder)
    there = [name for name in names if (folder / name).exists()]
    if there and not overwrite:
        raise already_exists(folder / there[0])


def write_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes files by name, replacing old ones. Raises FileError where the disk refuses."""
    for name, text in texts.items():
        write_whole(folder / name, text.encode("utf-8"), overwrite=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return str(value)
