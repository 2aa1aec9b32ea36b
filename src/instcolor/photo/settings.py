"""With which settings a file was written, so that its result is written with them too."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

# For photos that came in another format. Color noise compresses badly: speed costs little size.
DEFAULTS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92, "subsampling": "4:4:4"},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 90, "method": 2},
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
}
# A worse quality than this would be seen in the colors, which were never compressed before.
LOWEST_JPEG_QUALITY = 75
FULL_CHROMA_QUALITY = 90
# Sum of the luminance table of ITU-T T.81, annex K, which JPEG writers scale by their quality setting.
QUALITY_50_SUM = 3688
MAX_WEBP_CHUNKS = 64  # before the pixels: there are five kinds of them
WITH_QUALITY = ("JPEG", "WEBP")
LOSSLESS_TIFF = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "zstd")


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
    """Estimates the quality setting (1..100) that makes quantization tables as coarse as those of the image."""
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
