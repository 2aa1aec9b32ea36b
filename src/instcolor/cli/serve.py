"""`instcolor serve`: the page and the HTTP API."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import DETECTOR, MODEL
from .options import DETECTOR_METAVAR, Model, NoFaces, pixels, unfolded

if TYPE_CHECKING:
    from ..web.limits import Settings

MISSING = "the page needs more packages: pip install 'instcolor[serve]'"


@dataclass(frozen=True)
class Options:
    """What the server is started with."""

    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000
    host: Annotated[str, typer.Option(help="Address to listen on; another one needs --allow-others.")] = "127.0.0.1"
    allow_others: Annotated[bool, typer.Option("--allow-others", help="Let other machines reach the server.")] = False
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="A name under which the server may be asked, beside localhost.")
    ] = None
    model: Model = MODEL
    detector: Annotated[str, typer.Option(metavar=DETECTOR_METAVAR, help="What finds the objects.")] = DETECTOR
    no_faces: NoFaces = False
    workers: Annotated[int | None, typer.Option(help="Photos at a time.", min=1)] = None
    threads: Annotated[int | None, typer.Option(help="Threads for each photo.", min=1)] = None
    max_megapixels: Annotated[float, typer.Option(help="Largest photo.", min=0.01)] = 100.0
    max_megabytes: Annotated[int, typer.Option(help="Largest request.", min=1)] = 512
    keep_minutes: Annotated[float, typer.Option(help="How long photos are kept.", min=0.1)] = 15.0
    queue: Annotated[int, typer.Option(help="Photos that may wait.", min=1)] = 16
    worker_memory: Annotated[int, typer.Option(help="Megabytes of memory for each photo.", min=512)] = 6144

    def settings(self) -> Settings:
        """Raises ValueError for more threads than there are cores."""
        from ..web.limits import MEGABYTE, Limits, Settings, shared_cores

        workers, threads = shared_cores(self.workers, self.threads)
        limits = Limits(
            pixels=pixels(self.max_megapixels),
            body_bytes=self.max_megabytes * MEGABYTE,
            store_bytes=max(self.max_megabytes * MEGABYTE, Limits.store_bytes),
            keep_seconds=self.keep_minutes * 60,
            queue=self.queue,
            memory_bytes=self.worker_memory * MEGABYTE,
        )
        return Settings(
            host=self.host,
            port=self.port,
            hosts=tuple(self.allowed_host or ()),
            workers=workers,
            threads=threads,
            model=self.model,
            detector=self.detector,
            faces=not self.no_faces,
            limits=limits,
        )


@unfolded
def serve(options: Options) -> None:
    """Serve the page and the HTTP API, for this machine alone unless told otherwise."""
    try:
        from ..web.serving import is_loopback, serve
    except ImportError as error:
        raise typer.BadParameter(f"{MISSING} ({error.name or error})") from error
    host = options.host
    if not is_loopback(host):
        if not options.allow_others:
            raise typer.BadParameter(f"{host} can be reached by other machines; --allow-others if that is meant")
        print(
            f"WARNING: {host} can be reached by other machines. There is no password and no encryption: everybody who\n"
            "reaches it can use it. Put a proxy with TLS and a login before it if the network is not yours.",
            file=sys.stderr,
        )
    try:
        settings = options.settings()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    raise typer.Exit(serve(settings))
