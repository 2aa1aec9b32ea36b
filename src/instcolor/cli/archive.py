"""`instcolor archive`: photographs by the million."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .coloring import Coloring
from .extras import needing
from .options import Quiet, unfolded
from .progress import pace

if TYPE_CHECKING:
    from ..archive import Engine, Plan, Progress, Store
    from .report import Report
    from .watching import Watch

archive = typer.Typer(help="Color photographs by the million, on one machine or many.", no_args_is_help=True)
EXTRA = "archive"
Target = Annotated[str, typer.Argument(metavar="TARGET", help="Where results go: a folder, or an address (s3://...).")]


class Engines(StrEnum):
    """What runs the shards: see `archive.engines`."""

    LOCAL = "local"
    RAY = "ray"


def shard_range(value: str) -> str:
    """The callback of ranges of shards: "a:b", half-open, either may be left out."""
    first, colon, last = value.partition(":")
    if value and (not colon or not all(part.isdigit() for part in (first, last) if part)):
        raise typer.BadParameter(f"{value} is not FIRST:LAST")
    return value


@dataclass(frozen=True)
class Planning(Coloring):
    """What is done to all photographs, and how the list of them is cut."""

    shard: Annotated[int, typer.Option(metavar="N", min=1, help="Photographs a shard.")] = 500
    new: Annotated[bool, typer.Option("--new", help="Replace another plan; all is colored again.")] = False


@dataclass(frozen=True)
class Running:
    """On what a plan is carried out, and how it is watched."""

    engine: Annotated[Engines, typer.Option(help="Processes of this machine, or Ray.")] = Engines.LOCAL
    workers: Annotated[int | None, typer.Option(metavar="N", min=1, help="Cores to use (default: all).")] = None
    shards: Annotated[
        str, typer.Option(metavar="FIRST:LAST", callback=shard_range, help="Of the plan's shards these; LAST is out.")
    ] = ""
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="A Ray cluster (default: one on this machine).")
    ] = None
    max_errors: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="So many photographs may fail; then the run stops.")
    ] = None
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep a file for Prometheus's textfile collector.")
    ] = None
    quiet: Quiet = False


@archive.command()
@unfolded
def plan(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder of photographs, or an address.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="TARGET", help="Where results go: a folder or address.")],
    options: Planning,
) -> None:
    """List photographs once, in shards, and settle what is done to them."""
    options.check()
    with _opened() as report:
        from ..archive import planned

        made = planned(source, _store(out), options.job(), size=options.shard, new=options.new)
        report.line(f"{out}: {made.photos:,} photos in {made.shards:,} shards")


@archive.command()
@unfolded
def run(target: Target, options: Running) -> None:
    """Color what a plan names and is not yet colored. Exit code 1 where more than --max-errors photographs failed."""
    with _opened(quiet=options.quiet) as report:
        from ..archive import carry_out, look
        from ..batch.stopping import stop_signals
        from .watching import Watch

        plan = _plan(target)
        plan.check()
        first, _, last = options.shards.partition(":")
        shards = range(plan.shards)[int(first or 0) : int(last) if last else None]
        stop = threading.Event()
        watch = Watch(report, plan, stop, metrics=options.metrics, most=options.max_errors)
        with stop_signals() as signals:
            signals.tells = stop.set
            with needing("--engine ray", "ray"), watch:
                carry_out(_engine(options, watch), plan, shards, stop, watch.shard)
            progress = look(plan)
            watch.keep(progress)
            _tell(report, progress)
            signals.obey()
        report.failed += progress.failed > (options.max_errors or 0)
    report.exit()


@archive.command()
def status(target: Target, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Print how far all runs are."""
    with _opened() as report:
        from ..archive import look

        progress = look(_plan(target))
        if as_json:
            print(json.dumps(progress.as_json()))
        else:
            _tell(report, progress)


@archive.command()
def errors(target: Target) -> None:
    """Print the photographs that failed, a line of JSON each."""
    with _opened():
        from ..archive import failures

        for line in failures(_plan(target)):
            print(json.dumps({name: line[name] for name in ("path", "kind", "reason")}))


@archive.command()
def retry(target: Target) -> None:
    """Have the next run try again what failed."""
    with _opened() as report:
        from ..archive import retry

        report.line(f"{retry(_plan(target)):,} photos will be tried again by `instcolor archive run {target}`")


@contextmanager
def _opened(*, quiet: bool = False) -> Iterator[Report]:
    """What a command says; an error of all is one line and exit code 1."""
    from .report import Report

    report = Report(quiet=quiet)
    with report.setting_up(), needing("an archive", EXTRA):
        yield report


def _plan(target: str) -> Plan:
    from ..archive import Plan

    return Plan.of(_store(target))


def _store(target: str) -> Store:
    """A folder with its whole path: a Ray cluster has another working directory."""
    from ..archive import Store
    from ..sources.remote import is_address

    return Store(target if is_address(target) else os.path.abspath(target))


def _engine(options: Running, watch: Watch) -> Engine:
    from ..archive import Local, OnRay
    from ..cores import core_count

    if options.engine is Engines.RAY:
        return OnRay(options.workers, options.address)
    return Local(options.workers or core_count(), watch.photo)


def _tell(report: Report, progress: Progress) -> None:
    report.line(
        f"{progress.done:,} of {progress.photos:,} photos, {progress.shards_done:,} of {progress.shards:,} shards, "
        f"{progress.failed:,} failed{pace(progress)}"
    )
    for kind, count in progress.kinds.items():
        report.line(f"  {count:,} {kind}")
