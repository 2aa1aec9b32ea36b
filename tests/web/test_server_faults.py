"""Faults that a server has met: connections held, answers without what HTTP asks for, photos left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from instcolor.private_folder import LOCK, PREFIX, PrivateFolder
from instcolor.web.limits import Limits
from support.web_requests import added, options, part, photo, plain
from support.web_server import DARK, SLOW_GRAY, Running, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as started:
        yield started


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as one:
        yield one


def test_a_byte_after_an_early_answer_does_not_hold_the_connection() -> None:
    request = b"PUT /api/colorize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n"
    with running(Limits(header_seconds=1.0)) as server:
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(4)]
        for one in held:
            one.sendall(request)
            assert one.recv(4000).startswith(b"HTTP/1.1 ")
            one.sendall(b"x")
        for one in held:
            while one.recv(4000):  # until the server has had enough
                pass
            one.close()
        with server.client() as client:
            assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/static/main.js", "/api/models", "/api/photos", "/api/events"])
def test_head_is_answered_as_get_without_a_body(client: httpx.Client, path: str) -> None:
    response = client.head(path)
    assert response.status_code == 200
    assert response.content == b""
    if path != "/api/events":
        assert response.headers["content-type"] == client.get(path).headers["content-type"]


def test_head_of_a_result_needs_a_photo(client: httpx.Client) -> None:
    (state,) = added(client, photo())
    assert client.head(f"/api/photos/{state['id']}/result").headers["content-type"] == "image/jpeg"
    assert client.head("/api/photos/never/result").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/colorize", "POST"),
        ("PATCH", "/api/photos", "GET, HEAD, POST"),
        ("PUT", "/api/photos/x", "DELETE, GET, HEAD"),
        ("OPTIONS", "/", "GET, HEAD"),
        ("DELETE", "/static/main.js", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_allowed_is_told_which_are(
    client: httpx.Client, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed


def test_a_client_that_leaves_during_a_result_is_no_fault_of_the_server(client: httpx.Client, server: Running) -> None:
    (state,) = added(client, photo(width=3000, height=2400))
    with server.client(cookies=client.cookies) as leaving, pytest.raises(httpx.ReadTimeout):
        leaving.get(f"/api/photos/{state['id']}/result", params={"format": "PNG"}, timeout=0.3)
    with server.client() as leaving, pytest.raises(httpx.ReadTimeout):
        leaving.post("/api/colorize", files=[part(plain(SLOW_GRAY))], timeout=0.5)
    for _ in range(200):
        if '"status": 499' in server.log:
            break
        time.sleep(0.05)
    assert '"status": 499' in server.log
    assert "Traceback" not in server.log
    assert '"status": 500' not in server.log


def test_options_are_taken_as_a_file_too(client: httpx.Client) -> None:
    wanted = ("options", ("options.json", json.dumps({"format": "PNG"}), "application/json"))
    response = client.post("/api/colorize", files=[part(photo()), wanted])
    assert response.headers["content-type"] == "image/png"
    assert client.post("/api/colorize", files=[part(photo()), ("options", ("o", b"\xff"))]).status_code == 400
    large = ("options", ("o", b" " * (Limits.field_bytes + 1)))
    assert client.post("/api/colorize", files=[part(photo()), large]).status_code == 400
    assert client.post("/api/colorize", files=[part(photo()), wanted], data=options()).status_code == 400


def test_photos_of_a_killed_server_are_deleted_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    alive = PrivateFolder()
    start = "import time; from instcolor.private_folder import PrivateFolder as P; print(P().path, flush=True)"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", f"{start}; time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as killed:
        assert killed.stdout
        left = Path(killed.stdout.readline().strip())
        (left / "original").write_bytes(b"a photo")
        killed.kill()
    somebodys = tmp_path / f"{PREFIX}of-something-else"
    somebodys.mkdir()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(alive.path)
    assert (left / LOCK).exists()
    another = PrivateFolder()
    assert not left.exists()
    assert somebodys.exists()
    assert (alive.path / LOCK).exists()
    for folder in (alive, another):
        folder.close()
        folder.close()
    assert not alive.path.exists()


def workers_of(server: Running) -> list[int]:
    """The processes of a server's workers."""
    pid = server.process.pid
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("no /proc here to find the workers in")
    return [int(child) for child in listed.read_text().split()]


def test_a_worker_that_is_killed_from_outside_is_not_the_photos_fault() -> None:
    with running() as server, server.client() as client:
        (state,) = client.post("/api/photos", files=[part(plain(DARK))]).json()["photos"]
        while client.get(f"/api/photos/{state['id']}").json()["status"] != "coloring":
            time.sleep(0.02)
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGKILL)
        while (told := client.get(f"/api/photos/{state['id']}").json())["status"] != "failed":
            time.sleep(0.02)
        assert told["problem"]["code"] == "interrupted"
        assert "ended from outside" in told["problem"]["detail"]
        assert client.post("/api/colorize", files=[part(photo())]).status_code == 200
