"""Tables for people: the rows as Markdown, with the protocol that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..tables import markdown_table
from .run import Evaluation
from .summary import SIZES, SMALL_FACE, Row

LEAST = 5
WHO = ("model", "method", "style")  # what names a row
GAINS = {  # heading: entry of a row, digits
    "PSNR": ("psnr", 2),
    "over gray": ("over_gray", 2),
    "over full image": ("over_full", 3),
    "over no hints": ("over_unhinted", 2),
}
COLUMNS = GAINS | {
    "over faithful": ("over_faithful", 2),
    "SSIM": ("ssim", 4),
    "dE2000": ("delta_e2000", 2),
    "LPIPS": ("lpips", 4),
    "FID": ("fid", 2),
    "colorfulness": ("colorfulness", 1),
    "of the truth's": ("colorfulness_ratio", 2),
    "spread": ("spread", 2),
    "spread of the truth's": ("spread_ratio", 2),
    "hues": ("hues", 2),
    "hues over the truth's": ("hues_beyond", 2),
    "s per photo": ("seconds", 2),
}

INSIDE_COLUMNS = GAINS | {
    "IoU of the best outline": ("outline_iou", 3),
    "skin: chroma": ("skin_chroma", 1),
    "of the truth's": ("skin_chroma_ratio", 2),
    "error of its mean ab": ("skin_error", 1),
}
EDGE_COLUMNS = {"edges": ("edges", 0), "mean jump": ("jump", 2), "worst": ("worst", 1)}


def markdown(evaluation: Evaluation) -> str:
    """The protocol and the tables: pictures, true outlines, edges, objects, objects by size, objects by label."""
    rows = evaluation.rows()
    several = len({row["model"] for row in rows if row["model"]}) > 1
    parts = ["## Protocol", "", *(f"- {line}" for line in evaluation.protocol.lines()), ""]
    parts += [f"- {note}" for note in evaluation.notes]
    if evaluation.failures:
        parts += [f"- left out: {len(evaluation.failures)} photos that could not be used"]
    parts += ["", f"## Pictures ({rows[0]['photos']} photos)", "", *metric_table(rows, several)]
    inside = [{name: row[name] for name in WHO} | row["inside"] for row in rows if "inside" in row]
    if inside:
        counted = f"{inside[0]['photos']} photos, skin is marked on {inside[0]['skin_photos']}"
        parts += ["", f"## Inside true outlines ({counted})", "", *metric_table(inside, several, INSIDE_COLUMNS)]
    crossed = [{name: row[name] for name in WHO} | row["edges"] for row in rows if "edges" in row]
    if crossed:
        parts += ["", "## Edges of boxes", "", *metric_table(crossed, several, EDGE_COLUMNS), ""]
        parts += [f"- worst of {_name(row, several)}: {row['where']}" for row in crossed]
    if evaluation.objects:
        objects = [{name: row[name] for name in WHO} | row["objects"]["by_size"]["all"] for row in rows]
        parts += ["", f"## Objects ({objects[0]['objects']})", "", *metric_table(objects, several)]
    if evaluation.objects and evaluation.protocol.truth:
        parts += ["", "## Objects by share of the photo", "", *size_table(rows, several)]
    if evaluation.protocol.truth and rows[0]["objects"]["faces"]:
        parts += ["", "## Faces", "", *face_table(rows, several)]
    by_label = label_table(rows, several)
    if by_label and evaluation.protocol.truth:
        parts += ["", f"## Labels of {LEAST} and more objects: PSNR over gray (over full image)", "", *by_label]
    return "\n".join(parts) + "\n"


def metric_table(
    rows: Sequence[Row], several: bool = False, columns: Mapping[str, tuple[str, int]] = COLUMNS
) -> list[str]:
    """One line a row, one column a metric, with 95 % intervals; metrics that no row has are left out."""
    columns = {
        h: (key, digits) for h, (key, digits) in columns.items() if any(row.get(key) is not None for row in rows)
    }
    lines = [[_name(row, several), *(_cell(row.get(key), digits) for key, digits in columns.values())] for row in rows]
    return markdown_table(["method", *columns], lines)


def size_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """One line a row and gain, one column an object size."""
    return _group_table(rows, several, "by_size", {name: name for name, _, _ in SIZES})


def face_table(rows: Sequence[Row], several: bool = False) -> list[str]:
    """The same for objects called faces, and for small ones among them."""
    names = {"all": "all", "small": f"under {SMALL_FACE:.0%} of the width".replace("%", " %")}
    return _group_table(rows, several, "faces", names)


def _group_table(rows: Sequence[Row], several: bool, part: str, names: Mapping[str, str]) -> list[str]:
    counts = {names[name]: rows[0]["objects"][part][name]["objects"] for name in names}
    lines = []
    for row in rows:
        groups = [row["objects"][part][name] for name in names]
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
