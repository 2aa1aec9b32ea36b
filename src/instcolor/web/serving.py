"""The server around the application: sockets, slow clients, signals."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import sys
from types import FrameType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import create_app
from .limits import Settings
from .pool import CannotStart
from .service import Service

LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Protocol(H11Protocol):
    """HTTP that does not wait for ever for the headers of a request."""

    header_seconds = 10.0
    _timer: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here: its headers are expected within `header_seconds`."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Between two requests the time for headers begins anew; with the headers it ends."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_headers()
        else:
            self._headers_are_here()

    def on_response_complete(self) -> None:
        """A client that goes on sending after the answer has a limited time to end."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and self._lingering is None:
            # answered before the request was complete: a byte of it now and then must not hold the connection
            self._lingering = self.loop.call_later(self.header_seconds, self._linger_no_more)

    def connection_lost(self, exc: Exception | None) -> None:
        """No time is measured any more."""
        self._headers_are_here()
        if self._lingering is not None:
            self._lingering.cancel()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.header_seconds, self._too_late)

    def _headers_are_here(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _linger_no_more(self) -> None:
        self._lingering = None
        answered = self.cycle is None or self.cycle.response_complete
        if answered and self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self.transport.close()

    def _too_late(self) -> None:
        self._timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.write(LATE)
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn that tells the service when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, service: Service):
        super().__init__(config)
        self._service = service
        service.connections = lambda: len(self.server_state.connections)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure = ""
        """Why there is no server, for its owner."""

    async def startup(self, sockets: Any = None) -> None:
        """Starts the workers before the sockets; where that fails, `failure` says why and the server ends."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._service.pool.start()
        except CannotStart as error:
            self.failure, self.should_exit = str(error), True
            return
        await super().startup(sockets)
        if self.started and self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"instcolor is at http://{shown}:{port}/ (Ctrl-C ends it)", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """At a signal to stop, no further photos are taken."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._service.stop_taking)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address that is bound to `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve(settings: Settings) -> int:
    """Serves until SIGTERM or Ctrl-C; 0 where it ended well."""
    limits = settings.limits
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    app, service = create_app(settings)
    protocol = type("Protocol", (Protocol,), {"header_seconds": limits.header_seconds})
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # beyond the limit the gate answers properly; beyond this one connections are cut
        limit_concurrency=2 * limits.connections,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=int(limits.stop_seconds),
    )
    server = Server(config, service)
    # uvicorn raises the signal again when all is done, which must not end the process with an error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        server.run()
    finally:
        service.store.close()
    if server.failure:
        print(f"error: {server.failure}", file=sys.stderr)
    return 0 if server.started else 1
