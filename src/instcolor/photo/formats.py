"""The file formats: which are read, how they are recognized, which suffix means which."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import PurePath

from PIL import ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
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

READ_ONLY = {"MPO": "JPEG", "HEIF": "JPEG", "JPEG2000": "JPEG"}
"""Pillow's names of what is read and comes home as another format: a JPEG with more pictures behind the first, HEIC,
JPEG 2000."""

EXTRAS = {"HEIC": "heic", "JPEG XL": "jxl", "camera raw": "raw"}
"""Kinds of files that an extra of this package reads."""
MODULES = {"JPEG XL": "imagecodecs", "camera raw": "rawpy"}
"""What reads them where it is none of Pillow's classes."""


def reader_of(format: str) -> type[ImageFile.ImageFile] | None:
    """Pillow's class that reads a format, where there is one; for "HEIC" that of the extra, where it is installed."""
    if format == "JPEG 2000":
        return Jpeg2KImageFile
    if format != "HEIC":
        return READERS.get(format)
    try:
        from pi_heif.as_plugin import HeifImageFile
    except ImportError:
        return None
    found: type[ImageFile.ImageFile] = HeifImageFile
    return found


def is_read(format: str) -> bool:
    """Whether files of a format are read, with the extras that are installed."""
    if format in MODULES:
        return find_spec(MODULES[format]) is not None
    return reader_of(format) is not None


def unreadable(format: str) -> str:
    """Why a file of this format, "" for an unknown one, is not read."""
    if format in EXTRAS:
        return f"{format} files need more than is installed: pip install 'instcolor[{EXTRAS[format]}]'"
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
"""Format of each file name suffix (lower case) that is written; the first suffix of a format is its usual one."""

ONLY_READ = {
    **{".mpo": "JPEG", ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".jxl": "JPEG XL"},
    **dict.fromkeys((".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc"), "JPEG 2000"),
    **dict.fromkeys(
        (
            *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".sr2", ".srf", ".orf", ".rw2", ".raf", ".pef"),
            *(".srw", ".3fr", ".erf", ".mef", ".mos", ".mrw", ".iiq", ".rwl", ".x3f", ".kdc", ".dcr"),
        ),
        "camera raw",
    ),
}
"""Format of suffixes that no result has; some are read by an extra."""

WITHOUT_ALPHA = ("JPEG", "BMP")
"""Formats that have no transparency when written."""

SIGNATURE_BYTES = 16
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"CR\x02\0", "camera raw"),  # Canon's, which begins like TIFF
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (8, b"WEBP", "WEBP"),
    (0, b"BM", "BMP"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"jP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL \r\n\x87\n", "JPEG XL"),
    (4, b"ftypcrx ", "camera raw"),
    (0, b"FUJIFILMCCD-RAW", "camera raw"),
    (0, b"IIRO", "camera raw"),
    (0, b"IIRS", "camera raw"),
    (0, b"MMOR", "camera raw"),
    (0, b"IIU\0", "camera raw"),
    (0, b"\0MRM", "camera raw"),
    (0, b"FOVb", "camera raw"),
    (6, b"HEAPCCDR", "camera raw"),
    # not read, only called by their names
    (0, b"GIF8", "GIF"),
    (4, b"ftypavif", "AVIF"),
    (0, b"%PDF", "PDF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"<svg", "SVG"),
)


def recognize(start: bytes) -> str:
    """The format that a file with these first `SIGNATURE_BYTES` has, "" where they say nothing."""
    for offset, signature, name in _SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            return name
    return ""


def is_photo(name: str) -> bool:
    """Whether a file's name ends as that of a photo that can be read."""
    suffix = PurePath(name).suffix.lower()
    return suffix in SUFFIXES or is_read(ONLY_READ.get(suffix, ""))


def result_suffix(start: bytes) -> str:
    """The suffix of the result of a photo with these first bytes, as far as they tell; "" where it cannot be read."""
    format = recognize(start[:SIGNATURE_BYTES])
    if not is_read(format):
        return ""
    return usual_suffix(format if format in READERS else "JPEG")


def usual_suffix(format: str) -> str:
    """ ".jpg" for "JPEG" and so on."""
    return next(suffix for suffix, name in SUFFIXES.items() if name == format)
