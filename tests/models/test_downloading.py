"""Downloads, against a server on this machine that behaves as badly as servers do."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from instcolor.detectors import load_detector
from instcolor.errors import DetectorError, ModelError
from instcolor.limits import MAX_DOWNLOAD_BYTES
from instcolor.models import downloading, downloads
from instcolor.models.downloading import fetch

DATA = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Gives `data` at /file; what else it does, a test says."""

    daemon_threads = True
    data = DATA
    cut_after: int | None = None  # bytes of an answer after which the connection is closed
    ranges = True  # whether it understands Range
    shift = 0  # added to the start of the part that it gives
    status: int | None = None
    location: str | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []  # the Range of every request

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers["Range"]
        server.asked.append(wanted)
        if server.location and self.path == "/file":
            self.send_response(302)
            self.send_header("Location", server.location)
            self.end_headers()
            return
        if server.status:
            self.send_error(server.status)
            return
        start = 0
        if wanted and server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) + server.shift
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(server.data) - 1}/{len(server.data)}")
        else:
            self.send_response(200)
        body = server.data[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cut_after])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "file.onnx"


def get(server: Server, path: Path, **options: Any) -> None:
    given: dict[str, Any] = {"sha256": SHA256, "size": len(DATA), "loopback": True}
    fetch(server.url, path, **given | options)


