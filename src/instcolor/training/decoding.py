"""From the bytes of a photo to pixels to learn from. Loads no torch."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colorspace import srgb_to_lab
from ..errors import PhotoError
from ..photo.picture import read_picture

MIN_CHROMA_RANGE = 10.0  # of a* plus of b*; photos under it teach nothing (as in the paper's code)
JPEG_QUALITY = 95

R = TypeVar("R")


class Decoded(NamedTuple):
    """A photo as a training keeps it."""

    rgb: NDArray[np.uint8]  # (h, w, 3)
    original: tuple[int, int]  # width, height of the upright photo before it was made smaller


def in_order(work: Callable[..., R], entries: Iterator[tuple[Any, ...]], threads: int) -> Iterator[R]:
    """`work` on every entry in several threads, results in the order of the entries, few of them waiting."""
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for entry in entries:
            waiting.append(pool.submit(work, *entry))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def decode(data: bytes, short_side: int) -> Decoded | str:
    """An upright photo with at most `short_side` on its shorter side, or the reason why there is none."""
    try:
        image, original = read_picture(data, "", least=2 * short_side)
    except PhotoError:
        return "unreadable"
    scale = short_side / min(original)
    if scale < 1:
        size = (max(1, round(original[0] * scale)), max(1, round(original[1] * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    return Decoded(np.asarray(image), original)


def is_gray(rgb: NDArray[np.uint8]) -> bool:
    """Whether (h, w, 3) sRGB bytes have no color to learn from: a* and b* hardly range."""
    ab = srgb_to_lab(rgb[::4, ::4].astype(np.float32) / 255)[..., 1:]
    return bool((ab.max((0, 1)) - ab.min((0, 1))).sum() < MIN_CHROMA_RANGE)


def as_jpeg(rgb: NDArray[np.uint8]) -> bytes:
    """(h, w, 3) sRGB bytes as a JPEG without subsampled colors."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue()
