"""The page without a server beside the library: how far their colors are apart, and how long a browser takes.

    PYTHONPATH=tests python benchmarks/alone.py [FOLDER ...] [--limit 20]

Takes photos of folders (default: the bundled ones), has each colored by Debian's Chromium and by Python on one thread,
and prints a Markdown table: the largest differences of a* and b* in the three styles on the networks' grid, and of the
picture at full size in its default style in steps of 255. The time is that from the file to the PNG file, once the
networks are loaded.
Needs playwright, Chromium and onnxruntime-web (npm ci).
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from instcolor import Colorizer
from instcolor.web import alone as exporting
from support import alone
from support.places import EXAMPLES
from support.visits import CHROMIUM, Visit, photo

STYLES = 6  # planes of a and b; the last one is the confidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[EXAMPLES])
    parser.add_argument("--limit", type=int, default=20)
    options = parser.parse_args()
    paths = sorted(path for folder in options.folders for path in folder.glob("*.jpg"))[: options.limit]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        size = exporting.export(Path(name), alone.RUNTIME)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with alone.hosting(Path(name)) as host:
            page = Visit(browser.new_page(), f"{host.address}/").page
            begin = time.perf_counter()
            alone.color(page, photo())
            first = time.perf_counter() - begin
            report(page, paths)
            print(f"\nFirst visit: {size / 1e6:.1f} MB. Networks fetched and loaded, and a first photo: {first:.1f} s")
        browser.close()


def shown(seconds: Iterable[float]) -> str:
    return " | ".join(f"{value:.1f}" for value in seconds)


def report(page: Any, paths: list[Path]) -> None:
    """A row for each photo, and one of the worst of each column."""
    colorizer = Colorizer(threads=1).load()
    print("| photo | pixels | objects | the same | ab, most apart | picture, most apart | browser, s | Python, s |")
    print("|---|---:|---:|---|---:|---:|---:|---:|")
    worst, seconds = [], []
    for path in paths:
        data = path.read_bytes()
        begin = time.perf_counter()
        found = alone.color(page, data)
        middle = time.perf_counter()
        look = colorizer.look(data)
        expected = look.color().rgb()
        end = time.perf_counter()
        labels = [item.label for item in look.objects]
        same = [one["label"] for one in found.state["objects"]] == labels
        ab = float(np.abs(found.planes - alone.expected(look))[..., :STYLES].max())
        picture = np.asarray(Image.open(io.BytesIO(found.picture)).convert("RGB")).astype(int)
        apart = int(np.abs(picture - expected).max())
        worst.append((ab, apart, same))
        seconds.append((middle - begin, end - middle))
        width, height = look.photo.size
        facts = f"{width} x {height} | {len(labels)} | {'yes' if same else 'no'} | {ab:.3f} | {apart}"
        print(f"| {path.stem} | {facts} | {shown(seconds[-1])} |")
    abs_, aparts, sames = zip(*worst, strict=True)
    facts = f"{sum(sames)} | {max(abs_):.3f} | {max(aparts)}"
    print(f"| worst of {len(paths)} (times: middle) | | | {facts} | {shown(np.median(seconds, 0))} |")


if __name__ == "__main__":
    main()
