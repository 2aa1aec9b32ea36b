"""The names under which the server answers: against pages elsewhere that have their own name point to this machine."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ..problems import Problem

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class KnownHosts:
    """Raises Problem 421 where a request has no Host header, several, or one of another name."""

    def __init__(self, app: ASGIApp, names: Iterable[str]):
        self._app, self._names = app, LOOPBACK | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) != 1 or host_name(hosts[0]) not in self._names:
                raise Problem(421, "wrong_host", "This server does not answer to that name.")
        await self._app(scope, receive, send)


def host_name(header: str) -> str:
    """The name in a Host header, lower case, without the port; "" where it is none."""
    name, bracket, rest = header.lower().partition("]") if header.startswith("[") else ("", "", "")
    if bracket:
        name, port = name + "]", rest
    else:
        name, colon, digits = header.lower().partition(":")
        port = colon + digits
    return name if port == "" or (port[0] == ":" and port[1:].isdecimal()) else ""
