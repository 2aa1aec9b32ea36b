"""The HTTP API: photos in, colours out. Every route says in its docstring what it is for; `openapi.json` shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.background import BackgroundTask

from .. import __version__
from ..errors import InstcolorError
from ..models import registry
from . import names
from .desk import Desk, file_of
from .forms import parsed, read_form
from .problems import Problem
from .schemas import Coordinate, Format, Look, Options, Paint, Vary
from .store import Entry

router = APIRouter()
Answer = TypeVar("Answer")
WATCH_SECONDS = 0.2


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def owner_of(request: Request) -> str:
    owner: str = request.state.owner
    return owner


def form_body(most: int, options: str | None = "Options") -> dict[str, Any]:
    """The request body of a form for the OpenAPI document, which cannot be read off a streamed form."""
    photo: dict[str, Any] = {"type": "string", "format": "binary"}
    fields: dict[str, Any] = {"photo": photo if most == 1 else {"type": "array", "items": photo, "maxItems": most}}
    if options:
        fields["options"] = {"$ref": f"#/components/schemas/{options}"}
    schema = {"type": "object", "properties": fields, "required": ["photo"], "additionalProperties": False}
    encoding = {"encoding": {"options": {"contentType": "application/json"}}} if options else {}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema, **encoding}}}}


async def while_there(request: Request, work: Coroutine[Any, Any, Answer]) -> Answer:
    """The result of `work`, which is cancelled when the client leaves."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=WATCH_SECONDS)
            if not task.done() and await request.is_disconnected():
                raise Problem(499, "gone", "The client has left.")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def download(path: Path, name: str, format: Format | str, *after: Any) -> FileResponse:
    """A painted photo, deleted after it has been sent."""
    headers = {"Content-Disposition": names.disposition(names.colored(name, format))}
    task = BackgroundTask(*after) if after else BackgroundTask(path.unlink, True)
    return FileResponse(path, headers=headers, media_type=names.MEDIA_TYPES[format], background=task)


async def forget(desk: Desk, entry: Entry) -> None:
    """Deletes a photo that was only passing through. Not in a thread: the store belongs to the event loop."""
    desk.store.remove(entry)


IMAGES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in names.MEDIA_TYPES.values()}}}


@router.get("/healthz")
async def health(request: Request) -> dict[str, str]:
    """Whether the server is well."""
    return {"status": "stopping" if desk_of(request).closing.is_set() else "ok", "version": __version__}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Counters for Prometheus."""
    desk = desk_of(request)
    gauges = (
        ("queue_waiting", "Photos that wait for a worker.", desk.pool.waiting),
        ("workers_busy", "Workers that have a photo.", desk.pool.running),
        ("photos_kept", "Photos in the private folder.", len(desk.store)),
        ("store_bytes", "Bytes in the private folder.", desk.store.bytes),
    )
    return PlainTextResponse(desk.metrics.text(gauges), media_type="text/plain; version=0.0.4")


@router.get("/api/models")
async def models(request: Request) -> dict[str, Any]:
    """The models at hand, which one is used, and the limits of this server."""
    settings = desk_of(request).settings
    try:
        entries = [registry.find(name) for name in registry.names()]
        known = [{"name": m.name, "summary": m.summary, "license": m.license} for m in entries if not m.is_detector]
    except InstcolorError:
        known = []
    limits = settings.limits
    shown = {name: getattr(limits, name) for name in ("body_bytes", "files", "pixels", "queue", "keep_seconds")}
    return {"models": known, "used": settings.model, "detector": settings.detector != "none", "limits": shown}


@router.post("/api/colorize", openapi_extra=form_body(1), responses=IMAGES, response_class=Response)
async def colorize(request: Request) -> Response:
    """One photo in colour, at once: the image, or with `Accept: application/json` its objects and links."""
    desk = desk_of(request)
    async with read_form(request, desk, most=1) as form:
        options = parsed(Options, form.options)
        as_json = "application/json" in request.headers.get("accept", "")
        ((name, path),) = form.photos
        entry = desk.store.add(owner_of(request), name)
        path.rename(entry.folder / "original")
    try:
        task: dict[str, Any] = {"do": "color", "folder": str(entry.folder), "look": options.look()}
        if not as_json:
            task["paint"] = {**options.paint(desk.settings.model), "name": "result"}
        facts = await while_there(request, desk.work(task))
    except BaseException:
        desk.store.remove(entry)
        raise
    if not as_json:
        format = facts["painted"]["format"]
        return download(entry.folder / "result", name, format, forget, desk, entry)
    entry.facts, entry.status, entry.version = facts, "done", 1
    return JSONResponse(desk.state(entry))


@router.post("/api/detect", openapi_extra=form_body(1, None))
async def detect(request: Request) -> dict[str, Any]:
    """The objects that the server's detector finds in a photo; none where it has no detector."""
    desk = desk_of(request)
    async with read_form(request, desk, most=1) as form:
        ((name, path),) = form.photos
        entry = desk.store.add(owner_of(request), name)
        path.rename(entry.folder / "original")
    try:
        return await while_there(request, desk.work({"do": "detect", "folder": str(entry.folder)}))
    finally:
        desk.store.remove(entry)


