"""Tables for people: the rows as Markdown, with the protocol that made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tables import markdown_table
from .run import Evaluation
from .summary import SIZES, Row

LEAST = 5
WHO = ("model", "method", "style")  # what names a row
GAINS = {  # heading: entry of a row, digits
    "PSNR": ("psnr", 2),
    "over gray": ("over_gray", 2),
    "over full image": ("over_full", 3),
    "over no hints": ("over_unhinted", 2),
}
COLUMNS = GAINS | {
    "SSIM": ("ssim", 4),
    "dE2000": ("delta_e2000", 2),
    "LPIPS": ("lpips", 4),
    "FID": ("fid", 2),
    "colorfulness": ("colorfulness", 1),
    "of the truth's": ("colorfulness_ratio", 2),
    "s per photo": ("seconds", 2),
}


def markdown(evaluation: Evaluation) -> str:
    """The protocol and the tables: pictures, objects, objects by size, objects by label."""
    rows = evaluation.rows()
    several = len({row["model"] for row in rows if row["model"]}) > 1
    parts = ["## Protocol", "", *(f"- {line}" for line in evaluation.protocol.lines()), ""]
    parts += [f"- {note}" for note in evaluation.notes]
    if evaluation.failures:
        parts += [f"- left out: {len(evaluation.failures)} photos that could not be used"]
    parts += ["", f"## Pictures ({rows[0]['photos']} photos)", "", *metric_table(rows, several)]
    if evaluation.objects:
        objects = [{name: row[name] for name in WHO} | row["objects"]["by_size"]["all"] for row in rows]
        parts += ["", f"## Objects ({objects[0]['objects']})", "", *metric_table(objects, several)]
        parts += ["", "## Objects by share of the photo", "", *size_table(rows, several)]
    by_label = label_table(rows, several)
    if by_label:
        parts += ["", f"## Labels of {LEAST} and more objects: PSNR over gray (over full image)", "", *by_label]
    return "\n".join(parts) + "\n"


def metric_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """One line a row, one column a metric, with 95 % intervals; metrics that no row has are left out."""
    columns = {
        h: (key, digits) for h, (key, digits) in COLUMNS.items() if any(row.get(key) is not None for row in rows)
    }
    lines = [[_name(row, several), *(_cell(row.get(key), digits) for key, digits in columns.values())] for row in rows]
    return markdown_table(["method", *columns], lines)


def size_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """One line a row and gain, one column an object size."""
    counts = {name: rows[0]["objects"]["by_size"][name]["objects"] for name, _, _ in SIZES}
    lines = []
    for row in rows:
        groups = [row["objects"]["by_size"][name] for name in counts]
        for heading, (key, digits) in GAINS.items():
            if any(key in group for group in groups):
                lines.append([_name(row, several), heading, *(_cell(group.get(key), digits) for group in groups)])
    return markdown_table(["method", "", *(f"{name} (n={count})" for name, count in counts.items())], lines)


def label_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """Labels with at least `LEAST` objects, the most frequent first; a column for each row of the first style."""
    colored = [row for row in rows if row["style"]]
    if not colored:
        return []
    colored = [row for row in colored if row["style"] == colored[0]["style"]]
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
            gain, over = (_cell(group.get(metric), 2, plain=True) for metric in ("over_gray", "over_full"))
            cells.append(f"{gain} ({over})" if over else gain)
        lines.append([name, str(counts[name]), *cells])
    return markdown_table(["label", "n", *(_name(row, several) for row in colored)], lines)


def _name(row: Row, several: bool) -> str:
    name = f"{row['method']}, {row['style']}" if row["style"] else row["method"]
    return f"{row['model']}: {name}" if several and row["model"] else name


def _cell(value: Any, digits: int, plain: bool = False) -> str:
    if value is None:
        return ""
    if not isinstance(value, dict):
        return f"{value:.{digits}f}"
    if plain:
        return f"{value['mean']:+.{digits}f}"
    return f"{value['mean']:.{digits}f} ({value['low']:.{digits}f}..{value['high']:.{digits}f})"
