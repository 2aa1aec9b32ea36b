"""Colors borrowed from a reference photograph, as hints for the network.

After "Transferring Color to Greyscale Images" (Welsh, Ashikhmin, Mueller 2002): points of the old photo are matched to
points of the reference by lightness and by how busy their surroundings are. The colors become hints, and the network
spreads them the way it spreads a person's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..hints import Hints
from ..upsampling import resize_plane

GRID = 9  # hints on the longer side
SIDE = 96  # of the photos while they are compared
NEIGHBORS = 25  # points of the reference whose median color is taken
BUSY_WEIGHT = 0.6  # of a difference in texture against one in lightness
SAME_PLACE = 12.0  # L* that a point at the far end of the reference counts as different


def borrow(L: NDArray[np.float32], reference: NDArray[np.float32]) -> Hints:
    """Hints on the photo L (h, w) with the colors of `reference`, L*a*b* (H, W, 3)."""
    height, width = L.shape
    ours, theirs = _features(L), _features(reference[..., 0])
    rows, columns = theirs.shape[:2]
    ab = np.stack([resize_plane(np.ascontiguousarray(reference[..., c]), (rows, columns)) for c in (1, 2)], -1)
    pool, colors = theirs.reshape(-1, theirs.shape[2]), ab.reshape(-1, 2)
    across, down = (max(2, round(GRID * side / max(width, height))) for side in (width, height))
    points = []
    for y in (np.arange(down) + 0.5) / down:
        for x in (np.arange(across) + 0.5) / across:
            own = ours[int(y * ours.shape[0]), int(x * ours.shape[1])]
            distance = ((pool - own) ** 2).sum(1)
            nearest = np.argpartition(distance, min(NEIGHBORS, len(pool) - 1))[:NEIGHBORS]
            points.append((x * width, y * height, *np.median(colors[nearest], 0)))
    return Hints(np.array(points, np.float32))


def _features(L: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 4) of a small copy: lightness (equalised to mean 50, deviation 20), texture, place from left and top."""
    scale = SIDE / max(L.shape)
    small = resize_plane(L, (max(2, round(L.shape[0] * scale)), max(2, round(L.shape[1] * scale))))
    even = 50 + 20 * (small - small.mean()) / (small.std() + 1e-3)
    padded = np.pad(even, 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    busy = windows.std((2, 3))
    y, x = (np.linspace(0, SAME_PLACE, n, dtype=np.float32) for n in small.shape)
    place = np.stack(np.broadcast_arrays(0.5 * x[None, :], y[:, None]), -1)
    return np.concatenate([even[..., None], BUSY_WEIGHT * busy[..., None], place], -1).astype(np.float32)
