"""What the server is defended against: every limit one below, at and one above, over real HTTP."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import signal
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from PIL import Image

from instcolor.web.app import create_app
from instcolor.web.limits import Limits, Settings
from instcolor.web.middleware.headers import HEADERS
from instcolor.web.middleware.hosts import host_name
from instcolor.web.names import clean, colored, disposition
from instcolor.web.serving import is_loopback
from support import fixtures
from support.web_requests import added, options, part, photo, plain, settled
from support.web_server import BLACK, DARK, SLOW_GRAY, WHITE, Running, running

SMALL = Limits(
    body_bytes=200_000,
    json_bytes=4_000,
    files=3,
    field_bytes=2_000,
    pixels=10_000,
    decode_seconds=5.0,
    job_seconds=3.0,
    queue=2,
    connections=40,
    header_seconds=1.5,
    body_seconds=2.0,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(SMALL) as started:
        yield started


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as one:
        yield one


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which is a proper problem without anything of the inside."""
    assert response.headers["content-type"] == "application/problem+json"
    for word in ("Traceback", "/src/", "site-packages", "/tmp"):
        assert word not in response.text
    return response.status_code, response.json()["code"]


@contextmanager
def connection(server: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        yield sock


def exchange(server: Running, data: bytes) -> bytes:
    """What the server says to raw bytes until it closes the connection."""
    with connection(server) as sock:
        sock.sendall(data)
        answer = b""
        while chunk := sock.recv(65536):
            answer += chunk
        return answer


# who may ask


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("localhost:80:80", 421),
        ("localhost:", 421),
        ("[::1].evil.example", 421),
        ("localhost@evil.example", 421),
        ("", 421),
    ],
)
def test_only_known_hosts_are_answered(client: httpx.Client, host: str, status: int) -> None:
    response = client.get("/healthz", headers={"Host": host})
    assert response.status_code == status


