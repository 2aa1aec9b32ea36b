"""Texts beside the pixels: those of PNG (ISO/IEC 15948, section 11.3.4) and the comments of JPEG (T.81, B.2.4.5)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile, PngInfo, iTXt

from .directories import ASCII, Directory

XMP_KEY = "XML:com.adobe.xmp"
PROFILES = "Raw profile type "  # by which ImageMagick calls EXIF, IPTC and others that PNG had no place for
COMMENT = "Comment"
MAX_COMMENT = 65_000  # bytes of a segment of JPEG, rounded down
IN_EXIF = {"Title": 270, "Description": 270, "Author": 315, "Copyright": 33432, "Software": 305}
"""Where EXIF says the same; of two that are given, the later one here."""


class Text(NamedTuple):
    """A text and what PNG calls it. `language` and `translated` (the key) where it came with them, so as iTXt."""

    key: str
    value: str
    international: bool = False
    language: str = ""
    translated: str = ""


def read_texts(image: Image.Image) -> tuple[Text, ...]:
    """The texts of a loaded PNG file in their order, but for XMP and profiles."""
    if not isinstance(image, PngImageFile):
        return ()
    return tuple(
        Text(key, str(value), True, _str(value.lang), _str(value.tkey))
        if isinstance(value, iTXt)
        else Text(key, str(value))
        for key, value in image.text.items()
        if key != XMP_KEY and not key.startswith(PROFILES)
    )


def read_comments(image: Image.Image) -> tuple[bytes, ...]:
    """The comments of an opened JPEG file."""
    if not isinstance(image, JpegImageFile):
        return ()
    return tuple(data for name, data in image.applist if name == "COM")


def png_texts(texts: tuple[Text, ...], comments: tuple[bytes, ...]) -> PngInfo:
    """As chunks of a PNG file."""
    info = PngInfo()
    for text in texts:
        if text.international:
            info.add_itxt(text.key, text.value, text.language, text.translated)
        else:
            info.add_text(text.key, text.value)
    for comment in comments:
        info.add_text(COMMENT, _decoded(comment))
    return info


def comment_segments(texts: tuple[Text, ...], comments: tuple[bytes, ...]) -> bytes:
    """As segments of a JPEG file; of texts those that are called comments."""
    called = tuple(text.value.encode() for text in texts if text.key == COMMENT)
    fitting = [comment for comment in (*comments, *called) if len(comment) <= MAX_COMMENT]
    return b"".join(struct.pack(">HH", 0xFFFE, 2 + len(comment)) + comment for comment in fitting)


def into_exif(texts: tuple[Text, ...], directory: Directory) -> None:
    """Puts texts of PNG where EXIF has a place for them and says nothing itself."""
    said = {text.key: text.value for text in texts}
    free = {tag for tag in IN_EXIF.values() if tag not in directory.entries}
    for key, tag in IN_EXIF.items():
        if key in said and tag in free:
            directory.put(tag, ASCII, said[key].encode() + b"\0")


def _str(value: str | bytes | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""


def _decoded(comment: bytes) -> str:
    try:
        return comment.decode()
    except UnicodeDecodeError:
        return comment.decode("latin-1")
