"""The HTTP API: photos in, colors out. Every route says in its docstring what it is for; `openapi.json` shows them."""

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
from .forms import parsed, read_form
from .messages import (
    Alternatives,
    Borrow,
    Borrowed,
    Colorize,
    Detect,
    Detected,
    FindAlternatives,
    LookAt,
    Suggest,
    Suggested,
)
from .problems import CLIENT_GONE, Problem
from .schemas import AlternativesRequest, Coordinate, Format, LookRequest, Options, PaintOptions
from .service import Service, file_of, looked_at
from .store import Entry

router = APIRouter()
Answer = TypeVar("Answer")
WATCH_SECONDS = 0.2


def service_of(request: Request) -> Service:
    """The service of the application that a request is made to."""
    service: Service = request.app.state.service
    return service


def owner_of(request: Request) -> str:
    """Whose photos a request may see, as the middleware has found."""
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
    """The result of `work`, which is canceled when the client leaves."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=WATCH_SECONDS)
            if not task.done() and await request.is_disconnected():
                raise Problem(CLIENT_GONE, "gone", "The client has left.")
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


async def forget(service: Service, entry: Entry) -> None:
    """Deletes a photo that was only passing through. Not in a thread: the store belongs to the event loop."""
    service.store.remove(entry)


IMAGES: dict[int | str, dict[str, Any]] = {200: {"content": {kind: {} for kind in names.MEDIA_TYPES.values()}}}


@router.get("/healthz")
async def health(request: Request) -> dict[str, str]:
    """Whether the server is well."""
    return {"status": "stopping" if service_of(request).closing.is_set() else "ok", "version": __version__}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Counters for Prometheus."""
    service = service_of(request)
    gauges = (
        ("queue_waiting", "Photos that wait for a worker.", service.pool.waiting),
        ("workers_busy", "Workers that have a photo.", service.pool.running),
        ("photos_kept", "Photos in the private folder.", len(service.store)),
        ("store_bytes", "Bytes in the private folder.", service.store.bytes),
    )
    return PlainTextResponse(service.metrics.text(gauges), media_type="text/plain; version=0.0.4")


@router.get("/api/models")
async def models(request: Request) -> dict[str, Any]:
    """The models at hand, which one is used, and the limits of this server."""
    settings = service_of(request).settings
    try:
        entries = [registry.find(name) for name in registry.names()]
        known = [{"name": m.name, "summary": m.summary, "license": m.license} for m in entries if not m.is_finder]
    except InstcolorError:
        known = []
    limits = settings.limits
    shown = {name: getattr(limits, name) for name in ("body_bytes", "files", "pixels", "queue", "keep_seconds")}
    return {"models": known, "used": settings.model, "detector": settings.detector != "none", "limits": shown}


@router.post("/api/colorize", openapi_extra=form_body(1), responses=IMAGES, response_class=Response)
async def colorize(request: Request) -> Response:
    """One photo in color, at once: the image, or with `Accept: application/json` its objects and links."""
    service = service_of(request)
    async with read_form(request, service.store, service.settings.limits, most=1) as form:
        options = parsed(Options, form.options)
        as_json = "application/json" in request.headers.get("accept", "")
        ((name, path),) = form.photos
        entry = service.store.add(owner_of(request), name)
        path.rename(entry.folder / "original")
    try:
        if not as_json:
            task = Colorize(folder=entry.folder, options=options, name="result")
            painted = await while_there(request, service.work(task))
            return download(entry.folder / "result", name, painted.format, forget, service, entry)
        look = LookRequest(objects=options.objects, hints=options.hints)
        entry.looked = await while_there(request, service.work(LookAt(folder=entry.folder, request=look)))
    except BaseException:
        service.store.remove(entry)
        raise
    entry.status, entry.version = "done", 1
    return JSONResponse(service.state(entry))


@router.post("/api/detect", openapi_extra=form_body(1, None))
async def detect(request: Request) -> Detected:
    """The objects that the server's detector finds in a photo; none where it has no detector."""
    service = service_of(request)
    async with read_form(request, service.store, service.settings.limits, most=1) as form:
        ((name, path),) = form.photos
        entry = service.store.add(owner_of(request), name)
        path.rename(entry.folder / "original")
    try:
        return await while_there(request, service.work(Detect(folder=entry.folder)))
    finally:
        service.store.remove(entry)


@router.post("/api/photos", status_code=202, openapi_extra=form_body(20))
async def add_photos(request: Request) -> dict[str, Any]:
    """Several photos into the queue; `GET /api/photos` or `/api/events` tell how far they are."""
    service = service_of(request)
    async with read_form(request, service.store, service.settings.limits, most=service.settings.limits.files) as form:
        options = parsed(Options, form.options)
        entries = service.take(owner_of(request), form.photos, options)
    return {"photos": [service.state(entry) for entry in entries]}


