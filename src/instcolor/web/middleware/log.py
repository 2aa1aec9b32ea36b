"""One line of JSON for each request, and its count: no query, no names, nothing of the photo."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..metrics import Metrics
from ..problems import CLIENT_GONE

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
log = logging.getLogger("instcolor.web")


class RequestLog:
    """Writes the line and counts the request when its answer is sent, or its client gone."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status, received, sent = time.monotonic(), CLIENT_GONE, 0, 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            sent += len(message.get("body", b""))
            await send(message)

        await self._app(scope, receiving, sending)
        method: str = scope["method"]
        self._metrics.requests[method if method in METHODS else "other", status] += 1
        route = getattr(scope.get("route"), "path", "-")
        facts: dict[str, Any] = {"method": method, "route": route, "status": status}
        facts |= {"ms": round((time.monotonic() - begin) * 1000), "in": received, "out": sent}
        log.info(json.dumps(facts))
