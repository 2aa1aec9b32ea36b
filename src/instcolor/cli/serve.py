"""`instcolor serve`: the page and the HTTP API."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..models.registry import DEFAULT
from .options import BUILTIN, DETECTOR_METAVAR

MISSING = "the page needs more packages: pip install 'instcolor[serve]'"


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on; another one needs --allow-others.")] = "127.0.0.1",
    allow_others: Annotated[bool, typer.Option("--allow-others", help="Let other machines reach the server.")] = False,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="A name under which the server may be asked, beside localhost.")
    ] = None,
    model: Annotated[str, typer.Option(help="Name of the model.")] = DEFAULT,
    detector: Annotated[str, typer.Option(metavar=DETECTOR_METAVAR, help="What finds the objects.")] = BUILTIN,
    workers: Annotated[int | None, typer.Option(help="Photos at a time.", min=1)] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for each photo.", min=1)] = None,
    max_megapixels: Annotated[float, typer.Option(help="Largest photo.", min=0.01)] = 50.0,
    max_megabytes: Annotated[int, typer.Option(help="Largest request.", min=1)] = 64,
    keep_minutes: Annotated[float, typer.Option(help="How long photos are kept.", min=0.1)] = 15.0,
    queue: Annotated[int, typer.Option(help="Photos that may wait.", min=1)] = 16,
    worker_memory: Annotated[int, typer.Option(help="Megabytes of memory for each photo.", min=512)] = 4096,
) -> None:
    """Serve the page and the HTTP API, for this machine alone unless told otherwise."""
    try:
        from ..web.limits import MEGABYTE, Limits, Settings, shared_cores
        from ..web.serving import is_loopback, serve
    except ImportError as error:
        raise typer.BadParameter(f"{MISSING} ({error.name or error})") from error
    if not is_loopback(host):
        if not allow_others:
            raise typer.BadParameter(f"{host} can be reached by other machines; --allow-others if that is meant")
        print(
            f"WARNING: {host} can be reached by other machines. There is no password and no encryption: everybody who\n"
            "reaches it can use it. Put a proxy with TLS and a login before it if the network is not yours.",
            file=sys.stderr,
        )
    try:
        workers, threads = shared_cores(workers, threads)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    limits = Limits(
        pixels=int(max_megapixels * 1e6),
        body_bytes=max_megabytes * MEGABYTE,
        store_bytes=max(max_megabytes * MEGABYTE, Limits.store_bytes),
        keep_seconds=keep_minutes * 60,
        queue=queue,
        memory_bytes=worker_memory * MEGABYTE,
    )
    settings = Settings(
        host=host,
        port=port,
        hosts=tuple(allowed_host or ()),
        workers=workers,
        threads=threads,
        model=model,
        detector=detector,
        limits=limits,
    )
    raise typer.Exit(serve(settings))
