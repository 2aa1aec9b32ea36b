"""The plan of an archive: its photos, listed once, in shards; and the job that all of them get."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from .. import __version__
from ..batch import Colorizing
from ..batch.names import RESULT
from ..errors import InstcolorError
from ..files import sha256_of
from ..models import registry
from ..photo.formats import is_photo
from ..sources import Item
from ..sources.remote import is_address
from .claims import Claim
from .listing import item_of, listed
from .stores import HOME, Store, shard_name

JOB = f"{HOME}/job.json"
SHARD = 500
"""Photographs a shard: minutes of work, and a million are 2,000 files of each kind."""
PATHS = ("boxes", "reference")
DOTS = re.compile(r"(?:^|/)[. ]+(?:/|$)")
FINDERS = ("detector", "faces", "masks")
"""Models of the package that find objects; their weights show in results too."""


class Entry(NamedTuple):
    """A photograph of the plan."""

    name: str
    """Its place in the source, with slashes."""
    stem: str
    """Its result's place in the target, without the suffix where the result has another than the photo."""
    facts: dict[str, Any]
    """All that the plan says of it."""

    def result(self, suffix: str) -> str:
        """Where its result goes: under its own name, or with the suffix of another format behind it."""
        from ..photo.formats import SUFFIXES

        own = PurePosixPath(self.stem).suffix
        return self.stem if SUFFIXES.get(own.lower()) == SUFFIXES[suffix] else self.stem + suffix


@dataclass(frozen=True)
class Plan:
    """What is to be done with an archive."""

    target: Store
    id: str
    """Of this plan and no other that the target has had."""
    source: str
    photos: int
    shards: int
    job: Colorizing
    facts: dict[str, Any]
    """Version, model, sha256 of every weight file, all options: what must not change while the plan is carried out."""

    @classmethod
    def of(cls, target: Store) -> Plan:
        """The plan of a target. Raises InstcolorError where there is none."""
        content = target.get(JOB)
        if content is None:
            raise InstcolorError(f"{target.address}: there is no plan, see `instcolor archive plan`")
        try:
            said = json.loads(content)
            job = _job(said["job"])
            return cls(target, said["id"], said["source"], said["photos"], said["shards"], job, said["facts"])
        except (ValueError, KeyError, TypeError) as error:
            raise InstcolorError(f"{target.address}/{JOB}: is no plan ({error!r})") from error

    def check(self) -> None:
        """Raises InstcolorError where this installation would color otherwise than the one that made the plan."""
        now = facts_of(self.job)
        if now != self.facts:
            names = ", ".join(sorted(name for name in now if now[name] != self.facts.get(name)))
            raise InstcolorError(f"{self.target.address}: was planned with another {names}, see plan --new")

    def is_current(self) -> bool:
        """Whether this is still the target's plan. Raises FileError."""
        try:
            return bool(json.loads(self.target.get(JOB) or b"{}").get("id") == self.id)
        except ValueError:
            return False

    def entries(self, shard: int) -> list[Entry]:
        """The photographs of a shard. Raises InstcolorError where its file is missing or damaged."""
        name = f"{HOME}/plan/{shard_name(shard)}.jsonl"
        try:
            said = [json.loads(line) for line in (self.target.get(name) or b"").splitlines()]
            entries = [Entry(one["path"], one.get("as", one["path"]), one) for one in said]
        except (ValueError, KeyError, TypeError) as error:
            raise InstcolorError(f"{self.target.address}/{name}: is damaged ({error!r})") from error
        if not entries:
            raise InstcolorError(f"{self.target.address}/{name}: is missing or empty")
        return entries

    def item(self, entry: Entry) -> Item:
        """A photograph as something that can be read."""
        return item_of(self.source, entry.facts)


