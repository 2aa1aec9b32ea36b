"""The small picture inside EXIF (EXIF 2.32, section 4.5.8: a JPEG file in a second directory), made anew in color."""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from ..colorspace import lab_to_srgb8

SIDE = 160  # pixels of the longer side, as cameras have it
QUALITY = 80
PREFIX = b"Exif\0\0"
COMPRESSION, START, LENGTH = 259, 513, 514
JPEG = 6


def has_thumbnail(image: Image.Image) -> bool:
    """Whether an opened image has one. Damaged EXIF raises nearly any exception."""
    return image.format != "TIFF" and START in image.getexif().get_ifd(ExifTags.IFD.IFD1)


def thumbnail(L: NDArray[np.float32], ab: NDArray[np.float32]) -> bytes:
    """The JPEG file of a photo with L (h, w) and ab (h, w, 2)."""
    step = max(1, max(L.shape) // (3 * SIDE))  # so that a large photo is not gone through as a whole
    rgb = lab_to_srgb8(np.ascontiguousarray(L[::step, ::step]), np.ascontiguousarray(ab[::step, ::step]))
    small = Image.fromarray(rgb)
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def with_thumbnail(block: bytes, jpeg: bytes) -> bytes:
    """An EXIF block (with its prefix) that has one directory, with the thumbnail in a second one."""
    body = block.removeprefix(PREFIX)
    body += bytes(len(body) % 2)
    order = "<" if body.startswith(b"II") else ">"
    (first,) = struct.unpack_from(f"{order}I", body, 4)
    (count,) = struct.unpack_from(f"{order}H", body, first)
    link, place = first + 2 + 12 * count, len(body)
    entries = ((COMPRESSION, 3, JPEG), (START, 4, place + 2 + 3 * 12 + 4), (LENGTH, 4, len(jpeg)))
    second = struct.pack(f"{order}H", len(entries))
    for tag, kind, value in entries:
        second += struct.pack(f"{order}HHI", tag, kind, 1)
        second += struct.pack(f"{order}H2x" if kind == 3 else f"{order}I", value)
    return PREFIX + body[:link] + struct.pack(f"{order}I", place) + body[link + 4 :] + second + bytes(4) + jpeg
