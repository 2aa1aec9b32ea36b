"""Measures a model by all that is to be told of it, and prints one table: `python tools/targets.py DATA`.

DATA is a folder with val.zip, people-val.zip (its masks beside its photos), val-large.zip, boxes.json, boxes-new.json,
faces.json (which tells the zip file of each photo), and a folder `old` of photos without color. The tables of every
part, its files and its gallery lie in `--out`; each line names the part that it is from, and the commands that the
parts are follow.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from instcolor.evaluation.color.command import Request, run
from instcolor.evaluation.color.methods import ANNOTATED, FULL, FUSED

Rows = dict[tuple[str, str], dict[str, Any]]
STYLES = ("faithful", "natural")


def parts(data: Path, faces: Path) -> dict[str, Request]:
    """What is measured, by name."""
    people = Request(data / "people-val.zip", boxes=data / "boxes-new.json", true_masks=data / "people-val.zip")
    return {
        "val": Request(data / "val.zip", boxes=data / "boxes.json", detector="builtin"),
        "street fashion": replace(people, detector="builtin", only="ccp_*"),
        "portraits": replace(people, detector="builtin", only="port_*"),
        "large": Request(data / "val-large.zip", boxes=faces, detector="builtin", size="own"),
        "old": Request(data / "old", truth=False, size="own"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", metavar="FULL,INSTANCE,FUSION", help="torch weights in place of the model's")
    parser.add_argument("--limit", type=int, help="so many photos of each part at most")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--part", action="append", help="only this part; of the others the last results count")
    parser.add_argument("--out", type=Path, default=Path("targets"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    faces = given.out / "faces-val.json"
    faces.write_text(json.dumps(faces_of(given.data / "faces.json", "val.zip")))
    weights = (given.weights,) if given.weights else ()
    requests = {
        name: replace(part, weights=weights, styles=STYLES, limit=given.limit, threads=given.threads)
        for name, part in parts(given.data, faces).items()
    }
    for name in given.part or requests:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            failures = run(replace(requests[name], out=given.out / name, overwrite=True))
        print(*failures, sep="\n", end="", file=sys.stderr)
    found = {name: rows_of(given.out / name) for name in requests if (given.out / name / "results.json").exists()}
    print("| | part | figure |\n|---|---|---:|")
    for part, title, figure in figures(found):
        print(f"| {title} | {part} | {figure} |")
    print("\n```sh", *map(command, requests.values()), "```", sep="\n")


def faces_of(listed: Path, source: str) -> dict[str, Any]:
    """The part of a COCO file that is about photos of one zip file."""
    data: dict[str, Any] = json.loads(listed.read_bytes())
    images = [image for image in data["images"] if image["zip"] == source]
    known = {image["id"] for image in images}
    return data | {"images": images, "annotations": [a for a in data["annotations"] if a["image_id"] in known]}


def command(request: Request) -> str:
    """The same as a line for a shell."""
    words = ["instcolor evaluate", request.data.name]
    for option, file in (("--boxes", request.boxes), ("--masks", request.true_masks)):
        words += [option, file.name] if file else []
    words += [f"--only '{request.only}'"] if request.only else []
    words += ["--detector builtin"] if request.detector else []
    words += ["--size own"] if request.size == "own" else []
    words += [] if request.truth else ["--no-truth"]
    words += [f"--style {style}" for style in request.styles]
    words += [f"--weights {files}" for files in request.weights] + (
        [f"--limit {request.limit}"] if request.limit else []
    )
    return " ".join(words)


def rows_of(folder: Path) -> Rows:
    rows = json.loads((folder / "results.json").read_text(encoding="utf-8"))["rows"]
    return {(row["method"], row["style"]): row for row in rows}


def figures(found: dict[str, Rows]) -> Iterator[tuple[str, str, str]]:
    """Part, title and figure of every line."""
    plain = (FULL, "faithful")
    fused = {"objects found": (FUSED, "faithful"), "objects given": (ANNOTATED, "faithful")}
    for part in ("val", "street fashion", "portraits"):
        rows = found.get(part)
        if not rows:
            continue
        yield part, "`faithful`, full image, over gray", told(rows[plain]["over_gray"], 2)
        for how, key in fused.items():
            row = rows[key]
            yield part, f"fused over full image, photos, {how}", told(row["over_full"], 3)
            large = row["objects"]["by_size"][">=2 %"]
            yield part, f"fused over full image, objects of 2 % and more, {how}", told(large["over_full"], 2)
            if "inside" in row:
                yield part, f"fused over full image inside the true outline, {how}", told(row["inside"]["over_full"], 3)
            if "inside" in row:
                yield part, f"IoU of the best outline, {how}", f"{row['inside']['outline_iou']['mean']:.3f}"
            if "inside" in row and row["inside"]["skin_photos"]:
                skin = f"{row['inside']['skin_chroma_ratio']:.2f} / {row['inside']['skin_error']['mean']:.1f}"
                yield part, f"skin: chroma of the truth's / error in ab, {how}", skin
        for style in STYLES:
            row = rows[FUSED, style]
            steady = f"{row['colorfulness_ratio']:.2f}; {row['spread_ratio']:.2f}"
            yield part, f"`{style}`: colorfulness; spread, of the truth's, objects found", steady
            hues = row["objects"]["by_size"]["all"]["hues_beyond"]
            yield part, f"`{style}`: hues inside an object beyond the truth's, objects found", told(hues, 2)
        yield part, "`natural`: PSNR over `faithful`, objects found", told(rows[FUSED, "natural"]["over_faithful"], 2)
    if "large" in found:
        for how, key in fused.items():
            for size, title in (("small", "faces under 8 % of the width"), ("all", "all faces")):
                faces = found["large"][key]["objects"]["faces"][size]
                gain = f"{told(faces['over_full'], 2)} ({faces['objects']} faces)"
                yield "large", f"{title}, fused over full image, {how}", gain
    if "old" in found:
        for style in STYLES:
            edges = found["old"][FUSED, style]["edges"]
            jump = f"{edges['jump']['mean']:.2f} / {edges['worst']:.1f} ({edges['where']})"
            yield "old", f"edge jump, `{style}`: mean / worst", jump


def told(value: dict[str, float], digits: int) -> str:
    mean, low, high = (f"{value[name]:+.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low}..{high})"


if __name__ == "__main__":
    main()
