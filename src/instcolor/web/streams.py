"""The two answers that take a while: server-sent events, and all results in one ZIP file."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from . import names
from .api import entry_of, owner_of, service_of, while_there
from .schemas import ArchiveRequest
from .service import Service

router = APIRouter()
HEARTBEAT_SECONDS = 15.0


@router.get("/api/events", response_class=StreamingResponse)
async def events(request: Request) -> StreamingResponse:
    """Server-sent events: `photo` with the state of a photo, whenever it changes."""
    stream = changes(service_of(request), owner_of(request))
    return StreamingResponse(stream, media_type="text/event-stream")


async def changes(service: Service, owner: str) -> AsyncIterator[str]:
    """All photos as they are now, then every change, until the server stops."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    end = service.subscribe(owner, queue.put_nowait)
    closing = asyncio.create_task(service.closing.wait())
    try:
        yield "retry: 2000\n\n"
        for entry in service.store.of(owner):
            yield _event(service.state(entry))
        while not closing.done():
            following = asyncio.create_task(queue.get())
            await asyncio.wait({following, closing}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                yield _event(following.result())
            else:
                following.cancel()
                yield ": still here\n\n"
    finally:
        closing.cancel()
        end()


@router.post("/api/archive", response_class=FileResponse)
async def archive(request: Request, wanted: ArchiveRequest) -> FileResponse:
    """Several photos in color as one ZIP file, each painted as it says."""
    service = service_of(request)
    path = service.store.incoming()
    try:
        await while_there(request, _fill(request, service, wanted, path))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    headers = {"Content-Disposition": names.disposition("instcolor.zip")}
    task = BackgroundTask(path.unlink, True)
    return FileResponse(path, headers=headers, media_type="application/zip", background=task)


async def _fill(request: Request, service: Service, wanted: ArchiveRequest, path: Path) -> None:
    entries = [(entry_of(request, item.id), item) for item in wanted.photos]
    taken: set[str] = set()
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as target:  # the photos are compressed already
        for entry, item in entries:
            result, format = await service.paint(entry, item)
            name = _free(names.colored(entry.name, format), taken)
            await run_in_threadpool(target.write, result, name)
            result.unlink(missing_ok=True)


def _free(name: str, taken: set[str]) -> str:
    """The name, or the name with a number where two photos are called alike (on any file system)."""
    stem, dot, suffix = name.rpartition(".")
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{stem} ({number}){dot}{suffix}"
    taken.add(free.lower())
    return free


def _event(state: dict[str, Any]) -> str:
    return f"event: photo\ndata: {json.dumps(state)}\n\n"
