"""What smaller crops of the objects cost in PSNR, and what they save.

    python benchmarks/crop_sizes.py val.zip --boxes boxes.json [--model lite] [--sizes 192 160 128 96] [--limit 120]

The same photos and objects at every size; style `faithful`, photos compared at 256 x 256. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from instcolor.colorizer import load_model
from instcolor.evaluation.color.methods import FULL, Method, chosen_objects
from instcolor.evaluation.color.protocol import Protocol
from instcolor.evaluation.color.run import Data, evaluate
from instcolor.evaluation.data import spread
from instcolor.evaluation.photos import find_photos
from instcolor.objects import read_boxes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--boxes", type=Path, required=True)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--sizes", type=int, nargs="+", default=[192, 160, 128, 96])
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    data = Data(spread(find_photos(arguments.photos), arguments.limit), read_boxes(arguments.boxes))
    methods = [Method(FULL, load_model(arguments.model, arguments.threads))]
    for size in arguments.sizes:
        model = load_model(arguments.model, arguments.threads)
        model.sizes = replace(model.sizes, instance_size=size)
        methods.append(Method(f"crops {size} x {size}", model, chosen_objects))
    rows = evaluate(data, methods, Protocol(side=256), styles=["faithful"]).rows()
    first = rows[1]["psnr"]["mean"]
    print(f"{arguments.model}, {rows[0]['photos']} photos")
    print("\n| | PSNR | against the first size | s per photo |\n|---|---|---|---|")
    for row in rows:
        psnr = row["psnr"]["mean"]
        print(f"| {row['method']} | {psnr:.3f} | {psnr - first:+.3f} | {row['seconds']['mean']:.3f} |")


if __name__ == "__main__":
    main()
