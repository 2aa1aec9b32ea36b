"""Captions, names and keywords of archives: IPTC-IIM 4.2, in JPEG inside Photoshop's segment, in TIFF in a tag.

A record is a row of data sets: a marker, two numbers, a length, the value.
"""

from __future__ import annotations

import struct

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile
from PIL.TiffTags import UNDEFINED

TAG = 33723  # of TIFF
RESOURCE = 0x0404  # of Photoshop's
MARKER = 0x1C
KEPT_RECORDS = (1, 2)  # envelope and application; the others hold a picture
PREVIEWS = (200, 201, 202)  # data sets of record 2: the picture in gray, small
MAX_BYTES = 60_000  # of one JPEG segment, rounded down


def read_iptc(image: Image.Image) -> bytes:
    """The data sets of an opened image that tell of the photo; b"" where there are none. ValueError where damaged."""
    if isinstance(image, TiffImageFile):
        image.tag_v2.tagtype[TAG] = UNDEFINED  # bytes, also where the writer counted in units of four
        block = image.tag_v2.get(TAG, b"")
    else:
        resources = image.info.get("photoshop")
        block = resources.get(RESOURCE, b"") if isinstance(resources, dict) else b""
    return kept(block) if isinstance(block, bytes) else b""


def kept(block: bytes) -> bytes:
    """The data sets that stay true. ValueError where this is no row of data sets, or too long for a file."""
    parts, place = [], 0
    while block[place:].strip(b"\0"):  # writers fill up with zeros
        if len(block) - place < 5 or block[place] != MARKER:
            raise ValueError("no data set")
        record, number, length = struct.unpack_from(">BBH", block, place + 1)
        end = place + 5 + length
        if length > 0x7FFF or end > len(block):
            raise ValueError("a data set without an end")
        if record in KEPT_RECORDS and not (record == 2 and number in PREVIEWS):
            parts.append(block[place:end])
        place = end
    result = b"".join(parts)
    if len(result) > MAX_BYTES:
        raise ValueError("too long")
    return result


def segment(block: bytes) -> bytes:
    """The APP13 segment of a JPEG file that holds these data sets."""
    even = block + bytes(len(block) % 2)
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">H2xI", RESOURCE, len(block)) + even
    return struct.pack(">HH", 0xFFED, 2 + len(body)) + body
