"""Only the server's own page may have something done: against forms and scripts of pages elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ..problems import Problem

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class OwnOrigin:
    """Raises Problem 403 where a writing request comes from another page."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in READING:
            headers = Headers(scope=scope)
            origin, site = headers.get("origin"), headers.get("sec-fetch-site")
            foreign = origin is not None and urlsplit(origin).netloc.lower() != headers["host"].lower()
            if foreign or site not in (None, "same-origin"):
                raise Problem(403, "wrong_origin", "Only this server's own page may ask for that.")
        await self._app(scope, receive, send)
