"""The files of an archive: time and memory of a plan, time of a status; and runs that are killed at random moments.

python benchmarks/archive.py plan --photos 1000000
python benchmarks/archive.py kills --times 20 --photos 200 [--engine ray]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from instcolor.archive import Outcome, Store, look, planned, planning
from instcolor.batch import Colorizing

PHOTOS = Path(__file__).parent.parent / "examples/photos"


def plan(count: int) -> None:
    """A plan of photos that need not exist, in a folder; then the status of all of it, done."""

    def listed(*_: Any) -> Iterator[dict[str, Any]]:
        for i in range(count):
            yield {"path": f"fonds-{i // 1000:04}/box-{i // 100 % 10}/scan-{i:07}.jpg", "size": i, "time": i}

    planning.listed = listed
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        made = planned("memory://scans", Store(folder), Colorizing())
        seconds = time.perf_counter() - begin
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"plan: {made.photos:,} photos in {made.shards:,} shards, {seconds:.1f} s, peak {memory:.0f} MB")
        for shard in range(made.shards):
            done = json.dumps(vars(Outcome(shard, 500, 3, 250.0, {"PhotoError": 3}))).encode()
            made.target.put(f"{planning.HOME}/done/{planning.shard_name(shard)}.json", done)
        begin = time.perf_counter()
        progress = look(made)
        print(f"status: {progress.shards_done:,} shards, {time.perf_counter() - begin:.2f} s")


def kills(times: int, count: int, engine: str, seed: int) -> None:
    """Kills a run or one of its processes again and again; compares what came of it with a run that was left alone."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "in").mkdir()
        photos = sorted(PHOTOS.glob("*.jpg"))
        for i in range(count):
            with Image.open(photos[i % len(photos)]) as image:
                small = image.convert("L")
                small.thumbnail((48 + i % 17, 64))
                small.save(base / f"in/{i:05}.jpg")
        whole, broken = base / "whole", base / "broken"
        for target in (whole, broken):
            _archive("plan", str(base / "in"), "--out", str(target), "--shard", "20").wait()
        _archive("run", str(whole), "--workers", "2").wait()
        repeated = killed = 0
        while killed < times:
            before = _changed(broken)
            process = _archive("run", str(broken), "--workers", "2", "--engine", engine)
            try:
                process.wait(chance.uniform(2, 6))
                break  # it has all been done
            except subprocess.TimeoutExpired:
                pass
            victims = [process.pid, *_children(process.pid)]
            victim = chance.choice(victims)
            os.kill(victim, signal.SIGKILL)
            killed += 1
            if victim != process.pid:
                time.sleep(0.5)
                process.kill()
            process.wait()
            repeated += sum(time != _changed(broken).get(name) for name, time in before.items())
        code = _archive("run", str(broken), "--workers", "2").wait()
        results = {p.name: p.read_bytes() for p in whole.glob("*.jpg")}
        found = {p.name: p.read_bytes() for p in broken.glob("*.jpg")}
        differ = sum(found.get(name) != data for name, data in results.items())
        print(
            f"{killed} kills, exit code {code} in the end: {len(results) - len(found)} of {count} photos lost, ", end=""
        )
        print(f"{differ} with other bytes, {repeated} repeated")


def _archive(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "instcolor", "archive", *words], stdout=subprocess.DEVNULL)


def _changed(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.jpg")}


def _children(process: int) -> list[int]:
    said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(word) for word in said.stdout.split() if os.path.exists(f"/proc/{word}")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["plan", "kills"])
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--engine", default="local")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.what == "plan":
        plan(given.photos)
    else:
        kills(given.times, given.photos, given.engine, given.seed)


if __name__ == "__main__":
    main()