@router.get("/api/photos")
async def list_photos(request: Request) -> dict[str, Any]:
    """The client's own photos (by its cookie)."""
    service = service_of(request)
    return {"photos": [service.state(entry) for entry in service.store.of(owner_of(request))]}


def entry_of(request: Request, id: str) -> Entry:
    """The photo of that id, if it is the requester's. Raises Problem (404)."""
    return service_of(request).store.get(owner_of(request), id)


@router.get("/api/photos/{id}")
async def show_photo(request: Request, id: str) -> dict[str, Any]:
    """How far a photo is, and what was found in it."""
    return service_of(request).state(entry_of(request, id))


@router.delete("/api/photos/{id}", status_code=204, response_class=Response)
async def remove_photo(request: Request, id: str) -> Response:
    """Deletes a photo and all that was made of it; what runs for it is stopped."""
    service_of(request).remove(entry_of(request, id))
    return Response(status_code=204)


@router.post("/api/photos/{id}/look", status_code=202)
async def look_again(request: Request, id: str, wanted: LookRequest) -> dict[str, Any]:
    """Runs the networks again with other objects and hints."""
    service, entry = service_of(request), entry_of(request, id)
    service.look_again(entry, wanted)
    return service.state(entry)


@router.get("/api/photos/{id}/gray", response_class=FileResponse)
async def gray(request: Request, id: str) -> FileResponse:
    """The photo in gray at preview size."""
    path = file_of(entry_of(request, id), "gray.jpg")
    return FileResponse(path, media_type="image/jpeg", filename="gray.jpg", content_disposition_type="inline")


@router.get("/api/photos/{id}/planes", response_class=FileResponse)
async def planes(request: Request, id: str) -> FileResponse:
    """ab of the styles faithful, natural, vivid (two each) and the confidence: (h, w, 7) little-endian int16, 1/128."""
    return FileResponse(
        file_of(entry_of(request, id), "planes"), media_type="application/octet-stream", filename="planes"
    )


@router.get("/api/photos/{id}/layer", response_class=FileResponse)
async def layer(request: Request, id: str) -> FileResponse:
    """Colors of objects and spots at preview size: (h, w, 3) bytes, share times 255, a* + 128, b* + 128 times it."""
    path = file_of(entry_of(request, id), "layer")
    return FileResponse(path, media_type="application/octet-stream", filename="layer")


@router.get("/api/photos/{id}/result", responses=IMAGES, response_class=FileResponse)
async def result(request: Request, id: str, options: Annotated[PaintOptions, Query()]) -> FileResponse:
    """The photo in color, full size, in the format it came in."""
    service, entry = service_of(request), entry_of(request, id)
    path, format = await while_there(request, service.paint(entry, options))
    return download(path, entry.name, format)


@router.get("/api/photos/{id}/colors")
async def colors(
    request: Request,
    id: str,
    x: Annotated[float, Query(ge=0, le=1e6)] = 0,
    y: Annotated[float, Query(ge=0, le=1e6)] = 0,
    item: Annotated[int | None, Query(alias="object", ge=0, le=1000)] = None,
    box: Annotated[list[Coordinate] | None, Query(min_length=4, max_length=4)] = None,
) -> Suggested:
    """Colors that are likely at a spot, for an object, or over a box (x0, y0, x1, y1): a*, b*, share."""
    service, entry = service_of(request), entry_of(request, id)
    looked = looked_at(entry)
    if item is not None and item >= len(looked.objects):
        raise Problem(422, "invalid", f"object: there are {len(looked.objects)} objects")
    if item is not None:
        region = looked.objects[item].box
    elif box is not None:
        region = (box[0], box[1], box[2], box[3])
    else:
        region = (x, y, x, y)
    return await while_there(request, service.work(Suggest(folder=entry.folder, size=looked.size, region=region)))


@router.post("/api/photos/{id}/alternatives")
async def alternatives(request: Request, id: str, wanted: AlternativesRequest) -> Alternatives:
    """Other plausible colorings: hints [x, y, a, b], which `look` takes, and small pictures (JPEG in base64).

    `first` is the picture without any of them.
    """
    service, entry = service_of(request), entry_of(request, id)
    task = FindAlternatives(folder=entry.folder, objects=looked_at(entry).objects, request=wanted)
    return await while_there(request, service.work(task))


@router.post("/api/photos/{id}/reference", openapi_extra=form_body(1, None))
async def reference(request: Request, id: str) -> Borrowed:
    """The colors of a reference photograph as hints [x, y, a, b] for this photo."""
    service, entry = service_of(request), entry_of(request, id)
    async with read_form(request, service.store, service.settings.limits, most=1) as form:
        form.photos[0][1].rename(entry.folder / "reference")
    looked_at(entry)
    return await while_there(request, service.work(Borrow(folder=entry.folder)))
