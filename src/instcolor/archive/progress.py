"""How far an archive is, from the files in its target alone; what failed, and trying that again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InstcolorError
from .planning import Plan
from .shards import Line, Outcome, packed, unpacked
from .stores import HOME, shard_name

WINDOW_SECONDS = 600.0
"""The rate is that of the last ten minutes: longer than a hiccup, shorter than a change of machines."""


@dataclass(frozen=True)
class Progress:
    """Of all runs together."""

    photos: int
    done: int
    """Colored or failed; photos of shards that are not finished count too."""
    failed: int
    kinds: dict[str, int]
    """Errors by kind."""
    shards: int
    shards_done: int
    seconds: float
    """Of coloring, over all cores."""
    a_second: float
    """Photos that all runs together have done in the last `WINDOW_SECONDS`; 0 where no run is at work."""

    @property
    def seconds_left(self) -> float | None:
        """Until all is done at this rate; None where there is none."""
        return round((self.photos - self.done) / self.a_second, 1) if self.a_second else None

    @property
    def is_finished(self) -> bool:
        """Whether every shard is done; photos may have failed."""
        return self.shards_done == self.shards

    def as_json(self) -> dict[str, Any]:
        """Its fields, as `instcolor archive status --json` shows them."""
        return {**asdict(self), "seconds_left": self.seconds_left, "is_finished": self.is_finished}

    def as_metrics(self) -> str:
        """In Prometheus's text format, for the textfile collector of its node exporter."""
        numbers = {"photos": self.photos, "done": self.done, "failed": self.failed, "seconds": self.seconds}
        numbers |= {"shards": self.shards, "shards_done": self.shards_done, "photos_per_second": self.a_second}
        lines = [f"# TYPE instcolor_archive_{name} gauge\ninstcolor_archive_{name} {n}" for name, n in numbers.items()]
        lines += ["# TYPE instcolor_archive_errors gauge"] if self.kinds else []
        lines += [f'instcolor_archive_errors{{kind="{kind}"}} {n}' for kind, n in sorted(self.kinds.items())]
        return "\n".join(lines) + "\n"


def outcomes(plan: Plan, known: dict[int, Outcome] | None = None) -> dict[int, Outcome]:
    """What came of the finished shards; of those that are `known` the markers are not read again.

    Raises InstcolorError.
    """
    names = {f"{shard_name(shard)}.json": shard for shard in known or {}}
    there = plan.target.names(f"{HOME}/done")
    fresh = plan.target.all(f"{HOME}/done", names) if len(there) > len(names.keys() & set(there)) else {}
    found = {names[name]: known[names[name]] for name in there if known and name in names}
    for name, data in fresh.items():
        try:
            found[int(name.partition(".")[0])] = Outcome.from_json(data)
        except (ValueError, TypeError, KeyError) as error:
            raise InstcolorError(f"{plan.target.address}/{HOME}/done/{name}: is damaged ({error!r})") from error
    return found


def look(plan: Plan, known: dict[int, Outcome] | None = None, *, since: float = 0.0) -> Progress:
    """How far all runs are.

    Args:
        known: as of `outcomes`; it is brought up to date.
        since: what was done before this time, in seconds since 1970, does not count for the rate.

    Raises:
        InstcolorError: the target cannot be read, or is damaged.
    """
    finished = outcomes(plan, known)
    if known is not None:
        known.clear()
        known.update(finished)
    begun = _begun(plan, finished)
    all_of = [*finished.values(), *(Outcome.of(shard, lines) for shard, lines in begun.items())]
    kinds = Counter[str]()
    for outcome in all_of:
        kinds.update(outcome.kinds)
    done = sum(outcome.photos for outcome in all_of)
    return Progress(
        plan.photos,
        done,
        sum(outcome.failed for outcome in all_of),
        dict(sorted(kinds.items())),
        plan.shards,
        len(finished),
        round(sum(outcome.seconds for outcome in all_of), 3),
        _rate(all_of, time.time(), since),
    )


def _rate(outcomes: list[Outcome], now: float, since: float) -> float:
    """Photos a second in the last `WINDOW_SECONDS`, or since the first; those of a shard count as evenly spread."""
    begin = max(now - WINDOW_SECONDS, since, min((o.times[0] for o in outcomes if o.photos), default=now))
    count = 0.0
    for outcome in outcomes:
        first, last = outcome.times
        if outcome.photos and last >= begin:
            count += outcome.photos * ((last - max(first, begin)) / (last - first) if last > first else 1.0)
    return round(count / max(now - begin, 1.0), 4)


def failures(plan: Plan) -> Iterator[Line]:
    """The lines of photos that failed, in the plan's order."""
    finished = outcomes(plan)
    begun = _begun(plan, finished)
    for shard in sorted({*begun, *(shard for shard, outcome in finished.items() if outcome.failed)}):
        lines = begun[shard] if shard in begun else _lines(plan, shard)
        yield from (line for line in lines if line["status"] == "failed")


def retry(plan: Plan) -> int:
    """Opens the shards again in which photos failed, for these alone; how many photos that are. Raises FileError."""
    count = 0
    for shard, outcome in sorted(outcomes(plan).items()):
        if outcome.failed:
            kept = [line for line in _lines(plan, shard) if line["status"] != "failed"]
            plan.target.put(f"{HOME}/parts/{shard_name(shard)}.jsonl", b"".join(map(packed, kept)))
            plan.target.remove(f"{HOME}/done/{shard_name(shard)}.json")
            count += outcome.failed
    return count


def _begun(plan: Plan, finished: Container[int]) -> dict[int, list[Line]]:
    """The lines so far of shards that are not finished."""
    parts = {int(name.partition(".")[0]): data for name, data in plan.target.all(f"{HOME}/parts").items()}
    return {shard: unpacked(data) for shard, data in parts.items() if shard not in finished}


def _lines(plan: Plan, shard: int) -> list[Line]:
    content = plan.target.get(f"{HOME}/lines/{shard_name(shard)}.jsonl") or b""
    return unpacked(content)
