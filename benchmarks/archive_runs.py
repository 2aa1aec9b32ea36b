"""The whole of `instcolor archive`, as a user meets it: runs that are stopped and killed, compared with one left alone.

    python benchmarks/archive_runs.py stop --photos 2000 [--engine local ray] [--s3] [--quick]
    python benchmarks/archive_runs.py kills --photos 400 --times 20 [--engine local ray] [--seed 0]
    python benchmarks/archive_runs.py speed --photos 240

`stop` interrupts a run in the middle and lets another one go on. `kills` does harm to run after run at random moments:
SIGKILL for a worker, for the driver (with its whole group for Ray, whose head goes with it), and a disk that is full,
for which stands a limit on the size of files: beyond it the kernel refuses a write in its middle, as a full disk does.
Both end with exit code 1 where a photo is lost or has other bytes, or more than one a worker was repeated. `speed` runs
`colorize --jobs` and `archive run` in turn. The photos are those of the examples, shrunk; `--quick` colors them without
looking for objects.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from instcolor.archive import Plan, Store, look

PHOTOS = sorted((Path(__file__).parents[1] / "examples" / "photos").glob("*.jpg"))
COMMAND = [sys.executable, "-m", "instcolor"]
WORKERS = 2
SHARD = 25
HARMS = ("worker", "driver", "disk")
OPTIONS: list[str] = []
"""Of colorize."""
FULL_BYTES = 6000
"""The largest file that a "full disk" takes: plans and claims fit, some results and lines do not."""


def shrunk(folder: Path, count: int, side: int) -> None:
    """Photos of about `side` pixels, all different."""
    folder.mkdir()
    for number in range(count):
        with Image.open(PHOTOS[number % len(PHOTOS)]) as image:
            small = image.convert("L").resize((side + number % 31, side * 3 // 4 + number // 31 % 29))
        small.save(folder / f"{number:05}.jpg", quality=90)


def begun(*words: str, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    """A command in a group of processes of its own."""
    return subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=before,
    )


def planned(photos: Path, target: str) -> None:
    if begun("archive", "plan", str(photos), "--out", target, "--shard", str(SHARD), *OPTIONS).wait():
        sys.exit(f"{target}: no plan could be made")


def run(target: str, engine: str, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    return begun("archive", "run", target, "--engine", engine, "--workers", str(WORKERS), before=before)


@contextlib.contextmanager
def bucket() -> Iterator[str]:
    """An address on a server of this machine that speaks S3."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    own = {"AWS_ACCESS_KEY_ID": "runs", "AWS_SECRET_ACCESS_KEY": "runs", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ.update(own, AWS_ENDPOINT_URL=f"http://{host}:{port}")
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir("archive")
    yield "s3://archive"
    server.stop()


def results(target: str) -> dict[str, str]:
    """The sha256 of every result."""
    store = Store(target)
    names = [name for name in store.names("") if name.endswith(".jpg")]
    return {name: hashlib.sha256(store.get(name) or b"").hexdigest() for name in names}


def stamps(target: str) -> dict[str, object]:
    """What changes where a result is written again: its time in the store."""
    if "://" not in target:
        return {path.name: path.stat().st_mtime_ns for path in Path(target).glob("*.jpg")}
    from instcolor.sources.remote import file_system

    system, root = file_system(target)
    try:
        listed = system.ls(root, detail=True)
    except FileNotFoundError:
        return {}
    return {str(fact["name"]).rpartition("/")[2]: fact.get("LastModified") for fact in listed if fact["type"] == "file"}


def lines(target: str) -> Counter[str]:
    """How many lines each photo has in the end."""
    found = Store(target).all(".instcolor/lines")
    return Counter(json.loads(line)["path"] for data in found.values() for line in data.splitlines())


def judged(what: str, target: str, whole: dict[str, str], repeated: int, allowed: int) -> None:
    """Prints what came of a run, and ends with exit code 1 where it is not as it should be."""
    found, told = results(target), lines(target)
    lost = len(whole.keys() - found.keys())
    other = sum(found[name] != digest for name, digest in whole.items() if name in found)
    odd = sum(told[name] != 1 for name in whole)
    print(
        f"{what}: {len(whole):,} photos, {lost} lost, {other} with other bytes, {odd} without just one line, "
        f"{repeated} repeated (at most {allowed})",
        flush=True,
    )
    if lost or other or odd or repeated > allowed or found.keys() - whole.keys():
        sys.exit(1)


def unbroken(base: Path, photos: Path) -> dict[str, str]:
    """What a run makes that is left alone."""
    planned(photos, str(base / "whole"))
    start = time.perf_counter()
    if run(str(base / "whole"), "local").wait():
        sys.exit("a run that was left alone has failed")
    seconds = time.perf_counter() - start
    whole = results(str(base / "whole"))
    print(f"left alone: {len(whole):,} photos in {seconds:.0f} s", flush=True)
    return whole


def again(before: dict[str, object], after: dict[str, object]) -> int:
    return sum(after.get(name) != stamp for name, stamp in before.items())