def planned(source: str, target: Store, job: Colorizing, *, size: int = SHARD, new: bool = False) -> Plan:
    """Lists a source into shards of `size` photos and writes the plan to the target.

    A plan of the same source and job that is there stays as it is. Raises InstcolorError where another one is there
    (unless `new`, which forgets what was done for it), or where the source holds no photos.
    """
    source = source if is_address(source) else os.path.abspath(source)
    facts = facts_of(job)
    if target.has(JOB) and not new:
        there = Plan.of(target)
        if (there.source, there.facts) != (source, facts):
            raise InstcolorError(f"{target.address}: has a plan of another job or source, give --new to replace it")
        return there
    _refuse_living(target)
    before = target.get(JOB)
    target.remove(JOB)  # first, so that nobody works by half a plan
    try:
        _refuse_living(target)  # who has claimed a shard in the meantime
    except InstcolorError:
        if before:
            target.put(JOB, before)
        raise
    for folder in ("plan", "done", "lines", "parts", "claims"):
        target.clear(f"{HOME}/{folder}")
    photos = shards = 0
    for lines in _batches(_named(listed(source, target)), size):
        target.put(f"{HOME}/plan/{shard_name(shards)}.jsonl", b"".join(lines))
        photos, shards = photos + len(lines), shards + 1
    if not photos:
        raise InstcolorError(f"{source}: there are no photos")
    said = {"id": secrets.token_hex(8), "source": source, "photos": photos, "shards": shards}
    target.put(JOB, json.dumps({**said, "job": _said(job), "facts": facts}, indent=1).encode())
    return Plan.of(target)


def _refuse_living(target: Store) -> None:
    """Raises InstcolorError where a run is at work."""
    living = Claim.living(target)
    if living:
        raise InstcolorError(f"{target.address}: a run is at work ({living}), stop it before a new plan is made")


def facts_of(job: Colorizing) -> dict[str, Any]:
    """What tells a job from another: "version", "model", "sha256" of all its weights, "options"."""
    facts = {**job.facts(), "version": __version__}
    sums = dict(facts["sha256"])
    for name in FINDERS:
        sums |= {f"{name}/{file}": digest for file, digest in registry.find(name).sha256.items()}
    if job.detector and os.path.isfile(job.detector):
        sums[job.detector] = sha256_of(Path(job.detector))
    said: dict[str, Any] = json.loads(json.dumps({**facts, "sha256": sums}))
    return said


def _said(job: Colorizing) -> dict[str, Any]:
    return {**vars(job), **{name: str(getattr(job, name) or "") for name in PATHS}}


def _job(said: dict[str, Any]) -> Colorizing:
    known = {field.name for field in fields(Colorizing)}
    paths = {name: Path(said[name]) if said[name] else None for name in PATHS}
    return Colorizing(**{name: said[name] for name in said if name in known} | paths | {"hints": tuple(said["hints"])})


def _named(entries: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Lines of the plan. A result's name that another photo has already, on any disk, gets a number."""
    seen = set[int]()  # hashes: the names of a million photos would take too much memory
    pack = json.JSONEncoder().encode
    for entry in entries:
        stem = entry["path"]
        if _leads_out(stem):  # of the target; members of zip and tar files may be called so
            stem = "/".join(part for part in stem.split("/") if part.strip(". "))
            entry["as"] = stem
        number = 1
        while _taken(stem, seen):
            number += 1
            path = PurePosixPath(entry.get("as", entry["path"]))
            stem = str(path.with_name(f"{path.stem}{RESULT}-{number}{path.suffix}"))
        if number > 1:
            entry["as"] = stem
        seen.add(hash(stem.casefold()))
        yield pack(entry).encode() + b"\n"


def _leads_out(name: str) -> bool:
    return "//" in name or name.startswith("/") or ("." in name and bool(DOTS.search(name)))


def _taken(stem: str, seen: set[int]) -> bool:
    """Whether a result has this name, or would where its format is another than its photo's ("a.heic.jpg")."""
    stem = stem.casefold()
    if hash(stem) in seen:
        return True
    before = stem.rpartition(".")[0]
    return "." in before and hash(before) in seen and is_photo(before)


def _batches(lines: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
