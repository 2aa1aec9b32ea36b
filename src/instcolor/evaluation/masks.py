"""True outlines of what is on photos: PNG files of the photos' stems, in a folder, a zip file or tar shards."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import PhotoError
from ..objects import Size
from ..sources import Item, open_source

INSIDE, SKIN = 1, 2
"""What a cell of a mask says beside 0, outside."""
SKIN_GRAY = 170, 255  # from, and up to but without: a mask in black and white marks no skin


class TrueMasks:
    """The masks of a place.

    Each is a PNG file in gray, black and white, or a palette. Everything but 0 is inside; in gray, values of 170 to
    254 are skin, as in masks of the values 0, 85 (person), 170 (skin) and 255 (hair).
    """

    def __init__(self, items: Mapping[str, Item]) -> None:
        self._items = dict(items)

    @classmethod
    def opened(cls, place: Path) -> Self:
        """The PNG files of a place; where photos of other kinds are too, those that lie beside one of their name.

        Raises InstcolorError, also where there are none.
        """
        items = {item.name: item for item in open_source(place)}
        masks = beside(items) if any(not _is_png(name) for name in items) else set(items)
        if not masks:
            raise PhotoError(f"{place}: no masks in it, which are PNG files of the photos' names")
        return cls({PurePosixPath(name).stem: items[name] for name in sorted(masks)})

    def for_photo(self, name: str, size: Size) -> NDArray[np.uint8] | None:
        """(h, w) of 0, `INSIDE` and `SKIN` at `size` (width, height); None where no mask has the photo's stem.

        A mask of another size is stretched. Raises PhotoError for one that cannot be read.
        """
        item = self._items.get(PurePosixPath(name).stem)
        if item is None:
            return None
        try:
            with Image.open(io.BytesIO(item.read()), formats=("PNG",)) as image:
                gray = image if image.mode == "P" else image.convert("L")
                values = np.asarray(gray.resize(size, Image.Resampling.NEAREST))
        except (OSError, ValueError, SyntaxError) as error:
            raise PhotoError(f"{item.label}: not a readable mask ({' '.join(str(error).split())})") from error
        marked: NDArray[np.uint8] = (values != 0).astype(np.uint8)
        if gray.mode == "L":
            marked[(values >= SKIN_GRAY[0]) & (values < SKIN_GRAY[1])] = SKIN
        return marked


def beside(names: Iterable[str]) -> set[str]:
    """The PNG files among photos that lie beside another kind of photo of their name: masks of those."""
    listed = list(names)
    others = {PurePosixPath(name).with_suffix("") for name in listed if not _is_png(name)}
    return {name for name in listed if _is_png(name) and PurePosixPath(name).with_suffix("") in others}


def _is_png(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() == ".png"
