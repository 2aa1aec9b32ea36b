"""Photos a minute and memory of `instcolor colorize FOLDER --jobs N`, as a user meets them: a fresh run each time.

    python benchmarks/jobs.py [--jobs 1 2] [--photos 24] [--runs 3]

The photos have 6 megapixels. The numbers of jobs take turns, so that whatever else the machine does hits all of them;
photos a minute are the median of the runs, with all that a run needs to start; memory is the most that all processes of
a run held together (proportional set size, Linux only), and CPU seconds are theirs for each photo.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image

PHOTOS = sorted((Path(__file__).parents[1] / "examples" / "photos").glob("*.jpg"))
SIZE = (3000, 2000)
COMMAND = Path(sys.executable).with_name("instcolor")
POLL_SECONDS = 0.1


class Figures(NamedTuple):
    minute: float  # photos
    megabytes: float
    cpu_seconds: float  # of each photo


def prepare(folder: Path, count: int) -> None:
    """Photos of `SIZE`, all different."""
    folder.mkdir()
    for number in range(count):
        with Image.open(PHOTOS[number % len(PHOTOS)]) as image:
            picture = image.convert("L").resize(SIZE, Image.Resampling.BICUBIC)
        picture.transpose(Image.Transpose(number // len(PHOTOS) % 7)).resize(SIZE).save(
            folder / f"{number:03}.jpg", quality=92
        )


def measure(photos: Path, jobs: int, out: Path) -> Figures:
    """One run; ends the benchmark where that fails."""
    count = len(list(photos.iterdir()))
    before = os.times()
    start = time.perf_counter()
    process = subprocess.Popen([COMMAND, "colorize", photos, "--out", out, "--jobs", str(jobs), "--quiet"])
    watch = Watch(process.pid)
    code = process.wait()
    seconds = time.perf_counter() - start
    after = os.times()
    if code:
        sys.exit(f"instcolor colorize --jobs {jobs} ended with {code}")
    shutil.rmtree(out)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Figures(count / seconds * 60, watch.end(), cpu / count)


class Watch:
    """Looks now and then at the memory of a process and its children; the most that it saw."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._over = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> float:
        """Megabytes; NaN where there is no /proc."""
        self._over.set()
        self._thread.join()
        return self._most / 1024 if self._most else float("nan")

    def _look(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            self._most = max(self._most, sum(map(kilobytes, family(self._pid))))


def family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(other for child in children for other in family(int(child)))]


def kilobytes(pid: int) -> int:
    """Memory of a process, pages that it shares divided among those who share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name, "photos")
        prepare(photos, given.photos)
        found: dict[int, list[Figures]] = {jobs: [] for jobs in given.jobs}
        print(f"{given.photos} photos of {SIZE[0]} x {SIZE[1]}, {given.runs} runs, {os.cpu_count()} cores")
        print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
        for _ in range(given.runs):
            for jobs in given.jobs:
                found[jobs].append(measure(photos, jobs, Path(name, "out")))
        base = statistics.median(f.minute for f in found[given.jobs[0]])
        print(f"{'jobs':>4} {'photos/min':>10} {'times':>6} {'MB':>6} {'CPU s/photo':>11}")
        for jobs, figures in found.items():
            minute = statistics.median(f.minute for f in figures)
            cpu = statistics.median(f.cpu_seconds for f in figures)
            print(f"{jobs:4} {minute:10.1f} {minute / base:6.2f} {max(f.megabytes for f in figures):6.0f} {cpu:11.2f}")


if __name__ == "__main__":
    main()
