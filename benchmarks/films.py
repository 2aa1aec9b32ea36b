"""Frames a second and memory of `instcolor video`, as a user meets them: a fresh process a run.

    python benchmarks/films.py [--frames 240] [--size 640x480] [--memory]         (needs instcolor[video])

The film is a camera move over an example photograph. The first row decodes and encodes it alone, in the same manner;
ratios are to it, and CPU seconds count where the machine has other work too.
--memory asks for the peak memory of films of one, two and four times the frames instead.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np

from instcolor import Photo
from instcolor.colorspace import L_to_gray8

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "raccoon.jpg"
COMMAND = [sys.executable, "-m", "instcolor"]
RATE = 24
WAYS = {
    "no objects": ["--detector", "none"],
    "objects": [],
    "every frame, no objects": ["--every", "1", "--detector", "none"],
}
RECODE = """
import sys
from instcolor.video.encoding import Encoding, encoded
from instcolor.video.reading import Film
from pathlib import Path
film = Film.open(sys.argv[1])
encoding = Encoding(film, Path(sys.argv[2]))
context = encoding.context()
for frame in film.frames():
    encoded(context, encoding.picture(frame.Y, *frame.UV, frame.pts))
encoded(context, None)
"""


def make(film: Path, count: int, size: tuple[int, int]) -> Path:
    """A gray film of `count` frames: a camera that goes round over a photo, with grain."""
    gray = L_to_gray8(Photo.open(PHOTO).L)
    width, height = size
    scale = 0.8 * min(gray.shape[1] / width, gray.shape[0] / height)
    rng = np.random.default_rng(0)
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            turn = 2 * np.pi * number / 240
            x = (gray.shape[1] - scale * width) * (0.5 + 0.5 * np.cos(turn))
            y = (gray.shape[0] - scale * height) * (0.5 + 0.5 * np.sin(turn))
            move = np.array([[scale, 0, x], [0, scale, y]], np.float32)
            seen = cv2.warpAffine(gray, move, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            picture = np.clip(seen + rng.normal(0, 4, seen.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return film


def measure(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of one process; ends the benchmark where that fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    work = usage.ru_utime + usage.ru_stime
    return seconds, work, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def color(film: Path, out: Path, options: list[str]) -> tuple[float, float, float]:
    return measure([*COMMAND, "video", str(film), "-o", str(out), "--quiet", *options])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--memory", action="store_true")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.memory:
            for times in (1, 2, 4):
                film = make(folder / f"{times}.mp4", times * asked.frames, (width, height))
                *_, peak = color(film, folder / f"{times}-color.mp4", WAYS["no objects"])
                print(f"{times * asked.frames:6} frames {peak:6.0f} MB", flush=True)
            return
        film = make(folder / "film.mp4", asked.frames, (width, height))
        print(f"{asked.frames} frames of {width} x {height}, {os.cpu_count()} cores")
        print(f"{'':26} {'frames/s':>8} {'ratio':>6} {'CPU s a frame':>13} {'ratio':>6} {'peak MB':>8}")
        ways = {"decoding, encoding alone": None, **WAYS}
        alone = work_alone = 0.0
        for title, options in ways.items():
            if options is None:
                command = [sys.executable, "-c", RECODE, str(film), str(folder / "out.mp4")]
                seconds, work, peak = alone, work_alone, _ = measure(command)
            else:
                seconds, work, peak = color(film, folder / f"{title}.mp4", options)
            print(
                f"{title:26} {asked.frames / seconds:8.1f} {alone / seconds:6.2f} "
                f"{work / asked.frames:13.3f} {work / work_alone:6.1f} {peak:8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
