"""Problems become answers, after what the client is still sending, or it would see a broken connection instead."""

from __future__ import annotations

import asyncio
import logging

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import Problem, broken

DRAIN_SECONDS = 3.0
log = logging.getLogger("instcolor.web")


class Refusals:
    """Answers a Problem that nobody inside has answered, and any other exception with 500; the log tells of that."""

    def __init__(self, app: ASGIApp, drained_bytes: int):
        self._app, self._drained_bytes = app, drained_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = body_complete = False

        async def receiving() -> Message:
            nonlocal body_complete
            message = await receive()
            body_complete = body_complete or not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receiving, sending)
            return
        except Problem as refusal:
            problem = refusal
        except Exception:
            log.exception("a request failed")
            problem = broken()
        if started:
            return
        if not body_complete and "expect" not in Headers(scope=scope):
            await self._drain(receive)
        await problem.response()(scope, receive, send)

    async def _drain(self, receive: Receive) -> None:
        room = self._drained_bytes
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while room > 0:
                    message = await receive()
                    room -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return
