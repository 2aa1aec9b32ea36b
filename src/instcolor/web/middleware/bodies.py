"""What comes in is counted and timed while it comes in, whatever its headers say."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..limits import Limits
from ..problems import Problem


class BodySize:
    """Raises Problem 413 past the limit: of a form that carries photos one, of everything else another."""

    def __init__(self, app: ASGIApp, limits: Limits):
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        form = headers.get("content-type", "").lower().startswith("multipart/form-data")
        allowed = self._limits.body_bytes if form else self._limits.json_bytes
        too_large = Problem(413, "too_large", f"A request may have at most {allowed:,} bytes.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > allowed:
            raise too_large
        received = 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > allowed:
                raise too_large
            return message

        await insisting(self._app, scope, receiving, send)


class BodyTime:
    """Raises Problem 408 where a body is not complete in time."""

    def __init__(self, app: ASGIApp, seconds: float):
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline, complete = asyncio.get_running_loop().time() + self._seconds, False

        async def receiving() -> Message:
            nonlocal complete
            try:
                async with asyncio.timeout_at(None if complete else deadline):
                    message = await receive()
            except TimeoutError:
                raise Problem(408, "too_slow", "The request took too long to arrive.") from None
            complete = complete or not message.get("more_body", False)
            return message

        await insisting(self._app, scope, receiving, send)


async def insisting(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Runs an application; a Problem that `receive` has raised is raised whatever the application makes of it."""
    verdict: Problem | None = None
    started = False

    async def receiving() -> Message:
        nonlocal verdict
        try:
            return await receive()
        except Problem as problem:
            verdict = problem
            raise

    async def sending(message: Message) -> None:
        nonlocal started
        if verdict is None or started:
            started = True
            await send(message)

    try:
        await app(scope, receiving, sending)
    except Exception:
        if verdict is None:
            raise
    if verdict is not None and not started:
        raise verdict