def stop(whole: dict[str, str], photos: Path, engine: str, target: str) -> None:
    planned(photos, target)
    process = run(target, engine)
    plan = Plan.of(Store(target))
    while look(plan).done < len(whole) // 2:
        if process.poll() is not None:
            sys.exit(f"the run ended by itself with exit code {process.returncode}")
        time.sleep(0.5)
    os.kill(process.pid, signal.SIGTERM)  # Ctrl-C is not heard by what runs in the background
    code, middle = process.wait(), stamps(target)
    if not code or len(middle) == len(whole):
        sys.exit(f"the run was not stopped in the middle: exit code {code} after {len(middle):,} photos")
    print(f"stopped with exit code {code} after {len(middle):,} photos", flush=True)
    start = time.perf_counter()
    code = run(target, engine).wait()
    print(f"went on, exit code {code}, {time.perf_counter() - start:.0f} s", flush=True)
    judged(f"stop, {engine}, {target.partition('://')[0] if '://' in target else 'folder'}", target, whole,
           again(middle, stamps(target)), WORKERS)  # fmt: skip


def kills(whole: dict[str, str], photos: Path, engine: str, target: str, times: int, seed: int) -> None:
    chance, harmed = random.Random(seed), Counter[str]()
    planned(photos, target)
    plan, repeated = Plan.of(Store(target)), 0
    while harmed.total() < times:
        if look(plan).is_finished:  # all over again, elsewhere
            judged("kills so far", target, whole, 0, 0)
            target = f"{target}-"
            planned(photos, target)
            plan = Plan.of(Store(target))
        before, harm = stamps(target), HARMS[harmed.total() % len(HARMS)]
        process = run(target, engine, before=full_disk if harm == "disk" else None)
        moment = chance.uniform(0, 4)
        until_working(process, plan)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        if harm != "disk":
            harmful(process, harm, engine, plan, chance)
        if harm == "driver" or process.poll() is None:
            if harm == "worker":  # the run goes on without it
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(3)
            end(process)
        process.wait()
        harmed[harm] += 1
        repeated += again(before, stamps(target))
    before = stamps(target)
    code = run(target, engine).wait()
    repeated += again(before, stamps(target))
    print(f"harm done: {dict(harmed)}; the last run ended with exit code {code}", flush=True)
    judged(f"kills, {engine}", target, whole, repeated, WORKERS * times)


def until_working(process: subprocess.Popen[bytes], plan: Plan) -> None:
    """Waits until a run has begun to color."""
    begin = look(plan).done
    while process.poll() is None and look(plan).done == begin:
        time.sleep(0.1)


def harmful(process: subprocess.Popen[bytes], harm: str, engine: str, plan: Plan, chance: random.Random) -> None:
    """Kills a worker, or the driver."""
    victims = [process.pid]
    if harm == "worker":
        victims = workers(process.pid) if engine == "local" else claimants(plan)
    if victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(victims), signal.SIGKILL)


def workers(pid: int) -> list[int]:
    """The children of a run that color: those that `multiprocessing` has spawned."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(word) for path in children.parent.parent.glob("*/children") for word in path.read_text().split()]
    return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def claimants(plan: Plan) -> list[int]:
    """The processes that have claims: Ray's actors."""
    said = [data for shard in plan.target.names(".instcolor/claims")
            for data in plan.target.all(f".instcolor/claims/{shard}").values()]  # fmt: skip
    return [json.loads(data)["process"] for data in said]


def end(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of a run, and of a Ray head that it has started: all processes of its group."""
    family = group(process.pid)
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(Path(f"/proc/{pid}").exists() and pid != process.pid for pid in family):
        time.sleep(0.05)


def group(leader: int) -> list[int]:
    """The processes of a session: what a run has started, and what these have."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


def full_disk() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, resource.RLIM_INFINITY))


def speed(base: Path, photos: Path, runs: int) -> None:
    """Photos a minute of `colorize --jobs` and of `archive`, in turn."""
    count = len(list(photos.iterdir()))
    took: dict[tuple[str, int], list[float]] = {}
    for number in range(runs):
        for jobs in (1, WORKERS):
            for what in ("colorize", "archive"):
                out = base / f"{what}-{jobs}-{number}"
                words = ["colorize", str(photos), "--out", str(out), "--jobs", str(jobs), "--quiet"]
                if what == "archive":
                    planned(photos, str(out))
                    words = ["archive", "run", str(out), "--workers", str(jobs)]
                start = time.perf_counter()
                if begun(*words).wait():
                    sys.exit(f"{what} failed")
                took.setdefault((what, jobs), []).append(time.perf_counter() - start)
    base_rate = 0.0
    for (what, jobs), seconds in took.items():
        rate = count / statistics.median(seconds) * 60 / jobs
        base_rate = rate if what == "colorize" else base_rate
        print(f"{what:8} {jobs} workers: {rate:6.1f} photos a minute and worker ({base_rate / rate - 1:+.1%} time)")
    print(f"{count} photos, median of {runs} runs, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["stop", "kills", "speed"])
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--side", type=int, default=72, help="pixels of the photos")
    parser.add_argument("--engine", choices=["local", "ray"], nargs="+", default=["local"])
    parser.add_argument("--quick", action="store_true", help="color without objects")
    parser.add_argument("--s3", action="store_true", help="the target is on an S3 server of this machine")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as open_things:
        base = Path(folder)
        shrunk(base / "in", given.photos, given.side)
        OPTIONS.extend(["--detector", "none", "--no-faces"] if given.quick else [])
        if given.what == "speed":
            speed(base, base / "in", given.runs)
            return
        place = open_things.enter_context(bucket()) if given.s3 else str(base)
        whole = unbroken(base, base / "in")
        for engine in given.engine:
            if given.what == "stop":
                stop(whole, base / "in", engine, f"{place}/{engine}")
            else:
                kills(whole, base / "in", engine, f"{place}/{engine}", given.times, given.seed)


if __name__ == "__main__":
    main()
