"""How files of others are read: a table with a row for each folder, of photos, refusals and faults.

    python tools/corpora.py FOLDER [--notes]

FOLDER holds a folder for each collection. Every file in them is opened, given a color, encoded in its own format and
opened again, in processes of their own so that a crash is counted and ends nothing. A fault is whatever is no photo and
no PhotoError, a result that cannot be opened, or one of another size. Exit code 1 where there are faults.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from pathlib import Path

import numpy as np

from instcolor.errors import PhotoError
from instcolor.photo import Photo

MAX_PIXELS = 30_000_000
COLUMNS = ("photos", "with a note", "no photo", "refused", "faults")
NO_PHOTO = ("not a photo that can be read", "files cannot be read", "is empty")
AB = (12, 18)


def outcome(path: Path) -> tuple[str, str]:
    """The column of a file, and what was said."""
    try:
        photo = Photo.open(path, max_pixels=MAX_PIXELS)
    except PhotoError as error:
        said = str(error).removeprefix(f"{path}: ")
        return ("no photo" if any(part in said for part in NO_PHOTO) else "refused"), said
    except BaseException as error:
        return "faults", f"opened: {error!r}"
    try:
        data = photo.with_color(np.broadcast_to(np.array(AB, np.float32), (*photo.L.shape, 2))).encode()
        again = Photo.open(data, max_pixels=MAX_PIXELS)
    except BaseException as error:
        return "faults", f"encoded as {photo.format}: {error!r}"
    if again.size != photo.size:
        return "faults", f"{photo.size} became {again.size}"
    return ("with a note" if photo.source.notes else "photos"), "; ".join(photo.source.notes)


def outcomes(paths: list[Path]) -> Iterator[tuple[Path, str, str]]:
    """`outcome` of each, one process after the other: whichever file ends its process costs itself alone."""
    left = iter(paths)
    for path in left:
        with ProcessPoolExecutor(1) as pool:
            for current in chain([path], left):
                try:
                    yield current, *pool.submit(outcome, current).result()
                except BrokenProcessPool:
                    yield current, "faults", "the process crashed"
                    break


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", action="store_true", help="print what was said of each file, on standard error")
    options = parser.parse_args()
    print("| collection | files | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---:|" * (len(COLUMNS) + 1))
    total: Counter[str] = Counter()
    for folder in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        counted: Counter[str] = Counter()
        for path, column, said in outcomes(sorted(path for path in folder.rglob("*") if path.is_file())):
            counted[column] += 1
            if column == "faults" or options.notes:
                print(f"{path}\t{column}\t{said}", file=sys.stderr, flush=True)
        _print(folder.name, counted)
        total += counted
    _print("all", total)
    return 1 if total["faults"] else 0


def _print(name: str, counted: Counter[str]) -> None:
    cells = (name, counted.total(), *(counted[column] for column in COLUMNS))
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
