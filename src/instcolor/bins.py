"""The quantized ab plane: the cells of a 10-unit grid that some sRGB color falls into ("bins").

Zhang et al., "Colorful Image Colorization" (ECCV 2016), section 2.1, count 313 such cells; the number depends on
how the gamut is taken. Here a cell counts when a color of the sRGB cube, sampled at 65 steps a channel, lies in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEP = 10
# a*, lowest and highest b* of the cells' centers
ROWS = (
    (-90, 80, 80),
    (-80, 40, 80),
    (-70, 20, 90),
    (-60, 0, 90),
    (-50, -20, 90),
    (-40, -30, 90),
    (-30, -40, 90),
    (-20, -40, 90),
    (-10, -50, 90),
    (0, -60, 90),
    (10, -70, 80),
    (20, -70, 80),
    (30, -80, 80),
    (40, -90, 80),
    (50, -90, 70),
    (60, -100, 70),
    (70, -110, 70),
    (80, -110, 70),
    (90, -90, 0),
    (100, -70, -50),
)
BIN_CENTERS: NDArray[np.float32] = np.array(
    [(a, b) for a, low, high in ROWS for b in range(low, high + STEP, STEP)], np.float32
)
"""(261, 2): a* and b* of each bin's center, a* slow."""
BIN_COUNT = len(BIN_CENTERS)


def _nearest_table() -> NDArray[np.int64]:
    """Bin index of every cell of the square grid -110..110, cells out of the gamut given to the nearest bin."""
    axis = np.arange(-11, 12, dtype=np.float32) * STEP
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 1, 2)
    distance = ((grid - BIN_CENTERS) ** 2).sum(-1)
    return np.asarray(distance.argmin(1)).reshape(23, 23)


NEAREST: NDArray[np.int64] = _nearest_table()
"""(23, 23): index of the bin for cell (round(a / 10) + 11, round(b / 10) + 11)."""
