"""Every limit of the server, with its default. The owner of the machine may raise them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..cores import core_count

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What the server accepts, and for how long it waits and keeps."""

    body_bytes: int = 512 * MEGABYTE
    """Of one request, counted while it comes in."""
    json_bytes: int = 1 * MEGABYTE
    """Of one request without photos."""
    files: int = 20
    """Photos in one request."""
    fields: int = 20
    """Fields beside the photos in one request."""
    field_bytes: int = 64 * 1024
    """Of one such field."""
    pixels: int = 100_000_000
    """Of one photo, read from its header before it is decoded."""
    memory_bytes: int = 6144 * MEGABYTE
    """Address space of one worker process."""
    decode_seconds: float = 60.0
    job_seconds: float = 180.0
    queue: int = 16
    """Photos that wait for a worker."""
    keep_seconds: float = 15 * 60.0
    """From upload on; then a photo and all that was made of it are deleted."""
    store_bytes: int = 4096 * MEGABYTE
    """Of all photos and results together; the oldest go first."""
    connections: int = 100
    header_seconds: float = 10.0
    body_seconds: float = 120.0
    stop_seconds: float = 30.0
    """After SIGTERM, for what is running."""


@dataclass(frozen=True)
class Settings:
    """What a server is started with."""

    host: str = "127.0.0.1"
    port: int = 8000
    hosts: tuple[str, ...] = ()
    """Names beside the loopback ones under which the server may be asked."""
    workers: int = 1
    threads: int = 1
    """Of each worker."""
    model: str = "lite"
    detector: str = "builtin"
    faces: bool = True
    colorizer: str = "instcolor.web.worker:standard_colorizer"
    """`module:function` that makes a worker's Colorizer from model, detector, threads, pixels and faces."""
    limits: Limits = field(default_factory=Limits)


def shared_cores(workers: int | None, threads: int | None) -> tuple[int, int]:
    """(workers, threads of each) with workers x threads <= cores; ValueError where a wish exceeds them."""
    cores = core_count()
    workers = workers or (1 if threads else max(1, cores // 4))
    threads = threads or max(1, cores // workers)
    if workers < 1 or threads < 1 or workers * threads > max(cores, workers):
        raise ValueError(f"{workers} workers with {threads} threads each are more than the {cores} cores")
    return workers, threads