def test_two_hosts_are_none(server: Running) -> None:
    answer = exchange(
        server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400"))


def test_a_configured_host_is_answered() -> None:
    with running(SMALL, hosts=["photos.home"]) as server, server.client() as client:
        assert client.get("/healthz", headers={"Host": "Photos.home:9000"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "{own}"}, True),
        ({"Origin": "{own}", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://localhost:1"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
    ],
)
def test_writes_come_from_the_own_page(
    server: Running, client: httpx.Client, headers: dict[str, str], allowed: bool
) -> None:
    given = {name: value.replace("{own}", server.address) for name, value in headers.items()}
    response = client.post("/api/photos", files=[part(photo())], headers=given)
    assert response.status_code == (202 if allowed else 403), response.text
    if allowed:
        settled(client, response.json()["photos"][0]["id"])


def test_no_page_elsewhere_may_read_answers(client: httpx.Client) -> None:
    response = client.get("/api/photos", headers={"Origin": "http://evil.example"})
    assert not any(name.startswith("access-control") for name in response.headers)
    preflight = client.options("/api/photos", headers={"Origin": "http://evil.example"})
    assert not any(name.startswith("access-control") for name in preflight.headers)


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/healthz", "/api/photos", "/nothing", "/api/photos/x"])
def test_every_answer_carries_the_headers(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    for name in HEADERS:
        assert name in response.headers, name
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert "server" not in response.headers


def test_cookies_are_strict_and_random(server: Running) -> None:
    seen = set()
    for _ in range(3):
        with server.client() as client:
            header = client.get("/").headers["set-cookie"]
            assert "HttpOnly" in header
            assert "SameSite=Strict" in header
            seen.add(client.cookies["instcolor"])
    assert len(seen) == 3
    assert all(len(value) >= 22 for value in seen)


def test_results_are_the_owners_alone(server: Running, client: httpx.Client) -> None:
    (state,) = added(client, photo())
    root = f"/api/photos/{state['id']}"
    with server.client() as stranger:
        stranger.get("/")
        for path in (root, f"{root}/gray", f"{root}/planes", f"{root}/result", f"{root}/colors", "/api/photos/never"):
            assert code(stranger.get(path)) == (404, "not_found")
        assert stranger.delete(root).status_code == 404
        assert stranger.post(f"{root}/look", json={}).status_code == 404
        assert stranger.post("/api/archive", json={"photos": [{"id": state["id"]}]}).status_code == 404
        assert stranger.get("/api/photos").json() == {"photos": []}
    assert len(state["id"]) >= 22
    assert client.get(root).status_code == 200


# how much


def body_of(size: int) -> tuple[bytes, dict[str, str]]:
    """A form with a broken photo whose body has exactly `size` bytes."""
    head = b'--B\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    tail = b"\r\n--B--\r\n"
    return head + b"x" * (size - len(head) - len(tail)) + tail, {"Content-Type": "multipart/form-data; boundary=B"}


@pytest.mark.parametrize(("extra", "expected"), [(-1, 422), (0, 422), (1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_body_limit(client: httpx.Client, extra: int, expected: int, chunked: bool) -> None:
    body, headers = body_of(SMALL.body_bytes + extra)
    content: Any = iter([body[i : i + 30_000] for i in range(0, len(body), 30_000)]) if chunked else body
    response = client.post("/api/colorize", content=content, headers=headers)
    assert code(response) == (expected, "bad_photo" if expected == 422 else "too_large")


def test_a_content_length_that_lies_gets_nothing_through(server: Running) -> None:
    body, headers = body_of(SMALL.body_bytes + 50_000)
    head = f"POST /api/colorize HTTP/1.1\r\nHost: localhost\r\nContent-Type: {headers['Content-Type']}\r\n"
    short = exchange(server, head.encode() + b"Content-Length: 100\r\nConnection: close\r\n\r\n" + body[:3000])
    assert short.startswith(b"HTTP/1.1 400")
    for value in (b"-1", b"1e3", b"99999999999999999999"):
        answer = exchange(server, head.encode() + b"Content-Length: " + value + b"\r\nConnection: close\r\n\r\n")
        assert answer.split(b" ")[1] in (b"400", b"413")


@pytest.mark.parametrize(("extra", "expected"), [(-1, 404), (0, 404), (1, 413)])
def test_json_limit(client: httpx.Client, extra: int, expected: int) -> None:
    text = json.dumps({"objects": []})
    content = text + " " * (SMALL.json_bytes + extra - len(text))
    response = client.post("/api/photos/none/look", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == expected


@pytest.mark.parametrize(("count", "expected"), [(2, 202), (3, 202), (4, 400)])
def test_files_limit(count: int, expected: int) -> None:
    with running(SMALL, workers=2) as server, server.client() as client:
        response = client.post("/api/photos", files=[part(photo())] * count)
        assert response.status_code == expected
        if expected == 400:
            assert code(response) == (400, "bad_form")


@pytest.mark.parametrize(("extra", "expected"), [(-1, 200), (0, 200), (1, 400)])
def test_field_limit(client: httpx.Client, extra: int, expected: int) -> None:
    text = json.dumps({"objects": []})
    field = text + " " * (SMALL.field_bytes + extra - len(text))
    response = client.post("/api/colorize", files=[part(photo())], data={"options": field})
    assert response.status_code == expected


def test_unknown_and_too_many_fields_are_refused(client: httpx.Client) -> None:
    url = client.post("/api/colorize", files=[part(photo())], data={"url": "http://127.0.0.1/"})
    assert code(url) == (400, "unknown_part")
    for count, expected in ((19, "unknown_part"), (20, "unknown_part"), (21, "bad_form")):
        many = client.post("/api/colorize", files=[part(photo())], data={f"f{i}": "1" for i in range(count)})
        assert code(many) == (400, expected)
    text = client.post("/api/colorize", data={"photo": "not a file"}, files={"x": ("x", b"")})
    assert code(text) == (400, "unknown_part")
    assert code(client.post("/api/colorize", files=[part(photo())] * 2)) == (400, "wrong_number")
    assert code(client.post("/api/colorize", content=b"x")) == (415, "not_a_form")


@pytest.mark.parametrize(("size", "expected"), [((99, 101), 200), ((100, 100), 200), ((73, 137), 422)])
def test_pixel_limit(client: httpx.Client, size: tuple[int, int], expected: int) -> None:
    response = client.post("/api/colorize", files=[part(photo("PNG", *size))])
    assert response.status_code == expected
    if expected == 422:
        assert "the limit is 0.0" in response.json()["detail"]
        assert "73 x 137" in response.json()["detail"]


def test_a_bomb_is_refused_from_its_header(client: httpx.Client) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    idat = zlib.compress(bytes(100_000))
    data = struct.pack(">I", len(idat)) + b"IDAT" + idat + struct.pack(">I", zlib.crc32(b"IDAT" + idat))
    begin = time.monotonic()
    response = client.post("/api/colorize", files=[part(b"\x89PNG\r\n\x1a\n" + chunk + data)])
    assert code(response) == (422, "too_many_pixels")
    assert "3,600" in response.json()["detail"]
    assert time.monotonic() - begin < SMALL.decode_seconds


# what goes wrong inside


def test_a_crash_hurts_that_photo_alone(client: httpx.Client) -> None:
    response = client.post("/api/colorize", files=[part(plain(BLACK))])
    assert code(response) == (422, "bad_photo")
    assert client.post("/api/colorize", files=[part(photo())]).status_code == 200


def test_memory_that_runs_out_is_that_photos_fault(client: httpx.Client) -> None:
    assert code(client.post("/api/colorize", files=[part(plain(WHITE))])) == (422, "no_memory")
    assert client.post("/api/colorize", files=[part(photo())]).status_code == 200


def test_workers_have_a_memory_limit() -> None:
    limits = Limits(memory_bytes=640 << 20)
    with running(limits) as server, server.client() as client:
        large = fixtures.encoded(Image.new("L", (12_000, 4_000), 128), "PNG")
        response = client.post("/api/colorize", files=[part(large)])
        assert code(response) == (422, "no_memory")
        assert client.post("/api/colorize", files=[part(photo())]).status_code == 200


def test_a_job_that_takes_too_long_is_ended_and_its_worker_replaced(client: httpx.Client) -> None:
    assert code(client.post("/api/colorize", files=[part(plain(DARK))])) == (504, "too_slow")
    assert client.post("/api/colorize", files=[part(photo())]).status_code == 200


def test_the_queue_is_bounded(client: httpx.Client) -> None:
    def send() -> httpx.Response:
        return client.post("/api/photos", files=[part(plain(SLOW_GRAY))])

    taken = [send() for _ in range(3)]  # one runs, two wait
    assert [response.status_code for response in taken] == [202] * 3
    for _ in range(50):
        if client.get("/metrics").text.count("instcolor_workers_busy 1"):
            break
        time.sleep(0.01)
    refused = send()
    while refused.status_code == 202:  # the first has been taken from the queue meanwhile
        taken.append(refused)
        refused = send()
    assert code(refused) == (503, "busy")
    assert int(refused.headers["retry-after"]) > 0
    assert len(taken) <= 4
    for response in taken:
        assert settled(client, response.json()["photos"][0]["id"])["status"] == "done"


def test_a_client_that_leaves_cancels_its_job(server: Running, client: httpx.Client) -> None:
    def busy(text: str) -> bool:
        return f"instcolor_workers_busy {text}\n" in client.get("/metrics").text

    with server.client() as leaving, pytest.raises(httpx.ReadTimeout):
        leaving.post("/api/colorize", files=[part(plain(DARK))], timeout=0.8)
    begin = time.monotonic()
    while not busy("0"):
        assert time.monotonic() - begin < 2.5, "the job went on"
        time.sleep(0.05)
    assert client.post("/api/colorize", files=[part(photo())]).status_code == 200


def test_removing_a_photo_ends_its_job(client: httpx.Client) -> None:
    (state,) = client.post("/api/photos", files=[part(plain(DARK))]).json()["photos"]
    time.sleep(0.3)
    assert client.delete(f"/api/photos/{state['id']}").status_code == 204
    assert client.post("/api/colorize", files=[part(photo())]).status_code == 200


# how long


def test_photos_are_kept_for_a_while_only() -> None:
    with running(Limits(keep_seconds=1.0)) as server, server.client() as client:
        (state,) = added(client, photo())
        assert state["seconds_left"] <= 1
        for _ in range(200):
            if client.get(f"/api/photos/{state['id']}").status_code == 404:
                break
            time.sleep(0.05)
        else:
            raise AssertionError("still there")
        assert "instcolor_store_bytes 0\n" in client.get("/metrics").text


def test_the_oldest_goes_when_the_store_is_full() -> None:
    with running(Limits(store_bytes=400_000)) as server, server.client() as client:
        ids = [added(client, photo())[0]["id"] for _ in range(4)]
        alive = [client.get(f"/api/photos/{id}").status_code == 200 for id in ids]
        assert alive[-1]
        assert not alive[0]
        assert alive == sorted(alive)


def test_slow_headers_are_not_waited_for(server: Running) -> None:
    with connection(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        assert sock.recv(1000).startswith(b"HTTP/1.1 408")
    with connection(server) as sock:
        assert sock.recv(1000).startswith(b"HTTP/1.1 408")


def test_slow_bodies_are_not_waited_for(server: Running) -> None:
    head = b"POST /api/colorize HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=B\r\n"
    with connection(server) as sock:
        sock.sendall(head + b"Content-Length: 1000\r\n\r\n--B\r\n")
        assert sock.recv(4000).startswith(b"HTTP/1.1 408")


def test_connections_are_counted() -> None:
    with running(Limits(connections=5)) as server:
        socks = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
        try:
            time.sleep(0.2)
            last = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            last.request("POST", "/api/photos", b"x" * 100_000, {"Host": "localhost"})  # read to its end, then refused
            refused = last.getresponse()
            assert refused.status == 503
            assert refused.headers["Retry-After"] == "2"
            assert json.loads(refused.read())["code"] == "crowded"
            last.close()
            socks.pop().close()
            time.sleep(0.2)
            last.request("GET", "/healthz", headers={"Host": "localhost"})
            assert last.getresponse().status == 200
            last.close()
        finally:
            for sock in socks:
                sock.close()


# the end


def test_sigterm_finishes_what_runs_and_exits_well() -> None:
    with running() as server:
        answers: list[httpx.Response] = []

        def ask() -> None:
            with server.client() as client:
                answers.append(client.post("/api/colorize", files=[part(plain(SLOW_GRAY))]))

        asking = threading.Thread(target=ask)
        asking.start()
        with server.client() as client:
            while "instcolor_workers_busy 1" not in client.get("/metrics").text:
                time.sleep(0.02)
        assert server.stop(signal.SIGTERM) == 0
        asking.join()
        assert [response.status_code for response in answers] == [200]


def test_sigterm_ends_event_streams_and_jobs_without_a_client() -> None:
    with running() as server, server.client() as client:
        client.get("/")
        with client.stream("GET", "/api/events") as stream:
            assert stream.status_code == 200
            client.post("/api/photos", files=[part(plain(SLOW_GRAY))])
            begin = time.monotonic()
            assert server.stop(signal.SIGTERM) == 0
            assert time.monotonic() - begin < 20


def test_the_log_is_one_json_line_a_request_without_names(server: Running, client: httpx.Client) -> None:
    client.post("/api/colorize", files=[part(photo(), "grandmother.jpg")])
    client.get("/api/photos/secret-id?token=1")
    time.sleep(0.2)
    lines = [line for line in server.log.splitlines() if line.startswith("{")]
    assert {"method", "route", "status", "ms", "in", "out"} == set(json.loads(lines[-1]))
    for word in ("grandmother", "secret-id", "token"):
        assert word not in server.log


def test_faults_of_the_server_are_logged_and_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app, service = create_app(Settings())

    def broken(gauges: object) -> str:
        raise RuntimeError("/tmp/secret")

    monkeypatch.setattr(service.metrics, "text", broken)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get("/metrics")

    response = asyncio.run(ask())
    assert code(response) == (500, "broken")
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert "/tmp/secret" in caplog.text
    service.store.close()


# small parts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\aunt.jpg", "aunt.jpg"),
        ('a"b;c\r\nX: y.jpg', "a_b;cX_ y.jpg"),
        ("", "photo"),
        (None, "photo"),
        ("...", "photo"),
        ("Großmutter 1923.tif", "Großmutter 1923.tif"),
        ("x" * 300 + ".jpg", "x" * 100 + ".jpg"),
        ("a\u202egpj.exe", "agpj.exe"),
    ],
)
def test_names_are_cleaned(name: str | None, expected: str) -> None:
    assert clean(name) == expected
    header = disposition(colored(clean(name), "JPEG"))
    assert header.isascii()
    assert "\r" not in header
    assert "\n" not in header


def test_names_of_results_reach_the_header(client: httpx.Client) -> None:
    response = client.post("/api/colorize", files=[part(photo(), "Großmutter.jpg")])
    assert response.headers["content-disposition"].endswith("filename*=UTF-8''Gro%C3%9Fmutter-color.jpg")
    assert Image.open(io.BytesIO(response.content)).size == (96, 64)


def test_hosts_and_addresses() -> None:
    assert host_name("[::1]:80") == "[::1]"
    assert host_name("Example:x") == ""
    assert is_loopback("127.0.0.5")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.com")


def test_options_of_a_photo_without_colors_conflict(client: httpx.Client) -> None:
    broken = added(client, b"nothing", **{"style": "vivid"})[0]
    assert code(client.get(f"/api/photos/{broken['id']}/result")) == (409, "not_ready")
    assert code(client.get(f"/api/photos/{broken['id']}/gray")) == (404, "not_found")
    assert options(a=1) == {"options": '{"a": 1}'}
