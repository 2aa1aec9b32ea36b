"""A real server process for the tests, with a color network that is quick and obeys the photo's gray level."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from instcolor import Colorizer, DetectedObject
from instcolor.bins import BIN_CENTERS
from instcolor.inputs import Inputs, Sizes
from instcolor.objects import Mask
from instcolor.runtime.model import Answer, Plane
from instcolor.web.limits import Limits, Settings
from support.places import ROOT

START = """
import json, sys
from instcolor.web.limits import Limits, Settings
from instcolor.web.serving import serve
given = json.loads(sys.argv[1])
given["limits"] = Limits(**given["limits"])
sys.exit(serve(Settings(**given)))
"""
BLACK, DARK, WHITE = 0, 40, 255  # a photo all black ends the worker, all dark takes for ever, all white is hungry
SLOW_GRAY = 80  # takes a second


class PlainModel:
    """Reddish on the left, bluish on the right; hints are taken as they are; objects are greenish."""

    sizes = Sizes(side=64, instance_size=32, multiple=16)

    def answer(self, inputs: Inputs[Plane]) -> Answer:
        level = float(inputs.photo.L.mean())
        if level < 0.5:
            os._exit(3)
        if abs(level - gray_L(DARK)) < 0.3:
            time.sleep(3600)
        if abs(level - gray_L(SLOW_GRAY)) < 0.3:
            time.sleep(1.0)
        if level > 99.9:
            raise MemoryError
        height, width = inputs.photo.L.shape[2] // 4, inputs.photo.L.shape[3] // 4
        ab = np.zeros((height, width, 2), np.float32)
        ab[..., 0] = np.linspace(30, -30, width)
        ab[..., 1] = level / 10
        for x0, y0, x1, y1 in inputs.places.box:
            ab[int(y0 * height) : int(np.ceil(y1 * height)), int(x0 * width) : int(np.ceil(x1 * width))] = (-40, 20)
        mask = inputs.photo.hint_mask[0, 0] > 0
        if mask.any():
            ab[:] = inputs.photo.hint_ab[0][:, mask].mean(1)
        # the color itself is the likeliest, and one other everywhere comes second
        logits = -0.02 * ((ab[:, :, None] - BIN_CENTERS) ** 2).sum(-1).astype(np.float32)
        logits[..., 40] = -1.0
        return Answer(ab, logits)


class MiddleDetector:
    """One thing in the middle of every photo: an ellipse that touches its box."""

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        height, width = L.shape
        box = (width / 4, height / 4, width * 3 / 4, height * 3 / 4)
        y, x = (np.indices((28, 28)) + 0.5) / 14 - 1
        return [DetectedObject(box, "thing", 0.9, Mask(box, (x**2 + y**2 < 1).astype(np.float32)))]


def gray_L(value: int) -> float:
    """L* of a gray."""
    linear = ((value / 255 + 0.055) / 1.055) ** 2.4 if value > 10 else value / 255 / 12.92
    return float(116 * np.cbrt(linear) - 16 if linear > 0.008856 else 903.3 * linear)


def plain_colorizer(model: str, detector: str, threads: int, pixels: int, faces: bool) -> Colorizer:
    """What the workers of these tests color with."""
    found = None if detector == "none" else MiddleDetector()
    return Colorizer(PlainModel(), detector=found if found else "none", faces=faces, max_pixels=pixels)


class Running:
    """A server process and its output."""

    def __init__(self, process: subprocess.Popen[str], address: str):
        self.process, self.address = process, address
        self.port = int(address.rsplit(":", 1)[1])
        self.errors: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.errors.append(line)

    def client(self, **options: Any) -> httpx.Client:
        """A new client with cookies of its own."""
        return httpx.Client(base_url=self.address, timeout=60, trust_env=False, **options)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(5)
        return code

    @property
    def log(self) -> str:
        return "".join(self.errors)


@contextmanager
def running(limits: Limits | None = None, **settings: object) -> Iterator[Running]:
    """A server on a free port."""
    import json

    given = {"port": 0, "colorizer": "support.web_server:plain_colorizer", "detector": "middle", **settings}
    given["limits"] = asdict(limits or Limits())
    assert set(given) <= set(Settings.__dataclass_fields__)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", START, json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout
    assert process.stderr
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        if not found:
            process.kill()
            raise AssertionError(process.stderr.read())
        server = Running(process, found[0])
        yield server
        if process.poll() is None:
            server.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()
