"""EXIF of photos and of their results: what stays true is carried through byte by byte.

EXIF 2.32 (CIPA DC-008). Kept is what tells of the photo; dropped is how the file was laid out.
"""

from __future__ import annotations

from contextlib import suppress

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from .directories import EXIF, GPS, INNER, LONG, SHORT, Directory, from_block, read_directory, read_header

KEPT = frozenset(
    {
        *(269, 270, 271, 272, 285, 305, 306, 315, 316),  # names, camera, software, date, artist
        *(282, 283, 296),  # resolution
        *(18246, 18249, 33432, 40091, 40092, 40093, 40094, 40095),  # rating, copyright, Windows' texts
        *INNER,
    }
)
"""Tags of the first directory that tell of the photo."""
COLOR_SPACE, WIDTH, HEIGHT, GAMMA = 40961, 40962, 40963, 42240
S_RGB, UNCALIBRATED = 1, 65535


def read_exif(image: Image.Image) -> Directory:
    """What an opened image says of its photo. Raises nearly anything where that is damaged."""
    stream = image.fp if isinstance(image, TiffImageFile) else None
    if isinstance(image, TiffImageFile) and stream is not None and not stream.closed:
        place = stream.tell()
        try:
            return read_directory(stream, read_header(stream), image.tag_v2.offset or 0, KEPT.__contains__)
        finally:
            stream.seek(place)
    block = image.info.get("exif")
    if not isinstance(block, bytes):  # made by hand, in a text of PNG, or of a TIFF file that is closed by now
        own = image.getexif()
        exif = Image.Exif()
        for tag in KEPT.intersection(own):
            exif[tag] = own.get_ifd(tag) if tag in INNER else own[tag]
        block = exif.tobytes() if len(exif) else b""
    return from_block(block, KEPT.__contains__) if block.removeprefix(b"Exif\0\0") else Directory()


def exif_for(block: bytes, size: tuple[int, int], *, is_srgb: bool, keep_gps: bool = False) -> Directory:
    """The EXIF of a result of `size` (width, height), of that of its source; empty where there is none to be read.

    `is_srgb` says whether the result's values are those of sRGB.
    """
    directory = Directory()
    with suppress(ValueError):
        directory = from_block(block)
    if not keep_gps:
        directory.inner.pop(GPS, None)
    if inner := directory.inner.get(EXIF):
        for tag, value in zip((WIDTH, HEIGHT), size, strict=True):
            if tag in inner.entries:
                inner.put(tag, LONG, [value])
        if COLOR_SPACE in inner.entries:
            inner.put(COLOR_SPACE, SHORT, [S_RGB if is_srgb else UNCALIBRATED])
        inner.entries.pop(GAMMA, None)
    return directory
