"""How far an archive is, from the files in its target alone; what failed, and trying that again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .planning import HOME, Plan, shard_name
from .shards import Line, Outcome, packed, unpacked


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

    @property
    def is_finished(self) -> bool:
        """Whether every shard is done; photos may have failed."""
        return self.shards_done == self.shards

    def as_json(self) -> dict[str, Any]:
        """Its fields, as `instcolor archive status --json` shows them."""
        return asdict(self)

    def as_metrics(self) -> str:
        """In Prometheus's text format, for the textfile collector of its node exporter."""
        numbers = {"photos": self.photos, "done": self.done, "failed": self.failed, "seconds": self.seconds}
        numbers |= {"shards": self.shards, "shards_done": self.shards_done}
        lines = [f"# TYPE instcolor_archive_{name} gauge\ninstcolor_archive_{name} {n}" for name, n in numbers.items()]
        lines += ["# TYPE instcolor_archive_errors gauge"] if self.kinds else []
        lines += [f'instcolor_archive_errors{{kind="{kind}"}} {n}' for kind, n in sorted(self.kinds.items())]
        return "\n".join(lines) + "\n"


def outcomes(plan: Plan) -> dict[int, Outcome]:
    """What came of the finished shards."""
    markers = plan.target.all(f"{HOME}/done")
    return {int(name.partition(".")[0]): Outcome(**json.loads(data)) for name, data in markers.items()}


def look(plan: Plan) -> Progress:
    """How far all runs are. Raises FileError."""
    finished = outcomes(plan)
    known = [*finished.values(), *(Outcome.of(shard, lines) for shard, lines in _begun(plan, finished).items())]
    kinds = Counter[str]()
    for outcome in known:
        kinds.update(outcome.kinds)
    return Progress(
        plan.photos,
        sum(outcome.photos for outcome in known),
        sum(outcome.failed for outcome in known),
        dict(sorted(kinds.items())),
        plan.shards,
        len(finished),
        round(sum(outcome.seconds for outcome in known), 3),
    )


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
