"""Time and memory of the plan of an archive, and time of the status of all of it.

python benchmarks/archive_plan.py [--photos 1000000]
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from instcolor.archive import Outcome, Store, look, planned, planning
from instcolor.archive.stores import HOME, shard_name
from instcolor.batch import Colorizing


def plan(count: int) -> None:
    """A plan of photos that need not exist, in a folder; then the status of all of it, done."""

    def listed(source: str, target: Store) -> Iterator[dict[str, Any]]:
        for i in range(count):
            yield {"path": f"fonds-{i // 1000:04}/box-{i // 100 % 10}/scan-{i:07}.jpg", "size": i, "time": i}

    planning.listed = listed  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        made = planned("memory://scans", Store(folder), Colorizing())
        seconds = time.perf_counter() - begin
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"plan: {made.photos:,} photos in {made.shards:,} shards, {seconds:.1f} s, peak {memory:.0f} MB")
        for shard in range(made.shards):
            done = json.dumps(vars(Outcome(shard, 500, 3, 250.0, {"PhotoError": 3}))).encode()
            made.target.put(f"{HOME}/done/{shard_name(shard)}.json", done)
        begin = time.perf_counter()
        progress = look(made)
        print(f"status: {progress.shards_done:,} shards, {time.perf_counter() - begin:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=1_000_000)
    plan(parser.parse_args().photos)


if __name__ == "__main__":
    main()
