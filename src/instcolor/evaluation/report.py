"""Tables for people: the rows as Markdown, with the protocol that made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .run import Evaluation
from .summary import SIZES, Row

LEAST = 5
COLUMNS = (  # heading, path in a row, digits
    ("PSNR", ("psnr",), 2),
    ("over grey", ("over_grey",), 2),
    ("over full image", ("over_full",), 3),
    ("over no hints", ("over_unhinted",), 2),
    ("SSIM", ("ssim",), 4),
    ("dE2000", ("delta_e2000",), 2),
    ("LPIPS", ("lpips",), 4),
    ("FID", ("fid",), 2),
    ("colorfulness", ("colorfulness",), 1),
    ("of the truth's", ("colorfulness_ratio",), 2),
    ("s per photo", ("seconds",), 2),
)


def markdown(evaluation: Evaluation) -> str:
    """The protocol and the tables: pictures, objects by size, objects by label."""
    rows = evaluation.rows()
    several = len({row["model"] for row in rows if row["model"]}) > 1
    parts = ["## Protocol", "", *(f"- {line}" for line in evaluation.protocol.lines()), ""]
    parts += [f"- {note}" for note in evaluation.notes]
    if evaluation.failures:
        parts += [f"- left out: {len(evaluation.failures)} photos that could not be used"]
    parts += ["", f"## Pictures ({rows[0]['photos']} photos)", "", *picture_table(rows, several)]
    if evaluation.objects:
        parts += ["", "## Objects by share of the photo", "", *size_table(rows, several)]
    by_label = label_table(rows, several)
    if by_label:
        parts += ["", f"## Labels of {LEAST} and more objects: PSNR over grey (over full image)", "", *by_label]
    return "\n".join(parts) + "\n"


def picture_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """One line a row, one column a metric, with 95 % intervals; metrics that no row has are left out."""
    columns = [c for c in COLUMNS if any(_at(row, c[1]) is not None for row in rows)]
    lines = [[_name(row, several), *(_cell(_at(row, path), digits) for _, path, digits in columns)] for row in rows]
    return table(["method", *(heading for heading, _, _ in columns)], lines)


def size_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """One line a row and metric, one column an object size."""
    counts = {name: rows[0]["objects"]["by_size"][name]["objects"] for name, _, _ in SIZES}
    lines = []
    for row in rows:
        groups = [row["objects"]["by_size"][name] for name in counts]
        for heading, path, digits in COLUMNS:
            values = [_at(group, path) for group in groups]
            if any(value is not None for value in values):
                lines.append([_name(row, several), heading, *(_cell(value, digits) for value in values)])
    return table(["method", "", *(f"{name} (n={count})" for name, count in counts.items())], lines)


def label_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """Labels with at least `LEAST` objects, the most frequent first; a column for each coloured row."""
    colored = [row for row in rows if row["style"]]
    if not colored:
        return []
    labels = colored[0]["objects"]["by_label"]
    counts = {name: group["objects"] for name, group in labels.items() if group["objects"] >= LEAST}
    frequent = sorted(counts, key=lambda name: -counts[name])
    if not frequent:
        return []
    lines = []
    for name in frequent:
        cells = []
        for row in colored:
            group = row["objects"]["by_label"][name]
            gain, over = (_cell(group.get(metric), 2, plain=True) for metric in ("over_grey", "over_full"))
            cells.append(f"{gain} ({over})" if over else gain)
        lines.append([name, str(counts[name]), *cells])
    return table(["label", "n", *(_name(row, several) for row in colored)], lines)


def _name(row: Row, several: bool) -> str:
    name = f"{row['method']}, {row['style']}" if row["style"] else row["method"]
    return f"{row['model']}: {name}" if several and row["model"] else name


def _at(row: Row, path: Sequence[str]) -> Any:
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _cell(value: Any, digits: int, plain: bool = False) -> str:
    if value is None:
        return ""
    if not isinstance(value, dict):
        return f"{value:.{digits}f}"
    if plain:
        return f"{value['mean']:+.{digits}f}"
    return f"{value['mean']:.{digits}f} ({value['low']:.{digits}f}..{value['high']:.{digits}f})"


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    rule = ["---", *("---:" for _ in headings[1:])]
    return ["| " + " | ".join(cells) + " |" for cells in (headings, rule, *lines)]
