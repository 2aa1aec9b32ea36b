"""True masks: gray PNG files that lie beside photos and have their names."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import InstcolorError
from ...sources import Item, open_source

STEP = 85  # gray values // 85: 0 background, 1 person, 2 skin, 3 hair


def true_masks(sources: Sequence[Path]) -> dict[str, NDArray[np.bool_]]:
    """Stem of a photo -> (h, w) where its people are. Raises InstcolorError for a PNG that cannot be read."""
    found: dict[str, NDArray[np.bool_]] = {}
    for source in sources:
        items = [(PurePosixPath(item.name), item) for item in open_source(source)]
        photos = {name.with_suffix("") for name, _ in items if not _is_png(name)}
        found |= {name.stem: _read(item) for name, item in items if _is_png(name) and name.with_suffix("") in photos}
    return found


def _is_png(name: PurePosixPath) -> bool:
    return name.suffix.lower() == ".png"


def _read(item: Item) -> NDArray[np.bool_]:
    try:
        with Image.open(io.BytesIO(item.read()), formats=("PNG",)) as image:
            return np.asarray(image.convert("L")) >= STEP
    except (OSError, ValueError, SyntaxError) as error:
        raise InstcolorError(f"{item.label}: not a readable mask ({error})") from None
