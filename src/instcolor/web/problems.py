"""Errors as RFC 9457 has them: application/problem+json with a code and a sentence, never a stack trace or a path."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse

CLIENT_GONE = 499
"""Nobody is there any more to be answered; the log has this in the place of a status."""


class Problem(Exception):
    """What went wrong with a request: HTTP status, a code for programs, a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after: int | None = None, close: bool = False):
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if close:  # the connection
            self.headers["Connection"] = "close"

    def body(self) -> dict[str, str | int]:
        """The members of the JSON object, as RFC 9457 names them (section 3.1), and `code`."""
        title = "Client Closed Request" if self.status == CLIENT_GONE else HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "code": self.code, "detail": self.detail}

    def response(self) -> JSONResponse:
        """The answer with its status and headers."""
        return JSONResponse(self.body(), self.status, self.headers, "application/problem+json")


def broken() -> Problem:
    """Nothing of what went wrong inside; the log tells of it."""
    return Problem(500, "broken", "Something went wrong on the server.")


def not_found() -> Problem:
    """The same answer for what never was, what is gone, and what is somebody else's."""
    return Problem(404, "not_found", "There is nothing here, or no longer.")