@router.post("/api/photos", status_code=202, openapi_extra=form_body(20))
async def add_photos(request: Request) -> dict[str, Any]:
    """Several photos into the queue; `GET /api/photos` or `/api/events` tell how far they are."""
    desk = desk_of(request)
    async with read_form(request, desk, most=desk.settings.limits.files) as form:
        options = parsed(Options, form.options)
        entries = desk.take(owner_of(request), form.photos, options.look())
    return {"photos": [desk.state(entry) for entry in entries]}


@router.get("/api/photos")
async def list_photos(request: Request) -> dict[str, Any]:
    """The client's own photos (by its cookie)."""
    desk = desk_of(request)
    return {"photos": [desk.state(entry) for entry in desk.store.of(owner_of(request))]}


def entry_of(request: Request, id: str) -> Entry:
    return desk_of(request).store.get(owner_of(request), id)


@router.get("/api/photos/{id}")
async def show_photo(request: Request, id: str) -> dict[str, Any]:
    """How far a photo is, and what was found in it."""
    return desk_of(request).state(entry_of(request, id))


@router.delete("/api/photos/{id}", status_code=204, response_class=Response)
async def remove_photo(request: Request, id: str) -> Response:
    """Deletes a photo and all that was made of it; what runs for it is stopped."""
    desk_of(request).remove(entry_of(request, id))
    return Response(status_code=204)


@router.post("/api/photos/{id}/look", status_code=202)
async def look_again(request: Request, id: str, wish: Look) -> dict[str, Any]:
    """Runs the networks again with other objects and hints."""
    desk, entry = desk_of(request), entry_of(request, id)
    desk.look_again(entry, wish.look())
    return desk.state(entry)


@router.get("/api/photos/{id}/gray", response_class=FileResponse)
async def gray(request: Request, id: str) -> FileResponse:
    """The photo in grey at preview size."""
    path = file_of(entry_of(request, id), "gray.jpg")
    return FileResponse(path, media_type="image/jpeg", filename="gray.jpg", content_disposition_type="inline")


@router.get("/api/photos/{id}/planes", response_class=FileResponse)
async def planes(request: Request, id: str) -> FileResponse:
    """ab of the styles faithful, natural, vivid (two each) and the confidence: (h, w, 7) little-endian int16, 1/128."""
    return FileResponse(
        file_of(entry_of(request, id), "planes"), media_type="application/octet-stream", filename="planes"
    )


@router.get("/api/photos/{id}/result", responses=IMAGES, response_class=FileResponse)
async def result(request: Request, id: str, paint: Annotated[Paint, Query()]) -> FileResponse:
    """The photo in colour, full size, in the format it came in."""
    desk, entry = desk_of(request), entry_of(request, id)
    path, format = await while_there(request, desk.paint(entry, paint.paint(desk.settings.model)))
    return download(path, entry.name, format)


@router.get("/api/photos/{id}/colors")
async def colors(
    request: Request,
    id: str,
    x: Annotated[float, Query(ge=0, le=1e6)] = 0,
    y: Annotated[float, Query(ge=0, le=1e6)] = 0,
    item: Annotated[int | None, Query(alias="object", ge=0, le=1000)] = None,
    box: Annotated[list[Coordinate] | None, Query(min_length=4, max_length=4)] = None,
) -> dict[str, Any]:
    """Colours that are likely at a spot, for an object, or over a box (x0, y0, x1, y1): a*, b*, share."""
    desk, entry = desk_of(request), entry_of(request, id)
    objects = entry.facts.get("objects", [])
    if item is not None and item >= len(objects):
        raise Problem(422, "invalid", f"object: there are {len(objects)} objects")
    box = box if item is None else objects[item]["box"]
    return await while_there(request, desk.ask(entry, {"do": "offer", "spot": [x, y], "box": box}))


@router.post("/api/photos/{id}/alternatives")
async def alternatives(request: Request, id: str, wish: Vary) -> dict[str, Any]:
    """Other plausible colourings: hints [x, y, a, b], which `look` takes, and small pictures (JPEG in base64).

    `first` is the picture without any of them.
    """
    desk, entry = desk_of(request), entry_of(request, id)
    return await while_there(request, desk.ask(entry, {"do": "vary", **wish.vary()}))


@router.post("/api/photos/{id}/reference", openapi_extra=form_body(1, None))
async def reference(request: Request, id: str) -> dict[str, Any]:
    """The colours of a reference photograph as hints [x, y, a, b] for this photo."""
    desk, entry = desk_of(request), entry_of(request, id)
    async with read_form(request, desk, most=1) as form:
        form.photos[0][1].rename(entry.folder / "reference")
    return await while_there(request, desk.ask(entry, {"do": "borrow"}))
