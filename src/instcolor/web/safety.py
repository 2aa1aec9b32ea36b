"""What every request passes first: host, origin, size, time; and what every answer carries."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .limits import Settings
from .metrics import Metrics
from .problems import Problem

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE = "instcolor"
OWNER_BYTES = 16
DRAIN_SECONDS = 3.0
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
log = logging.getLogger("instcolor.web")


class Gate:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, connections: Callable[[], int]):
        self._app, self._limits, self._metrics, self._connections = app, settings.limits, metrics, connections
        self._hosts = LOOPBACK | {name.lower() for name in settings.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = Passage(self._limits.body_seconds, scope, receive, send)
        try:
            self._check(passage)
            await self._app(scope, passage.receive, passage.send)
        except Problem as problem:
            passage.verdict = passage.verdict or problem
        except Exception:
            log.exception("a request failed")
            passage.verdict = passage.verdict or Problem(500, "broken", "Something went wrong on the server.")
        if passage.verdict and not passage.started:
            await passage.answer(passage.verdict)
        status = passage.status or 499  # nobody was there any more to be answered
        self._metrics.requests[scope["method"] if scope["method"] in _METHODS else "other", status] += 1
        log.info(passage.line(status))

    def _check(self, passage: Passage) -> None:
        """Raises Problem where a request is not for this server, not from its page, or too large."""
        headers = passage.headers
        multipart = headers.get("content-type", "").lower().startswith("multipart/form-data")
        passage.allowed = self._limits.body_bytes if multipart else self._limits.json_bytes
        if self._connections() > self._limits.connections:
            sentence = "Too many are connected at this moment; try again soon."
            raise Problem(503, "crowded", sentence, retry_after=2, close=True)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or host_name(hosts[0]) not in self._hosts:
            raise Problem(421, "wrong_host", "This server does not answer to that name.")
        if passage.method not in READING:
            origin, site = headers.get("origin"), headers.get("sec-fetch-site")
            foreign = origin is not None and urlsplit(origin).netloc.lower() != hosts[0].lower()
            if foreign or site not in (None, "same-origin"):
                raise Problem(403, "wrong_origin", "Only this server's own page may ask for that.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > passage.allowed:
            raise passage.too_large()


class Passage:
    """One request on its way through the gate."""

    def __init__(self, seconds: float, scope: Scope, receive: Receive, send: Send):
        self._scope, self._receive, self._send = scope, receive, send
        self.headers = Headers(scope=scope)
        self.method: str = scope["method"]
        self.allowed = 0
        self.verdict: Problem | None = None
        """What is answered instead of anything that the app may say."""
        self.started = False
        self.status = 0
        self._begin = time.monotonic()
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._received = self._sent = 0
        self._body_complete = False
        known = owner_of(self.headers)
        self._new_owner = None if known else secrets.token_urlsafe(OWNER_BYTES)
        scope.setdefault("state", {})["owner"] = known or self._new_owner

    def too_large(self) -> Problem:
        return Problem(413, "too_large", f"A request may have at most {self.allowed:,} bytes.")

    async def receive(self) -> Message:
        """The next part of the body, counted and on time."""
        if self._body_complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.verdict = Problem(408, "too_slow", "The request took too long to arrive.")
            raise self.verdict from None
        self._received += len(message.get("body", b""))
        if self._received > self.allowed:
            self.verdict = self.too_large()
            raise self.verdict
        self._body_complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.verdict and not self.started:
            return
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self._new_owner and (self._scope["path"] == "/" or self._scope["path"].startswith("/api/")):
                headers.append("Set-Cookie", f"{COOKIE}={self._new_owner}; Path=/; HttpOnly; SameSite=Strict")
        self._sent += len(message.get("body", b""))
        await self._send(message)

    async def answer(self, problem: Problem) -> None:
        """The problem, after what the client is still sending, or it would see a broken connection instead."""
        if not self._body_complete and "expect" not in self.headers:
            await self._drain()
        self.verdict = None
        await problem.response()(self._scope, self._receive, self.send)

    async def _drain(self) -> None:
        room = self.allowed
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while room > 0:
                    message = await self._receive()
                    room -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return

    def line(self, status: int) -> str:
        """One line of the log: no query, no names, nothing of the photo."""
        route = self._scope.get("route")
        facts: dict[str, Any] = {"method": self.method, "route": getattr(route, "path", "-"), "status": status}
        facts |= {"ms": round((time.monotonic() - self._begin) * 1000), "in": self._received, "out": self._sent}
        return json.dumps(facts)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def host_name(header: str) -> str:
    """The name in a Host header, lower case, without the port; "" where it is none."""
    name, bracket, rest = header.lower().partition("]") if header.startswith("[") else ("", "", "")
    if bracket:
        name, port = name + "]", rest
    else:
        name, colon, digits = header.lower().partition(":")
        port = colon + digits
    return name if port == "" or (port[0] == ":" and port[1:].isdecimal()) else ""


def owner_of(headers: Headers) -> str | None:
    """The client's cookie, where it is one of ours by its looks."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    value = morsel.value if morsel else ""
    return value if 20 <= len(value) <= 30 and value.replace("-", "").replace("_", "").isalnum() else None
