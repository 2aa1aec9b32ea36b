"""Puts the application together: page, API, middleware, and the life of the service behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from .. import __version__
from . import api, streams
from .document import describe
from .forms import invalid
from .limits import Settings
from .middleware import guarded
from .problems import Problem, broken
from .service import Service

ROUTERS = (api.router, streams.router)
STATIC = Path(__file__).parent / "static"
ABOUT = "Old black-and-white photographs in color, object by object. The colors are a plausible guess, not a record."


def create_app(settings: Settings) -> tuple[ASGIApp, Service]:
    """The whole application, and the service behind it."""
    service = Service(settings)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        tidy = asyncio.create_task(service.keep_tidy())
        yield
        tidy.cancel()
        await service.close()

    # no pages with somebody else's scripts: `docs` is our own
    app = FastAPI(
        title="instcolor",
        version=__version__,
        description=ABOUT,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(Exception, on_error)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.get("/", include_in_schema=False)(page)
    app.get("/docs", include_in_schema=False)(docs)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    describe(app.openapi())
    return guarded(app, settings, service.metrics, lambda: service.connections()), service


async def page() -> FileResponse:
    """The page."""
    return FileResponse(STATIC / "index.html", media_type="text/html")


async def docs() -> FileResponse:
    """The page that shows the OpenAPI document."""
    return FileResponse(STATIC / "docs.html", media_type="text/html")


async def on_error(request: Request, error: Exception) -> Response:
    """Nothing of what went wrong inside; the middleware writes it to the log."""
    return broken().response()


async def on_problem(request: Request, error: Exception) -> Response:
    """The answer to a `Problem` that a route raised."""
    assert isinstance(error, Problem)
    return error.response()


async def on_http(request: Request, error: Exception) -> Response:
    """The answer where there is no route, or none for the method."""
    assert isinstance(error, HTTPException)
    response = Problem(error.status_code, "http", str(error.detail)).response()
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(allowed_methods(request))
    return response


async def on_invalid(request: Request, error: Exception) -> Response:
    """The answer to what does not fit the schemas."""
    assert isinstance(error, RequestValidationError)
    return invalid(error.errors()).response()


def allowed_methods(request: Request) -> list[str]:
    """What may be done at the address of a request."""
    known = [route for holder in (*ROUTERS, request.app.router) for route in holder.routes if isinstance(route, Route)]
    fitting = [route for route in known if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in fitting for method in route.methods or ()} or {"GET"}  # of files
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)
