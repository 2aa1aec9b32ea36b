"""Captions, names and keywords of archives: IPTC-IIM 4.2, in JPEG inside Photoshop's segment, in TIFF in a tag, in PNG
in a text of ImageMagick's form.

A record is a row of data sets: a marker, two numbers, a length, the value.
"""

from __future__ import annotations

import struct

from PIL import Image
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.TiffTags import UNDEFINED

TAG = 33723  # of TIFF
TEXT_KEY = "Raw profile type iptc"  # of PNG
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
    elif isinstance(image, PngImageFile):
        text = image.text.get(TEXT_KEY)
        block = _of_text(text) if text else b""
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
    body = b"Photoshop 3.0\0" + _resource(block)
    return struct.pack(">HH", 0xFFED, 2 + len(body)) + body


def as_text(block: bytes) -> str:
    """The text of a PNG file that holds these data sets: a name, a length, hexadecimal lines."""
    data = _resource(block)
    digits = data.hex()
    lines = (digits[place : place + 72] for place in range(0, len(digits), 72))
    return f"\niptc\n{len(data):8}\n" + "\n".join(lines) + "\n"


def _of_text(text: str) -> bytes:
    """The data sets in such a text, with or without Photoshop's resource around them. ValueError where damaged."""
    data = bytes.fromhex("".join(text.split("\n")[3:]))
    if data[:1] == bytes([MARKER]):
        return data
    place = data.find(b"8BIM" + struct.pack(">H", RESOURCE))
    if place < 0:
        raise ValueError("no data sets")
    start = place + 6 + (data[place + 6] + 2 & ~1)  # behind a name with its length in front, filled up to be even
    (length,) = struct.unpack_from(">I", data, start)
    return data[start + 4 : start + 4 + length]


def _resource(block: bytes) -> bytes:
    """Photoshop's resource of data sets, without a name."""
    return b"8BIM" + struct.pack(">H2xI", RESOURCE, len(block)) + block + bytes(len(block) % 2)
