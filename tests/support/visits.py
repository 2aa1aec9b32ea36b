"""A page of a running server in Debian's Chromium, as a person uses it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from support import fixtures

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}


def photo(width: int = 320, height: int = 200, format: str = "JPEG") -> bytes:
    return fixtures.encoded(fixtures.image("L", width, height), format)


class Visit:
    """A page that was opened, with all that it asked for and complained of."""

    def __init__(self, page: Any, address: str):
        self.page, self.address = page, address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(30_000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.goto(address)
        page.wait_for_selector("[data-t=sample]:not(:empty)")  # the page has its words and listens

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def add(self, *photos: tuple[str, bytes]) -> None:
        files = [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in photos]
        self.page.set_input_files("#choose", files)

    def drop(self, *photos: tuple[str, bytes]) -> None:
        """Drops files as a file manager does."""
        transfer = self.page.evaluate_handle(
            """(files) => {
                const transfer = new DataTransfer();
                for (const [name, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
                return transfer;
            }""",
            [[name, list(data)] for name, data in photos],
        )
        self.page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})

    def done(self, count: int) -> None:
        """Waits until so many photos have colors."""
        self.page.wait_for_selector(f".card[data-status=done] >> nth={count - 1}")
        self.page.wait_for_selector("#colored[data-version]", state="attached")

    def look(self, version: int) -> None:
        """Waits until the open photo shows that look of the networks."""
        self.page.wait_for_selector(f"#colored[data-version='{version}']", state="attached")

    def pixels(self) -> np.ndarray:
        """(h, w, 3) of what is painted."""
        width, height, data = self.page.evaluate(
            """() => {
                const canvas = document.getElementById("colored");
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return [canvas.width, canvas.height, Array.from(data)];
            }"""
        )
        return np.array(data, np.uint8).reshape(height, width, 4)[..., :3]

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A place on the photo in shares of it, on the screen."""
        box = self.page.locator("#stage").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.point(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.point(*end), steps=6)
        self.page.mouse.up()

    def download(self, selector: str) -> tuple[str, bytes]:
        with self.page.expect_download() as waiting:
            self.page.click(selector)
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()

    def hints(self) -> list[dict[str, Any]]:
        """The colors of the open photo as the server is told them."""
        found: list[dict[str, Any]] = self.page.evaluate(
            """async () => {
                const { told } = await import("/static/photos.js");
                const { view } = await import("/static/viewer.js");
                return told(view.photo).hints;
            }"""
        )
        return found

    @property
    def outside(self) -> list[str]:
        """What was asked of other hosts."""
        own = (self.address, "blob:" + self.address, "data:")
        return [url for url in self.requests if not url.startswith(own)]
