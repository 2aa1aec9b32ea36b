"""Many clients at once: nothing lost, nothing mixed up, no memory kept."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from instcolor.colorspace import srgb_to_lab
from support import fixtures
from support.web_server import Running, gray_L, running

CLIENTS = 100
ROUND_ALLOWED = 1.10


def memory(pid: int) -> int:
    """Bytes of a process and its children that are in RAM."""
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("no /proc here to read memory from")
    text = Path(f"/proc/{pid}/status").read_text()
    own = int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(memory(int(child)) for child in children)


def gray_of(client: int) -> int:
    """A gray and so a lightness of its own for every client; none that the tests' network stumbles over."""
    return 100 + client


def upload(server: Running, client: int) -> float:
    """Colors a flat photo, waiting while the server is busy; the lightness that came back."""
    gray = fixtures.encoded(Image.new("L", (320 + client, 240), gray_of(client)), "PNG")
    with server.client() as session:
        for _ in range(600):
            response = session.post("/api/colorize", files=[("photo", (f"{client}.png", gray))], data={"options": "{}"})
            if response.status_code != 503:
                break
            assert "retry-after" in response.headers
            time.sleep(0.1)
    assert response.status_code == 200, response.text
    image = Image.open(io.BytesIO(response.content))
    assert image.size == (320 + client, 240)
    assert f'filename="{client}-color.png"' in response.headers["content-disposition"]
    return float(srgb_to_lab(np.asarray(image) / 255.0)[..., 0].mean())


def test_a_hundred_uploads_with_two_workers() -> None:
    with running(workers=2) as server, ThreadPoolExecutor(CLIENTS) as pool:
        sizes = []
        for _ in range(3):
            found = list(pool.map(lambda client: upload(server, client), range(CLIENTS)))
            for number, L in enumerate(found):
                assert pytest.approx(gray_L(gray_of(number)), abs=0.3) == L
            sizes.append(memory(server.process.pid))
        print([f"{size / 1e6:.0f} MB" for size in sizes])
        # the first round loads what is loaded once
        assert sizes[2] < sizes[1] * ROUND_ALLOWED
        with server.client() as client:
            text = client.get("/metrics").text
        assert f'instcolor_jobs_total{{outcome="done"}} {3 * CLIENTS}' in text
        assert "instcolor_photos_kept 0\n" in text
        assert "instcolor_store_bytes 0\n" in text
