"""Camera raw files through the extra `raw` (LibRaw): developed as the camera would, then read like any photo."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

SRGB_CURVE = (2.4, 12.92)  # as LibRaw takes it


def develop(stream: IO[bytes], check: Callable[[tuple[int, int]], None]) -> NDArray[np.uint16]:
    """(h, w, 3) upright sRGB values of 16 bits; `check` is asked about (width, height) before anything is developed.

    ImportError without the extra, else whatever LibRaw raises.
    """
    import rawpy

    stream.seek(0)
    with rawpy.imread(cast(BinaryIO, stream)) as raw:
        check((raw.sizes.width, raw.sizes.height))
        return np.asarray(raw.postprocess(use_camera_wb=True, output_bps=16, gamma=SRGB_CURVE))
