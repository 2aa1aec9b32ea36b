"""PNG and TIFF files with 16 bits a channel in colour, which Pillow does not write.

PNG: ISO/IEC 15948, sections 5, 9 to 11. TIFF 6.0: sections 2, 14 (predictor); deflate as in Adobe's supplement 2.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .iptc import TAG as IPTC

LEVEL = 1  # of zlib: colour noise compresses badly anyway
METRES_PER_INCH = 0.0254
STRIPOFFSETS, STRIPBYTECOUNTS, XMP, ICC = 273, 279, 700, 34675
Strip = NDArray[np.uint16]
"""(rows, width, 3 or 4) sRGB or profile values 0..65535."""


def png16(
    strips: Iterable[Strip],
    size: tuple[int, int],
    channels: int,
    *,
    exif: bytes = b"",
    xmp: bytes = b"",
    icc: bytes = b"",
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """A PNG file of strips from top to bottom. `exif` without its "Exif" prefix."""
    parts = [b"\x89PNG\r\n\x1a\n"]

    def chunk(kind: bytes, data: bytes) -> None:
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

    chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 16, 6 if channels == 4 else 2, 0, 0, 0))
    if icc:
        chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
    if dpi:
        chunk(b"pHYs", struct.pack(">IIB", *(round(v / METRES_PER_INCH) for v in dpi), 1))
    if exif:
        chunk(b"eXIf", exif)
    if xmp:
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    packer = zlib.compressobj(LEVEL)
    above = np.zeros((1, size[0] * channels * 2), np.uint8)
    for strip in strips:
        rows = strip.astype(">u2").reshape(len(strip), -1).view(np.uint8)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2  # each byte less the one above it
        filtered[:, 1:] = rows - np.concatenate([above, rows[:-1]])
        above = rows[-1:]
        if data := packer.compress(filtered.tobytes()):
            chunk(b"IDAT", data)
    chunk(b"IDAT", packer.flush())
    chunk(b"IEND", b"")
    return b"".join(parts)


def tiff16(
    strips: Iterable[Strip],
    size: tuple[int, int],
    channels: int,
    *,
    exif: Image.Exif,
    xmp: bytes = b"",
    iptc: bytes = b"",
    icc: bytes = b"",
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """A TIFF file of strips from top to bottom, all but the last of the same number of rows."""
    packed, heights = [], []
    for strip in strips:
        change = strip.copy()
        change[:, 1:] -= strip[:, :-1]  # each value less its left neighbour, modulo 65536
        packed.append(zlib.compress(change.astype("<u2").tobytes(), LEVEL))
        heights.append(len(strip))
    directory = ImageFileDirectory_v2(b"II*\0\0\0\0\0")
    for tag, value in exif.items():
        directory[tag] = _inner(exif, tag) if tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo) else value
    lengths = [len(data) for data in packed]
    directory.tagtype.update({STRIPOFFSETS: 4, STRIPBYTECOUNTS: 4, XMP: 1, IPTC: 7, ICC: 7})
    facts: dict[int, Any] = {
        256: size[0],
        257: size[1],
        258: (16,) * channels,
        259: 8,
        262: 2,
        277: channels,
        278: heights[0],
    }
    facts |= {STRIPBYTECOUNTS: tuple(lengths), 284: 1, 317: 2}
    # counted from the end of the directory, which Pillow adds
    facts[STRIPOFFSETS] = tuple(sum(lengths[:i]) for i in range(len(lengths)))
    if channels == 4:
        facts[338] = 2
    if dpi:
        facts |= {282: dpi[0], 283: dpi[1], 296: 2}
    for tag, value in facts.items():
        directory[tag] = value
    if xmp:
        directory[XMP] = xmp
    if iptc:
        directory[IPTC] = iptc
    if icc:
        directory[ICC] = icc
    return b"".join([b"II*\0", struct.pack("<I", 8), directory.tobytes(8), *packed])


def _inner(exif: Image.Exif, tag: int) -> dict[int, Any]:
    """A directory inside the first one, without the one inside itself."""
    return {key: value for key, value in exif.get_ifd(tag).items() if key != ExifTags.IFD.Interop}
