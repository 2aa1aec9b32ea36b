"""Counters in Prometheus' text format (version 0.0.4), as many as an owner needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Requests by method and status; jobs by outcome, and how long they took."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.jobs: Counter[str] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0

    def job(self, outcome: str, seconds: float) -> None:
        """Counts a job that ended as `outcome` after so many seconds."""
        self.jobs[outcome] += 1
        self._seconds += seconds
        self._buckets.update(limit for limit in SECONDS if seconds <= limit)

    def text(self, gauges: Iterable[tuple[str, str, float]]) -> str:
        """All counters, and gauges of (name, help, value)."""
        lines = ["# HELP instcolor_requests_total Requests answered.", "# TYPE instcolor_requests_total counter"]
        for (method, status), count in sorted(self.requests.items()):
            lines.append(f'instcolor_requests_total{{method="{method}",status="{status}"}} {count}')
        lines += [
            "# HELP instcolor_jobs_total Tasks of the workers.",
            "# TYPE instcolor_jobs_total counter",
        ]
        lines += [f'instcolor_jobs_total{{outcome="{name}"}} {count}' for name, count in sorted(self.jobs.items())]
        lines += ["# HELP instcolor_job_seconds Time of a job.", "# TYPE instcolor_job_seconds histogram"]
        lines += [f'instcolor_job_seconds_bucket{{le="{limit:g}"}} {self._buckets[limit]}' for limit in SECONDS]
        total = self.jobs.total()
        lines.append(f'instcolor_job_seconds_bucket{{le="+Inf"}} {total}')
        lines += [f"instcolor_job_seconds_sum {self._seconds:.6f}", f"instcolor_job_seconds_count {total}"]
        for name, text, value in gauges:
            lines += [
                f"# HELP instcolor_{name} {text}",
                f"# TYPE instcolor_{name} gauge",
                f"instcolor_{name} {value:g}",
            ]
        return "\n".join(lines) + "\n"
