"""Colors with 16 bits a channel in PNG and TIFF, of which Pillow reads the upper 8: read twice, once for each byte.

Pillow unpacks a 16-bit value to its upper byte, whichever of the two comes first in the file. Told the other order, the
same decoder hands out the lower byte. So every bit is read, and no further decoder sees the bytes of strangers.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, TiffImageFile

COLORS = ("RGB;16", "RGBA;16", "RGBX;16")  # Pillow's names of the layouts, before the byte order
GRAY_AND_ALPHA = "LA;16B"
PLANES = ("R", "G", "B", "A")  # layouts of a TIFF file with a plane for each channel
NATIVE, FOREIGN = ("L", "B") if sys.byteorder == "little" else ("B", "L")
OTHER = {"L": "B", "B": "L", "N": FOREIGN}


class ByteTiles(NamedTuple):
    """How an image is to be decoded for the upper and for the lower bytes, as its `tile`."""

    upper: list[Any]
    lower: list[Any]


def byte_tiles(image: ImageFile.ImageFile) -> ByteTiles | None:
    """For an image that is opened and not yet loaded; None where it is of another kind."""
    tiles = list(image.tile)
    layout = layout_of(tiles[0]) if tiles else ""
    if layout == GRAY_AND_ALPHA:
        return ByteTiles(tiles, [_with(tile, "RGBA") for tile in tiles])  # four bytes of a pixel are the two values
    if layout in PLANES and isinstance(image, TiffImageFile) and set(image.tag_v2.get(BITSPERSAMPLE, ())) == {16}:
        # Pillow takes these for 8 bits
        ends = ("L", "B") if image.tag_v2.prefix == b"II" else ("B", "L")
        return ByteTiles(*([_with(tile, f"{layout_of(tile)};16{end}") for tile in tiles] for end in ends))
    # in separate planes libtiff has an order of its own, which cannot be told
    together = not isinstance(image, TiffImageFile) or image.tag_v2.get(284, 1) == 1
    if layout[:-1] in COLORS and together:
        return ByteTiles(tiles, [_with(tile, layout_of(tile)[:-1] + OTHER[layout_of(tile)[-1]]) for tile in tiles])
    return None


def joined(upper: NDArray[np.uint8], lower: NDArray[np.uint8], layout: str) -> NDArray[np.uint16]:
    """(h, w, channels) values of the upper and the lower bytes (h, w, 3 or 4) of an image that came in `layout`."""
    if layout == GRAY_AND_ALPHA:
        return np.ascontiguousarray(lower).view(">u2").astype(np.uint16)
    return upper.astype(np.uint16) << np.uint16(8) | lower


def layout_of(tile: Any) -> str:
    """How the file stores a pixel, as Pillow calls it ("RGB;16B"); "" where that is not known."""
    layout = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    return layout if isinstance(layout, str) else ""


def _with(tile: Any, layout: str) -> Any:
    return tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)
