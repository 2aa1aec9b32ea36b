"""No more connections at a time than the server is meant for."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from ..problems import Problem


class ConnectionLimit:
    """Raises Problem 503 while there are more than `most`; `connections` tells how many there are."""

    def __init__(self, app: ASGIApp, most: int, connections: Callable[[], int]):
        self._app, self._most, self._connections = app, most, connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._connections() > self._most:
            sentence = "Too many are connected at this moment; try again soon."
            raise Problem(503, "crowded", sentence, retry_after=2, close=True)
        await self._app(scope, receive, send)
