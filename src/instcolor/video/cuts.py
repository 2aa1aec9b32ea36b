"""Where scenes begin, told from light that flashes and from cameras that move.

Two frames are of one scene when they look alike after things have been moved by the flow. One that looks like nothing
before it begins a scene, unless a frame soon after looks like the one before it: then it is a flash (lightning, a
photographer's lamp, a splice), and the scene goes on behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from .motion import Flow, Gray, Motion, half, small_gray, still
from .reading import Frame

AHEAD = 3  # frames that a flash may last
LEAST_CORRELATION = 0.7  # of frames of one scene; between cuts of photographs it was at most 0.63
MOST_DIFFERENCE = 0.2  # of their contrast; between cuts it was at least 0.27, within moving scenes at most 0.1
BLACK = 48.0  # gray values of 256
FLAT = 4.0  # gray values of 256 that the pixels of an empty frame, a black one mostly, vary


class Place(Enum):
    """What a frame is to its scene."""

    FIRST = "first"
    INSIDE = "inside"
    FLASH = "flash"


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame and its place in its scene."""

    frame: Frame
    place: Place
    back: Motion
    """To the frame before it in its scene that is no flash; of the first and of a flash, as if nothing had moved."""
    there: Motion
    """From that frame to this one."""


def shots(frames: Iterable[Frame], bits: int) -> Iterator[Shot]:
    """The frames with their places, told apart by looking `AHEAD`."""
    flow = Flow()
    source = iter(frames)
    waiting: deque[tuple[Frame, Gray]] = deque()
    last: Gray | None = None
    while True:
        while len(waiting) <= AHEAD and (frame := next(source, None)) is not None:
            waiting.append((frame, small_gray(frame.Y, bits)))
        if not waiting:
            return
        frame, gray = waiting.popleft()
        nothing = still(half(gray))
        if last is None or _is_flat(last) > _is_flat(gray):
            yield Shot(frame, Place.FIRST, nothing, nothing)
            last = gray
            continue
        there, back = flow.between(last, gray)
        if _is_black(gray) or _alike(last, gray, there):
            yield Shot(frame, Place.INSIDE, back, there)
            last = gray
        elif any(_alike(last, later, flow.between(last, later)[0]) for _, later in waiting):
            yield Shot(frame, Place.FLASH, nothing, nothing)
        else:
            yield Shot(frame, Place.FIRST, nothing, nothing)
            last = gray


def _alike(a: Gray, b: Gray, motion: Motion) -> bool:
    """Whether a and b, moved to a, are of one scene."""
    shape = motion.sure.shape
    there, moved = (cv2.resize(gray, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) for gray in (a, b))
    moved = motion.bring(moved)
    spread, moved_spread = float(there.std()), float(moved.std())
    difference = there - moved
    difference -= np.median(difference)
    if np.abs(difference).mean() <= MOST_DIFFERENCE * (spread + moved_spread + FLAT):
        return True
    product = ((there - there.mean()) * (moved - moved.mean())).mean()
    return bool(product >= LEAST_CORRELATION * max(spread * moved_spread, 1e-6))


def _is_flat(gray: Gray) -> bool:
    return float(gray.std()) < FLAT


def _is_black(gray: Gray) -> bool:
    """What a scene fades out to; the next one begins with the first thing that is seen."""
    return _is_flat(gray) and float(gray.mean()) < BLACK
