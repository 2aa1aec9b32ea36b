"""The file formats: which are read, how they are recognised, which suffix means which."""

from __future__ import annotations

from pathlib import PurePath

from PIL import ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "TIFF": TiffImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
}
"""The allow-list. The class is called directly, so that no other decoder of Pillow ever sees the bytes."""

SAME_AS = {"MPO": "JPEG", "HEIF": "JPEG"}
"""Pillow's names of what comes home as another format: a JPEG with more pictures behind the first; HEIC, only read."""


def reader_of(format: str) -> type[ImageFile.ImageFile] | None:
    """What reads a format: one of `READERS`; for "HEIC" the extra `heic`, where it is installed."""
    if format != "HEIC":
        return READERS.get(format)
    try:
        from pi_heif.as_plugin import HeifImageFile
    except ImportError:
        return None
    found: type[ImageFile.ImageFile] = HeifImageFile
    return found


def unreadable(format: str) -> str:
    """Why a file of this format, "" for an unknown one, is not read."""
    if format == "HEIC":
        return "HEIC files need more than is installed: pip install 'instcolor[heic]'"
    what = f"{format} files cannot be read" if format else "not a photo that can be read"
    return f"{what} (only {', '.join(READERS)})"


SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".bmp": "BMP",
}
"""Format of each file name suffix (lower case); the first suffix of a format is its usual one."""

ONLY_READ = {".mpo": "JPEG", ".heic": "HEIC", ".heif": "HEIC"}
"""Format of suffixes that no result has."""

WITHOUT_ALPHA = ("JPEG", "BMP")
"""Formats that have no transparency when written."""

SIGNATURE_BYTES = 16
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (8, b"WEBP", "WEBP"),
    (0, b"BM", "BMP"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    # not read, only called by their names
    (0, b"GIF8", "GIF"),
    (4, b"ftypavif", "AVIF"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"%PDF", "PDF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"<svg", "SVG"),
)


def recognise(start: bytes) -> str:
    """The format that a file with these first `SIGNATURE_BYTES` has, "" where they say nothing."""
    for offset, signature, name in _SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            return name
    return ""


def is_photo(name: str) -> bool:
    """Whether a file's name ends as that of a photo that can be read."""
    suffix = PurePath(name).suffix.lower()
    return suffix in SUFFIXES or reader_of(ONLY_READ.get(suffix, "")) is not None


def result_suffix(start: bytes) -> str:
    """The suffix of the result of a photo with these first bytes, as far as they tell; "" where it cannot be read."""
    format = recognise(start[:SIGNATURE_BYTES])
    if reader_of(format) is None:
        return ""
    return usual_suffix({"HEIC": "JPEG"}.get(format, format))


def usual_suffix(format: str) -> str:
    """ ".jpg" for "JPEG" and so on."""
    return next(suffix for suffix, name in SUFFIXES.items() if name == format)
