"""What files say about their photos beside the pixels: read as it stands, part by part, damaged parts left out.

Kept is what tells of the photo; what coloring makes untrue is dropped (orientation) or made anew (thumbnail) when a
result is written. Dropped, unless it is asked for, is where the photo was taken. Every result says in XMP that it was
made with a trained algorithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PIL import Image

from .directories import to_block
from .exif import read_exif
from .iptc import read_iptc
from .png import Chunks, color_chunks
from .texts import Text, read_comments, read_texts
from .thumbnails import has_thumbnail
from .xmp import Mark as Mark
from .xmp import read_xmp

Block = TypeVar("Block")


@dataclass(frozen=True)
class Metadata:
    """The blocks of a file as they came, EXIF without what is never kept."""

    exif: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    iptc: bytes = b""
    thumbnail: bool = False
    """Whether EXIF had a small picture."""
    texts: tuple[Text, ...] = ()
    """Of PNG."""
    comments: tuple[bytes, ...] = ()
    """Of JPEG."""
    color: Chunks = ()
    """gAMA and cHRM of a PNG file whose values they describe."""


def read_metadata(image: Image.Image, complaints: list[Any]) -> Metadata:
    """The metadata of a loaded image; damaged blocks are left out and named in `complaints`."""

    def sound(name: str, read: Callable[[Image.Image], Block], otherwise: Block) -> Block:
        try:
            return read(image)
        except Exception:  # damaged blocks raise nearly any
            complaints.append(name)
            return otherwise

    def exif(image: Image.Image) -> bytes:
        directory = read_exif(image)
        if directory.damaged:
            complaints.append("EXIF")
        return to_block(directory)

    return Metadata(
        exif=sound("EXIF", exif, b""),
        xmp=sound("XMP", read_xmp, b""),
        dpi=sound("resolution", _dpi, None),
        iptc=sound("IPTC", read_iptc, b""),
        thumbnail=sound("thumbnail", has_thumbnail, False),
        texts=sound("texts", read_texts, ()),
        comments=sound("comments", read_comments, ()),
        color=sound("gamma", color_chunks, ()),
    )


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    dpi = image.info.get("dpi")
    fine = isinstance(dpi, tuple) and len(dpi) == 2 and all(1 < float(v) < 1e5 for v in dpi)  # 1: none stated
    return (float(dpi[0]), float(dpi[1])) if dpi and fine else None
