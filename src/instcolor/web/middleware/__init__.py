"""What every request passes before the application, one job each (outermost first).

`log` counts and logs, `headers` adds what every answer carries, `refusals` turns problems into answers, `crowds`,
`hosts` and `origins` say who may ask, `owners` tells clients apart, `bodies` bounds what comes in, `heads` answers
HEAD. All are plain ASGI.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from ..limits import Settings
from ..metrics import Metrics
from .bodies import BodySize, BodyTime
from .crowds import ConnectionLimit
from .headers import SecurityHeaders
from .heads import HeadAsGet
from .hosts import KnownHosts
from .log import RequestLog
from .origins import OwnOrigin
from .owners import Owners
from .refusals import Refusals


def guarded(app: ASGIApp, settings: Settings, metrics: Metrics, connections: Callable[[], int]) -> ASGIApp:
    """The application behind all of them."""
    limits = settings.limits
    app = HeadAsGet(app)
    app = BodyTime(app, limits.body_seconds)
    app = BodySize(app, limits)
    app = Owners(app)
    app = OwnOrigin(app)
    app = KnownHosts(app, settings.hosts)
    app = ConnectionLimit(app, limits.connections, connections)
    app = Refusals(app, limits.body_bytes)
    app = SecurityHeaders(app)
    return RequestLog(app, metrics)
