"""Whether color makes up its mind: its spread where the true one is even, and how many hues an object has.

Both need no learned judge, and neither is won by paleness alone: compare them at like colorfulness.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from ...upsampling import resize_plane

Plane = NDArray[np.float32]

POSSIBLE = find_spec("skimage") is not None
"""Whether regions can be found here."""
GRID = 64  # cells of a picture's longer side: what the networks answer
FINENESS = 100.0  # `scale` of the segmentation, of Lab / 100
LEAST = 16  # cells of a region
EVEN = 4.0  # Lab units: a region whose true ab spreads further is not of one color

NEUTRAL = 8.0  # chroma under which a color has no hue to speak of
SECTORS = 8  # of the circle of hues, the first around +a*
SHARE = 0.1  # of an object that a family of colors takes at least


def reduced(planes: Plane) -> Plane:
    """(h, w, n) planes with no side over `GRID`; smaller ones as they are."""
    scale = min(1.0, GRID / max(planes.shape[:2]))
    shape = max(1, round(planes.shape[0] * scale)), max(1, round(planes.shape[1] * scale))
    return np.stack([resize_plane(planes[..., i], shape) for i in range(planes.shape[-1])], -1)


class EvenRegions:
    """The regions of a photo whose true color is even.

    Regions come from L*a*b* by "Efficient graph-based image segmentation" (Felzenszwalb and Huttenlocher, IJCV 2004),
    as scikit-image has it. Raises ImportError without that package.
    """

    def __init__(self, truth: Plane) -> None:
        from skimage.segmentation import felzenszwalb

        lab = reduced(truth)
        labels = felzenszwalb(lab / 100, scale=FINENESS, sigma=0, min_size=LEAST, channel_axis=-1)
        within = [labels == label for label in range(labels.max() + 1)]
        self.cells = [cells for cells in within if cells.sum() >= LEAST and _spread(lab[cells, 1:]) <= EVEN]

    def spread(self, lab: Plane) -> float:
        """Standard deviation of ab within the regions, mean over their cells; NaN where no region is even."""
        if not self.cells:
            return np.nan
        ab = reduced(lab[..., 1:])
        return float(np.average([_spread(ab[c]) for c in self.cells], weights=[c.sum() for c in self.cells]))


def _spread(ab: Plane) -> float:
    """Root of the summed variances of (n, 2)."""
    return float(np.sqrt(ab.var(0, dtype=np.float64).sum()))


def hues(ab: Plane) -> int:
    """How many families of colors have a tenth and more of (n, 2) ab: eighths of the circle of hues, and near-gray."""
    sector = np.round(np.arctan2(ab[:, 1], ab[:, 0]) * (SECTORS / (2 * np.pi))).astype(int) % SECTORS
    family = np.where(np.hypot(ab[:, 0], ab[:, 1]) < NEUTRAL, SECTORS, sector)
    return int((np.bincount(family, minlength=SECTORS + 1) >= SHARE * len(ab)).sum())
