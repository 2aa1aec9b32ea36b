"""PNG files chunk by chunk (ISO/IEC 15948): damage beside the pixels taken out before they are decoded, gAMA and cHRM,
and files with 16 bits a channel in color, which Pillow does not write."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
COLOR_TYPE = 25  # its place in the file
Chunks = tuple[tuple[bytes, bytes], ...]
"""Kinds and data."""
LEVEL = 1  # of zlib: color noise compresses badly anyway
METERS_PER_INCH = 0.0254
MAX_UNPACKED = 8 << 20  # bytes of a compressed text or profile
MAX_TEXT = 32 << 20  # bytes of all texts of a file, unpacked
SIZES = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"tIME": 7, b"cICP": 4, b"acTL": 8, b"fcTL": 26}
"""Bytes of chunks that always have the same."""
TRANSPARENT = {b"\0": (2,), b"\2": (6,), b"\3": range(1, 257)}
"""Bytes of tRNS by color type: gray, RGB, palette."""
TEXTS = (b"tEXt", b"zTXt", b"iTXt")


def sound(stream: IO[bytes]) -> tuple[IO[bytes], bool]:
    """The file without ancillary chunks that are damaged, and whether there were such; itself where it is sound.

    Critical chunks are left to the decoder, and so is everything behind a length that leads out of the file.
    """
    end = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    color = stream.read(COLOR_TYPE + 1)[COLOR_TYPE:]
    kept: list[tuple[int, int]] = []
    place, budget, damaged = len(SIGNATURE), [MAX_TEXT], False
    while place + 12 <= end:
        stream.seek(place)
        length, kind = struct.unpack(">I4s", stream.read(8))
        after = place + 12 + length
        if not kind[0] & 0x20:
            kept.append((place, after))
        elif after > end:  # a false length: what follows is not to be found
            damaged = True
            break
        elif _is_sound(kind, stream.read(length), stream.read(4), color, budget):
            kept.append((place, after))
        else:
            damaged = True
        place = after
    if not damaged:
        return stream, False
    copy = io.BytesIO()
    copy.write(SIGNATURE)
    for start, after in kept:
        stream.seek(start)
        copy.write(stream.read(after - start))
    copy.write(END)
    return copy, True


def color_chunks(image: Image.Image) -> Chunks:
    """gAMA and cHRM of an opened PNG file, where neither sRGB nor a profile says more."""
    info = image.info
    if not isinstance(image, PngImageFile) or "srgb" in info or info.get("icc_profile"):
        return ()
    numbers = {b"gAMA": (info["gamma"],) if "gamma" in info else (), b"cHRM": info.get("chromaticity", ())}
    return tuple(
        (kind, struct.pack(f">{len(values)}I", *(round(value * 100_000) for value in values)))
        for kind, values in numbers.items()
        if values
    )


def png16(
    strips: Iterable[NDArray[np.uint16]],
    size: tuple[int, int],
    channels: int,
    *,
    exif: bytes = b"",
    icc: bytes = b"",
    dpi: tuple[float, float] | None = None,
    chunks: Iterable[tuple[bytes, bytes]] = (),
) -> bytes:
    """A PNG file of (rows, w, 3 or 4) values from top to bottom, with further chunks before them.

    `exif` without its "Exif" prefix.
    """
    parts = [SIGNATURE]

    def chunk(kind: bytes, data: bytes) -> None:
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

    chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 16, 6 if channels == 4 else 2, 0, 0, 0))
    if icc:
        chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
    if dpi:
        chunk(b"pHYs", struct.pack(">IIB", *(round(v / METERS_PER_INCH) for v in dpi), 1))
    if exif:
        chunk(b"eXIf", exif)
    for kind, data in chunks:
        chunk(kind, data)
    for data in _packed(strips, size[0] * channels * 2):
        chunk(b"IDAT", data)
    chunk(b"IEND", b"")
    return b"".join(parts)


def _packed(strips: Iterable[NDArray[np.uint16]], width: int) -> Iterator[bytes]:
    """The rows of strips, `width` bytes each, filtered and compressed."""
    packer = zlib.compressobj(LEVEL)
    above = np.zeros((1, width), np.uint8)
    for strip in strips:
        rows = strip.astype(">u2").reshape(len(strip), -1).view(np.uint8)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2  # each byte less the one above it
        filtered[:, 1:] = rows - np.concatenate([above, rows[:-1]])
        above = rows[-1:]
        if data := packer.compress(filtered.tobytes()):
            yield data
    yield packer.flush()


def _is_sound(kind: bytes, data: bytes, check: bytes, color: bytes, budget: list[int]) -> bool:
    """Whether a chunk of a file of this color type can be read, with what is left of the budget for texts."""
    if check != struct.pack(">I", zlib.crc32(kind + data)) or SIZES.get(kind, len(data)) != len(data):
        return False
    if kind == b"tRNS":
        return len(data) in TRANSPARENT.get(color, ())
    if kind == b"iCCP":
        return _unpacked(data.partition(b"\0")[2][1:]) is not None
    if kind not in TEXTS:
        return True
    name, zero, rest = data.partition(b"\0")
    if not name or not zero:
        return False
    if kind == b"zTXt":
        size = _unpacked(rest[1:]) if rest[:1] == b"\0" else None
    elif kind == b"iTXt" and rest[:1] == b"\1":
        size = _unpacked(rest[2:].split(b"\0", 2)[-1]) if rest[1:2] == b"\0" and rest.count(b"\0", 2) >= 2 else None
    else:
        size = len(rest) if kind == b"tEXt" or rest.count(b"\0", 2) >= 2 else None
    budget[0] -= size or 0
    return size is not None and budget[0] >= 0


def _unpacked(data: bytes) -> int | None:
    """The bytes that compressed data has unpacked; None where they are damaged or more than `MAX_UNPACKED`."""
    unpacker = zlib.decompressobj()
    try:
        size = len(unpacker.decompress(data, MAX_UNPACKED))
    except zlib.error:
        return None
    return size if unpacker.eof else None
