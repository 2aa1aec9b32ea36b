"""An image to the bytes of a file, with the settings that its source had where they are known."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import PhotoError
from ..limits import MAX_SIDE
from .deep import XMP, png16, tiff16
from .formats import WITHOUT_ALPHA
from .iptc import TAG as IPTC
from .iptc import segment
from .metadata import MAX_SEGMENT, Mark, exif_for, xmp_for
from .source import Source
from .thumbnails import PREFIX as EXIF_PREFIX
from .thumbnails import with_thumbnail

# For photos that came in another format. Colour noise compresses badly: speed costs little size.
DEFAULTS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92, "subsampling": "4:4:4"},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 90, "method": 2},
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
}
# A worse quality than this would be seen in the colours, which were never compressed before.
LOWEST_JPEG_QUALITY = 75
FULL_CHROMA_QUALITY = 90
# Sum of the luminance table of ITU-T T.81, annex K, which JPEG writers scale by their quality setting.
QUALITY_50_SUM = 3688
MAX_WEBP_CHUNKS = 64  # before the pixels: there are five kinds of them
LOSSLESS_TIFF = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "zstd")


def encode(
    image: Image.Image,
    format: str,
    source: Source,
    *,
    mark: Mark | None = None,
    keep_gps: bool = False,
    thumbnail: bytes = b"",
) -> bytes:
    """The bytes of an RGB or RGBA image, in values of the source's profile, as a file of `format`.

    The source's metadata is written as far as it is still true, with the mark in XMP where there is one, and with
    `thumbnail` (a JPEG file) in EXIF. Formats without transparency get the photo on white.

    Raises:
        PhotoError: the format is not known or cannot hold an image of this size.
    """
    check(format, image.size, source)
    if image.mode == "RGBA" and format in WITHOUT_ALPHA:
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A"))
        image = flat
    options = source.save_options if format == source.format else {}
    blocks = _blocks(format, image.size, source, mark, keep_gps, thumbnail)
    stream = io.BytesIO()
    try:
        image.save(stream, format, **{**DEFAULTS[format], **options, **blocks})
    except (OSError, ValueError, MemoryError) as error:
        raise PhotoError(f"{source.name}: cannot be written as {format} ({error})") from error
    return stream.getvalue()


def encode_deep(
    parts: Iterable[NDArray[np.uint16]],
    size: tuple[int, int],
    channels: int,
    format: str,
    source: Source,
    *,
    mark: Mark | None = None,
    keep_gps: bool = False,
    thumbnail: bytes = b"",
) -> bytes:
    """`encode` for strips of 16-bit values, as PNG or TIFF."""
    check(format, size, source)
    metadata = source.metadata
    exif = exif_for(metadata, size, keep_gps=keep_gps)
    xmp = xmp_for(metadata, mark, keep_gps=keep_gps) if mark else b""
    icc = source.profile.data if source.profile else b""
    if format == "TIFF":
        return tiff16(parts, size, channels, exif=exif, xmp=xmp, iptc=metadata.iptc, icc=icc, dpi=metadata.dpi)
    block = _exif_block(exif, thumbnail).removeprefix(EXIF_PREFIX)
    return png16(parts, size, channels, exif=block, xmp=xmp, icc=icc, dpi=metadata.dpi)


def check(format: str, size: tuple[int, int], source: Source) -> None:
    """Raises PhotoError where a format is not known or cannot hold an image of this size."""
    if format not in DEFAULTS:
        raise PhotoError(f"{source.name}: cannot write {format or 'this format'} (only {', '.join(DEFAULTS)})")
    longest = MAX_SIDE.get(format)
    if longest is not None and max(size) > longest:
        raise PhotoError(f"{source.name}: {format} holds at most {longest} pixels a side, not {max(size)}")


def _exif_block(exif: Image.Exif, thumbnail: bytes, most: int | None = None) -> bytes:
    """EXIF with its thumbnail, without it where both are more than `most` bytes, b"" where it alone is more."""
    block = exif.tobytes() if len(exif) or thumbnail else b""
    for candidate in (with_thumbnail(block, thumbnail) if thumbnail else block, block):
        if most is None or len(candidate) <= most:
            return candidate
    return b""


def _blocks(
    format: str, size: tuple[int, int], source: Source, mark: Mark | None, keep_gps: bool, thumbnail: bytes
) -> dict[str, Any]:
    """Pillow's options that write metadata, mark and profile into a file of `format`."""
    if format == "BMP":  # holds none of them
        return {}
    most = MAX_SEGMENT if format == "JPEG" else None
    blocks: dict[str, Any] = {}
    exif = exif_for(source.metadata, size, keep_gps=keep_gps)
    if format == "TIFF":  # where XMP and IPTC are tags of the same directory
        if source.metadata.iptc:
            exif[IPTC] = source.metadata.iptc
        if mark:
            exif[XMP] = xmp_for(source.metadata, mark, keep_gps=keep_gps)
        if len(exif):
            blocks["exif"] = exif
    elif block := _exif_block(exif, thumbnail, most):
        blocks["exif"] = block
    if format == "JPEG" and source.metadata.iptc:
        blocks["extra"] = segment(source.metadata.iptc)
    if source.profile:
        blocks["icc_profile"] = source.profile.data
    if source.metadata.dpi and format != "WEBP":
        blocks["dpi"] = source.metadata.dpi
    if mark and format != "TIFF":
        xmp = xmp_for(source.metadata, mark, keep_gps=keep_gps, most=most)
        if format == "PNG":
            texts = PngInfo()
            texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
            blocks["pnginfo"] = texts
        else:
            blocks["xmp"] = xmp
    return blocks


def save_options(image: Image.Image) -> dict[str, Any]:
    """Pillow's options that write another image the way this one, as opened from its file, was written."""
    if isinstance(image, JpegImageFile):
        quality = max(LOWEST_JPEG_QUALITY, jpeg_quality(image))
        full = quality >= FULL_CHROMA_QUALITY or (image.layers == 3 and get_sampling(image) == 0)
        return {"quality": quality, "subsampling": "4:4:4" if full else "4:2:0"}
    if isinstance(image, TiffImageFile):
        compression = image.info.get("compression")
        return {"compression": compression} if compression in LOSSLESS_TIFF else {}
    if isinstance(image, WebPImageFile) and _is_lossless(image):
        return {"lossless": True, "quality": 0, "method": 0, "exact": True}
    return {}


def jpeg_quality(image: JpegImageFile) -> int:
    """Estimates the quality setting (1..100) that makes quantisation tables as coarse as those of the image."""
    table = image.quantization.get(0)
    if not table:
        return int(DEFAULTS["JPEG"]["quality"])
    percent = 100 * sum(table) / QUALITY_50_SUM
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent
    return min(100, max(1, round(quality)))


def _is_lossless(image: WebPImageFile) -> bool:
    """Whether the first picture in a WebP file is stored in the lossless way; looks at chunk headers only."""
    stream = image.fp
    if stream is None:
        return False
    place = stream.tell()
    stream.seek(12)
    lossless = False
    for _ in range(MAX_WEBP_CHUNKS):
        header = stream.read(8)
        if len(header) < 8 or header[:4] in (b"VP8 ", b"VP8L"):
            lossless = header[:4] == b"VP8L"
            break
        length = int.from_bytes(header[4:], "little")
        stream.seek(length + length % 2, io.SEEK_CUR)
    stream.seek(place)
    return lossless
