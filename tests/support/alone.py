"""The page without a server, in Debian's Chromium: exported, put on a plain host of files, asked for colors."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instcolor import Look
from instcolor.editing import previews
from support.places import ROOT

RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
COLOR = """async ([name, type, data, request, options]) => {
    const api = await import(new URL("static/api.js", document.baseURI));
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const states = [];
    let woken = () => {};
    api.listen((state) => { states.push(state); woken(); });
    const { id } = await api.send(new File([bytes], name, { type }), request, () => {});
    const last = () => states.findLast((state) => state.id === id);
    while (!["done", "failed"].includes(last()?.status)) await new Promise((done) => (woken = done));
    const state = last();
    if (state.status === "failed") return { state };
    const planes = await api.planes(id);
    const layer = state.layer && await api.layer(id);
    const blob = await api.result(id, { format: "PNG", ...options });
    const colors = await api.colors(id, { x: state.size[0] / 2, y: state.size[1] / 2 });
    api.remove(id);
    const packed = async (parts) => {
        const reader = new FileReader();
        const read = new Promise((done) => (reader.onload = done));
        reader.readAsDataURL(new Blob(parts));
        await read;
        return reader.result.slice(reader.result.indexOf(",") + 1);
    };
    const [told, over, picture] = [await packed([planes]), layer && await packed([layer]), await packed([blob])];
    return { state, colors, planes: told, layer: over, picture };
}"""


@dataclass(frozen=True)
class Colored:
    """What a browser made of a photo."""

    state: dict[str, Any]
    planes: NDArray[np.float32]
    """(h, w, 7): ab of the three styles, and 100 times the confidence."""
    layer: NDArray[np.uint8] | None
    colors: list[list[float]]
    """Likely ones in the middle of the photo: a*, b*, share."""
    picture: bytes
    """A PNG file."""


def color(
    page: Any, data: bytes, *, kind: str = "image/jpeg", request: Any = None, options: dict[str, Any] | None = None
) -> Colored:
    """Has a photo colored by the page that is open."""
    packed = base64.b64encode(data).decode()
    answer = page.evaluate(COLOR, ["photo", kind, packed, request, options or {}])
    state = answer["state"]
    assert state["status"] == "done", state
    rows, columns = state["grid"]
    steps = np.frombuffer(base64.b64decode(answer["planes"]), "<i2").reshape(rows, columns, -1)
    over = base64.b64decode(answer["layer"] or "")
    layer = np.frombuffer(over, np.uint8).reshape(*state["layer"], 3) if over else None
    planes = steps.astype(np.float32) / np.float32(previews.PLANE_STEPS)
    return Colored(state, planes, layer, answer["colors"], base64.b64decode(answer["picture"]))


def expected(look: Look) -> NDArray[np.float32]:
    """`Colored.planes` as Python has them."""
    return previews.planes(look).astype(np.float32) / np.float32(previews.PLANE_STEPS)


@dataclass
class Host:
    """A host of files that knows nothing of them."""

    address: str
    asked: list[str]
    sent: int = 0


@contextmanager
def hosting(folder: Path) -> Iterator[Host]:
    """Serves a folder, on this machine."""
    host = Host("", [])

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            host.asked.append(self.path)

        def copyfile(self, source: Any, outputfile: Any) -> None:
            data = source.read()
            host.sent += len(data)
            outputfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    host.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
