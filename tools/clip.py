"""Makes examples/films/harbor.mp4: a camera that moves over one of the example photographs, as an old film has it.

python tools/clip.py            (needs instcolor[video])
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import cv2
import numpy as np

from instcolor import Photo
from instcolor.colorspace import L_to_gray8

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT, FRAMES, RATE = 480, 360, 72, 24
GRAIN, FLICKER = 3.0, 0.015  # gray values; share of the brightness


def frames(photo: Path) -> list[np.ndarray]:
    """Gray pictures (HEIGHT, WIDTH) of a move across a photo and towards it."""
    gray = L_to_gray8(Photo.open(photo).L)
    height, width = gray.shape
    rng = np.random.default_rng(0)
    pictures = []
    for number in range(FRAMES):
        way = 0.5 - 0.5 * np.cos(np.pi * number / (FRAMES - 1))
        scale = min(width / WIDTH, height / HEIGHT) * (0.85 - 0.25 * way)
        x = (width - WIDTH * scale) * (0.1 + 0.6 * way)
        y = (height - HEIGHT * scale) * (0.6 - 0.2 * way)
        move = np.array([[scale, 0, x], [0, scale, y]], np.float32)
        seen = cv2.warpAffine(gray, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP)
        grain = cv2.GaussianBlur(np.asarray(rng.normal(0, 1, seen.shape), np.float32), (0, 0), 0.7)
        seen = seen * (1 + FLICKER * rng.standard_normal()) + GRAIN / grain.std() * grain
        pictures.append(np.clip(seen, 0, 255).astype(np.uint8))
    return pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=ROOT / "examples" / "photos" / "nagasaki-boats.jpg")
    parser.add_argument("--out", type=Path, default=ROOT / "examples" / "films" / "harbor.mp4")
    arguments = parser.parse_args()
    with av.open(str(arguments.out), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "30", "preset": "veryslow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in frames(arguments.photo):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
