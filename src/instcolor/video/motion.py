"""Where things have moved between frames: dense optical flow and how far to trust it.

DIS, "Fast Optical Flow using Dense Inverse Search" (Kroeger et al. 2016), as OpenCV has it, between small gray copies
of two frames, both ways. A place is trusted where the two frames look alike after the move, up to their grain, and
where the way back leads to where the way there began.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Gray = NDArray[np.uint8]

SIDE = 256  # of the copies that are compared, the longer
LEAST_SIDE = 16  # below it nothing is compared
CHANNELS = 100  # that OpenCV moves at once, of at most 128
LEAST_NOISE, MOST_NOISE = 1.5, 4.0  # gray values of 256 that two small copies may differ without having changed
SURE, LOST = 2.5, 6.0  # of the noise, between which trust falls from 1 to 0
ROUND_TRIP = 1.0  # pixels of the small copies that the way there and back may miss, plus a tenth of the way


class Motion(NamedTuple):
    """From each place of a frame to where the same thing is in another frame."""

    flow: Floats  # (h, w, 2) x and y in cells of this grid, which lies over the whole frame
    sure: Floats  # (h, w) 0..1 how far the place is to be trusted

    def at(self, shape: tuple[int, int]) -> Motion:
        """The same on another grid."""
        if shape == self.sure.shape:
            return self
        height, width = self.sure.shape
        scale = np.array([shape[1] / width, shape[0] / height], np.float32)
        smaller = shape[0] * shape[1] < height * width
        way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        flow, sure = (cv2.resize(plane, shape[::-1], interpolation=way) for plane in self)
        return Motion(np.asarray(flow * scale, np.float32), np.asarray(sure, np.float32))

    def then(self, further: Motion) -> Motion:
        """This motion and from there a further one, on the same grid."""
        moved = self.bring(np.concatenate([further.flow, further.sure[..., None]], -1))
        return Motion(self.flow + moved[..., :2], self.sure * moved[..., 2])

    def bring(self, values: Floats) -> Floats:
        """What a grid (h, w, n) or (h, w) of the other frame has, at the places of this one."""
        shape = values.shape[:2]
        flow = self.at(shape).flow
        y, x = np.indices(shape, np.float32)
        places = (x + flow[..., 0], y + flow[..., 1])
        if values.ndim == 2:
            return _remap(values, places)
        parts = [_remap(values[..., i : i + CHANNELS], places) for i in range(0, values.shape[2], CHANNELS)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, -1)


def still(shape: tuple[int, int]) -> Motion:
    """Nothing has moved."""
    return Motion(np.zeros((*shape, 2), np.float32), np.ones(shape, np.float32))


def small_gray(Y: NDArray[Any], bits: int) -> Gray:
    """A frame's luma as `Flow` compares it: at most `SIDE` a side, 8 bits."""
    scale = min(1.0, SIDE / max(Y.shape))
    size = max(1, round(Y.shape[1] * scale)), max(1, round(Y.shape[0] * scale))
    small = cv2.resize(Y, size, interpolation=cv2.INTER_AREA)
    eight = np.right_shift(np.asarray(small, Y.dtype), bits - 8).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(eight, (3, 3), 0), np.uint8)


def half(gray: Gray) -> tuple[int, int]:
    """Height and width of the grid on which the motion of such frames is kept."""
    return -(-gray.shape[0] // 2), -(-gray.shape[1] // 2)


class Flow:
    """Motion between two small gray frames, both ways, on a grid of half their sides."""

    def __init__(self) -> None:
        self._dis: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def between(self, a: Gray, b: Gray) -> tuple[Motion, Motion]:
        """From a to b, and from b to a."""
        if min(a.shape) < LEAST_SIDE:
            return still(half(a)), still(half(a))
        there, back = self._dis.calc(a, b, None), self._dis.calc(b, a, None)
        noise_a, noise_b = _difference(a, b, there), _difference(b, a, back)
        pair = _motion(there, back, noise_a), _motion(back, there, noise_b)
        return pair[0].at(half(a)), pair[1].at(half(a))


def _motion(there: Floats, back: Floats, difference: Floats) -> Motion:
    """A flow and its trust, from the way back and from how a and b differ after the move."""
    noise = float(np.clip(np.median(difference), LEAST_NOISE, MOST_NOISE))
    alike = (LOST - difference / noise) / (LOST - SURE)
    returned = there + Motion(there, difference).bring(back)
    missed = np.hypot(returned[..., 0], returned[..., 1])
    allowed = ROUND_TRIP + 0.1 * np.hypot(there[..., 0], there[..., 1])
    height, width = difference.shape
    y, x = np.indices((height, width), np.float32)
    x, y = x + there[..., 0], y + there[..., 1]
    inside = (x > -1) & (x < width) & (y > -1) & (y < height)
    sure = np.minimum(alike, 2 - missed / allowed).clip(0, 1) * inside
    return Motion(there, sure.astype(np.float32))


def _difference(a: Gray, b: Gray, flow: Floats) -> Floats:
    """(h, w) gray values that a and b, moved to a, differ; light that changes everywhere alike is no difference."""
    moved = Motion(flow, flow[..., 0]).bring(b.astype(np.float32))
    gain = float(np.std(a) + 1) / float(np.std(moved) + 1)
    difference = a - moved * np.clip(gain, 0.5, 2)
    difference -= np.median(difference)
    return np.asarray(cv2.blur(np.abs(difference), (5, 5)), np.float32)


def _remap(values: Floats, places: tuple[Floats, Floats]) -> Floats:
    values = np.ascontiguousarray(values, np.float32)
    moved = cv2.remap(values, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32).reshape(values.shape)