def refusal(server: Server, path: Path, **options: Any) -> str:
    with pytest.raises(ModelError) as caught:
        get(server, path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert server.url in message or str(path) in message
    assert not path.exists()
    return message


def left(path: Path) -> list[int]:
    """Sizes of what is in the folder."""
    return [other.stat().st_size for other in path.parent.iterdir()]


def test_a_file_comes_whole_and_once_and_tells_how_far_it_is(server: Server, path: Path) -> None:
    told: list[tuple[int, int]] = []
    get(server, path, progress=lambda done, size: told.append((done, size)))
    assert path.read_bytes() == DATA
    assert told == sorted(told)
    assert told[-1] == (len(DATA), len(DATA))
    get(server, path)
    assert server.asked == [None]
    assert left(path) == [len(DATA)]


def test_a_file_that_is_there_and_damaged_comes_again(server: Server, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    get(server, path)
    assert path.read_bytes() == DATA


def test_another_file_is_refused_and_leaves_nothing(server: Server, path: Path) -> None:
    server.data = DATA[::-1]
    assert "its sha256 is not the expected one" in refusal(server, path)
    assert left(path) == []


def test_a_download_that_was_cut_goes_on(server: Server, path: Path) -> None:
    server.cut_after = 100_000
    assert f"was cut at 100000 of {len(DATA)} bytes; run again" in refusal(server, path)
    assert "was cut at 200000" in refusal(server, path)
    get(server, path)
    assert path.read_bytes() == DATA
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]
    assert left(path) == [len(DATA)]


def test_a_server_that_only_begins_at_the_beginning_is_believed(server: Server, path: Path) -> None:
    server.cut_after = 100_000
    refusal(server, path)
    server.cut_after, server.ranges = None, False
    get(server, path)
    assert path.read_bytes() == DATA


def test_another_part_than_was_asked_for_is_refused(server: Server, path: Path) -> None:
    server.cut_after = 100_000
    refusal(server, path)
    server.cut_after, server.shift = None, -1
    assert "another part" in refusal(server, path)
    assert left(path) == []


def test_a_part_from_another_file_is_found_out_and_dropped(server: Server, path: Path) -> None:
    server.data, server.cut_after = DATA[::-1], 100_000
    refusal(server, path)
    server.data, server.cut_after = DATA, None
    assert "sha256" in refusal(server, path)
    get(server, path)
    assert path.read_bytes() == DATA


def test_more_bytes_than_expected_are_not_taken(server: Server, path: Path) -> None:
    server.data = DATA + b"!"
    assert f"more than the expected {len(DATA)} bytes" in refusal(server, path)
    assert left(path) == []


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_size_is_limited(over: int, server: Server, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "MAX_DOWNLOAD_BYTES", len(DATA) - over)
    if over > 0:
        assert "more than" in refusal(server, path)
        assert not server.asked
    else:
        get(server, path)


def test_what_the_server_says_is_passed_on_and_the_part_is_kept(server: Server, path: Path) -> None:
    server.cut_after = 100_000
    refusal(server, path)
    server.status = 503
    assert "the server answers 503" in refusal(server, path)
    assert left(path) == [100_000]
    server.status = 416
    assert "the server answers 416" in refusal(server, path)
    assert left(path) == []


def test_without_a_network_that_is_said(path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
        with pytest.raises(ModelError, match="cannot be reached") as caught:
            fetch(url, path, sha256=SHA256, size=len(DATA), loopback=True)
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_nothing(server: Server, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "cannot be written (No space left on device)" in refusal(server, path)
    assert left(path) == []


def test_a_folder_that_cannot_be_made_is_an_error(server: Server, path: Path) -> None:
    path.parent.write_bytes(b"a file in the place of the folder")
    assert "cannot be written" in refusal(server, path)


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "ftp://example.org/x", "file:///etc/hostname", "x"])
def test_only_https_is_asked(url: str, path: Path) -> None:
    with pytest.raises(ModelError, match="only https"):
        fetch(url, path, sha256=SHA256, size=1)


def test_plain_http_goes_to_this_machine_only(path: Path) -> None:
    with pytest.raises(ModelError, match="only https"):
        fetch("http://example.org/x", path, sha256=SHA256, size=1, loopback=True)


def test_redirects_are_followed_but_never_to_another_scheme(server: Server, path: Path, tmp_path: Path) -> None:
    for location in ("ftp://127.0.0.1/file", "http://example.org/file", f"file://{tmp_path}"):
        server.location = location
        with pytest.raises(ModelError, match="only https|not allowed"):
            get(server, path)
    server.location = "/elsewhere"
    get(server, path)
    assert path.read_bytes() == DATA


# The table


def test_everything_in_the_table_is_at_a_fixed_place_with_its_checksum() -> None:
    assert {"deimv2-femto", "yolox-s", "mask-rcnn", "mask-rcnn-int8"} <= set(downloads.DOWNLOADS)
    for name, wanted in downloads.DOWNLOADS.items():
        assert wanted.url.startswith("https://")
        assert wanted.url.startswith(downloads.ZOO) or "/main/" not in wanted.url, "a branch moves"
        assert len(bytes.fromhex(wanted.sha256)) == 32
        assert 0 < wanted.size <= MAX_DOWNLOAD_BYTES
        assert name == name.lower()
        assert wanted.license


@pytest.mark.parametrize("name", ["other", "", "../deimv2-atto", "deimv2-atto.onnx"])
def test_a_name_that_is_not_in_the_table_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="nothing of this name can be downloaded; known are deimv2-femto, deimv2-atto"):
        downloads.download(name)


def test_a_downloaded_detector_is_called_by_its_name(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from support import graphs

    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "models"))
    with pytest.raises(DetectorError, match="no such detector"):
        load_detector("deimv2-atto")
    server.data = graphs.yolox(tmp_path / "detector.onnx").read_bytes()
    sha256 = hashlib.sha256(server.data).hexdigest()
    entry = downloads.Download(server.url, sha256, len(server.data), "", "")
    monkeypatch.setitem(downloads.DOWNLOADS, "deimv2-atto", entry)
    monkeypatch.setattr(downloads, "fetch", lambda *a, **k: fetch(*a, **k, loopback=True))
    assert downloads.download("deimv2-atto") == tmp_path / "models" / "detectors" / "deimv2-atto.onnx"
    assert type(load_detector("deimv2-atto")).__name__ == "Yolox"
