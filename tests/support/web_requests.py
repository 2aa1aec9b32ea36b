"""Photos and options as a client sends them to the server."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
from PIL import Image

from support import fixtures


def photo(format: str = "JPEG", width: int = 96, height: int = 64) -> bytes:
    return fixtures.encoded(fixtures.image("L", width, height), format)


def plain(value: int) -> bytes:
    return fixtures.encoded(Image.new("L", (80, 60), value), "PNG")


def part(data: bytes, name: str = "old.jpg") -> tuple[str, tuple[str, bytes, str]]:
    return "photo", (name, data, "application/octet-stream")


def options(**wish: Any) -> dict[str, str]:
    return {"options": json.dumps(wish)}


def added(client: httpx.Client, *photos: bytes, **wish: Any) -> list[dict[str, Any]]:
    """Photos that have been taken in and are done."""
    parts = [part(data, f"photo {i}.jpg") for i, data in enumerate(photos)]
    response = client.post("/api/photos", files=parts, data=options(**wish))
    assert response.status_code == 202, response.text
    return [settled(client, state["id"]) for state in response.json()["photos"]]


def settled(client: httpx.Client, id: str) -> dict[str, Any]:
    for _ in range(600):
        state: dict[str, Any] = client.get(f"/api/photos/{id}").json()
        if state["status"] in ("done", "failed"):
            return state
        time.sleep(0.05)
    raise AssertionError(state)
