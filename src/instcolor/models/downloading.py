"""One file over HTTPS: of known size and checksum, whole or not at all, going on where an earlier try was cut."""

from __future__ import annotations

import http
import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ..errors import ModelError
from ..files import sha256_of
from ..limits import MAX_DOWNLOAD_BYTES

CHUNK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Progress = Callable[[int, int], None]


def fetch(
    url: str, path: Path, *, sha256: str, size: int, progress: Progress | None = None, loopback: bool = False
) -> None:
    """Downloads a file of `size` bytes to `path`, unless the file with that sha256 is there already.

    What has come when the connection is cut stays in a hidden file beside `path`, and the next call goes on from
    there. `progress(done, size)` is told the bytes. `loopback` allows plain HTTP, to this machine only.

    Raises ModelError: not HTTPS, or redirected to something else; not reachable; cut; more or fewer bytes; another
    checksum; a folder that cannot be written to, or a full disk.
    """
    _check_address(url, loopback)
    if size > MAX_DOWNLOAD_BYTES:
        raise ModelError(f"{url}: {size} bytes are more than the {MAX_DOWNLOAD_BYTES} that may be downloaded")
    part = path.with_name(f".{path.name}.{sha256[:8]}.part")
    try:
        if path.is_file() and sha256_of(path) == sha256:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _receive(url, part, size, progress, loopback)
            if sha256_of(part) != sha256:
                raise _Wrong(f"{url}: damaged or another file (its sha256 is not the expected one)")
            os.replace(part, path)
        except (_Wrong, OSError):  # of no use to a next try: wrong bytes, or bytes that fill the disk
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror or error})") from error


class _Wrong(ModelError):
    """What has come is not what was asked for."""


def _receive(url: str, part: Path, size: int, progress: Progress | None, loopback: bool) -> None:
    """Writes what is missing of `size` bytes to `part`. OSErrors are those of the disk."""
    done = part.stat().st_size if part.exists() else 0
    if done > size:
        done = 0
    with part.open("r+b" if done else "wb") as file:
        chunks = _chunks(url, done, loopback)
        done = next(chunks) if done < size else size  # where the server begins
        file.seek(done)
        file.truncate()
        if done < size:
            for chunk in chunks:
                done += len(chunk)
                if done > size:
                    raise _Wrong(f"{url}: more than the expected {size} bytes")
                file.write(chunk)
                if progress:
                    progress(done, size)
            file.flush()
            os.fsync(file.fileno())
    if done < size:
        raise ModelError(f"{url}: the connection was cut at {done} of {size} bytes; run again to go on from there")


def _chunks(url: str, start: int, loopback: bool) -> Iterator[Any]:
    """First the byte at which the server begins, `start` or 0; then the bytes, until they end or are cut.

    All that the network may raise becomes a ModelError, but for a connection that is cut: that is an end too.
    """
    headers = {"User-Agent": "instcolor", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response = build_opener(_Redirects(loopback)).open(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        with error:
            kind = _Wrong if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE else ModelError
            raise kind(f"{url}: the server answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ModelError(f"{url}: cannot be reached ({' '.join(str(reason).split())})") from None
    with response:
        goes_on = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if response.status not in (200, 206) or (response.status == 206 and not goes_on):
            raise _Wrong(f"{url}: the server answers {response.status} with another part of the file")
        yield start if goes_on else 0
        while True:
            try:
                chunk = response.read(CHUNK)
            except (OSError, http.client.HTTPException):
                return
            if not chunk:
                return
            yield chunk


class _Redirects(HTTPRedirectHandler):
    """Follows redirects to addresses that could have been asked for in the first place."""

    def __init__(self, loopback: bool) -> None:
        self.loopback = loopback

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        _check_address(newurl, self.loopback)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str, loopback: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise _Wrong(f"{url}: refused, only https is downloaded from")
