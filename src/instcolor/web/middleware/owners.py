"""Tells clients apart by a random cookie: whose photos are whose."""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "instcolor"
OWNER_BYTES = 16


class Owners:
    """Puts the owner into `request.state.owner`, and gives a new client its cookie."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = owner_of(Headers(scope=scope))
        owner = known or secrets.token_urlsafe(OWNER_BYTES)
        scope.setdefault("state", {})["owner"] = owner
        wants_cookie = known is None and (scope["path"] == "/" or scope["path"].startswith("/api/"))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and wants_cookie:
                cookie = f"{COOKIE}={owner}; Path=/; HttpOnly; SameSite=Strict"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, sending)


def owner_of(headers: Headers) -> str | None:
    """The client's cookie, where it is one of ours by its looks."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    value = morsel.value if morsel else ""
    return value if 20 <= len(value) <= 30 and value.replace("-", "").replace("_", "").isalnum() else None
