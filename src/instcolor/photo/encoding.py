"""An image to the bytes of a file, with the settings that its source had where they are known."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import PhotoError
from ..limits import MAX_SIDE
from .directories import Directory, to_block
from .exif import exif_for
from .formats import WITHOUT_ALPHA
from .iptc import as_text, segment
from .png import png16
from .settings import DEFAULTS, WITH_QUALITY
from .source import Source
from .texts import PROFILES, XMP_KEY, comment_segments, into_exif, png_texts
from .thumbnails import PREFIX as EXIF_PREFIX
from .thumbnails import with_thumbnail
from .tiff_writer import Page, TiffWriter, deep_page, page_of
from .xmp import Mark, xmp_for

MAX_SEGMENT = 65_000  # bytes of EXIF or XMP that JPEG holds, rounded down


@dataclass(frozen=True)
class Said:
    """What a result says beside its pixels, as far as it is still true: of its source, of itself.

    `mark` goes into XMP where there is one, `thumbnail` (a JPEG file) into EXIF, `keep_gps` leaves the place in both.
    """

    source: Source
    mark: Mark | None = None
    keep_gps: bool = False
    thumbnail: bytes = b""

    def exif(self, format: str, size: tuple[int, int]) -> Directory:
        """EXIF of a result of `size`."""
        profile, metadata = self.source.profile_in(format), self.source.metadata
        is_srgb = profile is None or profile.is_srgb
        directory = exif_for(metadata.exif, size, is_srgb=is_srgb, keep_gps=self.keep_gps)
        if format != "PNG":
            into_exif(metadata.texts, directory)
        return directory

    def exif_block(self, format: str, size: tuple[int, int], most: int | None = None) -> bytes:
        """EXIF with its thumbnail, without it where both are more than `most` bytes, b"" where it alone is more."""
        block = to_block(self.exif(format, size), empty=bool(self.thumbnail))
        for candidate in (with_thumbnail(block, self.thumbnail) if self.thumbnail else block, block):
            if most is None or len(candidate) <= most:
                return candidate
        return b""

    def xmp(self, format: str, most: int = 0) -> bytes:
        """XMP; b"" where there is no mark."""
        if self.mark is None:
            return b""
        keeps_profile = bool(self.icc(format))
        packet = self.source.metadata.xmp
        return xmp_for(packet, self.mark, format=format, keeps_profile=keeps_profile, keep_gps=self.keep_gps, most=most)

    def icc(self, format: str) -> bytes:
        """The profile; b"" where there is none, or where it is said in other words."""
        profile = self.source.profile_in(format)
        return profile.data if profile else b""

    def png_chunks(self) -> PngInfo:
        """XMP, texts, IPTC, gAMA and cHRM of a PNG file."""
        metadata = self.source.metadata
        info = png_texts(metadata.texts, metadata.comments)
        if self.source.profile and not self.source.profile.data:
            for kind, data in metadata.color:
                info.add(kind, data)
        if metadata.iptc:
            info.add_text(f"{PROFILES}iptc", as_text(metadata.iptc), zip=True)
        if xmp := self.xmp("PNG"):
            info.add_itxt(XMP_KEY, xmp.decode())
        return info


def encode(image: Image.Image, format: str, said: Said, *, quality: int | None = None) -> bytes:
    """The bytes of an RGB or RGBA image, in values of the source's profile, as a file of `format`.

    Formats without transparency get the photo on white. `quality` (1..100) is that of JPEG and WebP; by default the
    source's own.

    Raises:
        PhotoError: the format is not known or cannot hold an image of this size.
    """
    check(format, image.size, said.source)
    if format == "TIFF":
        return one_page(tiff_page(image, said))
    if image.mode == "RGBA" and format in WITHOUT_ALPHA:
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A"))
        image = flat
    return _saved(image, format, said.source, _blocks(format, image.size, said), quality)


def encode_deep(
    parts: Iterable[NDArray[np.uint16]], size: tuple[int, int], channels: int, format: str, said: Said
) -> bytes:
    """`encode` for strips of 16-bit values, as PNG or TIFF."""
    check(format, size, said.source)
    if format == "TIFF":
        return one_page(deep_tiff_page(parts, size, channels, said))
    exif = said.exif_block(format, size).removeprefix(EXIF_PREFIX)
    chunks = [(chunk[0], chunk[1]) for chunk in said.png_chunks().chunks]
    return png16(parts, size, channels, exif=exif, icc=said.icc(format), dpi=said.source.metadata.dpi, chunks=chunks)


def tiff_page(image: Image.Image, said: Said) -> Page:
    """An RGB or RGBA image as a page of a TIFF file."""
    check("TIFF", image.size, said.source)
    blocks: dict[str, Any] = {"icc_profile": said.icc("TIFF")} if said.icc("TIFF") else {}
    if said.source.metadata.dpi:
        blocks["dpi"] = said.source.metadata.dpi
    page = page_of(_saved(image, "TIFF", said.source, blocks))
    page.say(said.exif("TIFF", image.size), said.xmp("TIFF"), said.source.metadata.iptc)
    return page


def deep_tiff_page(parts: Iterable[NDArray[np.uint16]], size: tuple[int, int], channels: int, said: Said) -> Page:
    """Strips of 16-bit values as a page of a TIFF file."""
    page = deep_page(parts, size, channels, icc=said.icc("TIFF"), dpi=said.source.metadata.dpi)
    page.say(said.exif("TIFF", size), said.xmp("TIFF"), said.source.metadata.iptc)
    return page


def one_page(page: Page) -> bytes:
    """The TIFF file of a page."""
    stream = io.BytesIO()
    TiffWriter(stream).add(page.strips, page.directory)
    return stream.getvalue()


def check(format: str, size: tuple[int, int], source: Source) -> None:
    """Raises PhotoError where a format is not known or cannot hold an image of this size."""
    if format not in DEFAULTS:
        raise PhotoError(f"{source.name}: cannot write {format or 'this format'} (only {', '.join(DEFAULTS)})")
    longest = MAX_SIDE.get(format)
    if longest is not None and max(size) > longest:
        raise PhotoError(f"{source.name}: {format} holds at most {longest} pixels a side, not {max(size)}")


def _saved(
    image: Image.Image, format: str, source: Source, blocks: dict[str, Any], quality: int | None = None
) -> bytes:
    options = source.save_options if format == source.format else {}
    if quality is not None and format in WITH_QUALITY:
        options = {**options, "quality": quality, **({"lossless": False} if format == "WEBP" else {})}
    stream = io.BytesIO()
    try:
        image.save(stream, format, **{**DEFAULTS[format], **options, **blocks})
    except (OSError, ValueError, MemoryError) as error:
        raise PhotoError(f"{source.name}: cannot be written as {format} ({error})") from error
    return stream.getvalue()


def _blocks(format: str, size: tuple[int, int], said: Said) -> dict[str, Any]:
    """Pillow's options that write what is said into a file of `format`, but TIFF."""
    metadata = said.source.metadata
    blocks: dict[str, Any] = {}
    if metadata.dpi and format != "WEBP":
        blocks["dpi"] = metadata.dpi
    if format == "BMP":  # holds nothing else
        return blocks
    if block := said.exif_block(format, size, MAX_SEGMENT if format == "JPEG" else None):
        blocks["exif"] = block
    if icc := said.icc(format):
        blocks["icc_profile"] = icc
    if format == "PNG":
        blocks["pnginfo"] = said.png_chunks()
    elif xmp := said.xmp(format, MAX_SEGMENT if format == "JPEG" else 0):
        blocks["xmp"] = xmp
    if format == "JPEG":
        iptc = segment(metadata.iptc) if metadata.iptc else b""
        blocks["extra"] = iptc + comment_segments(metadata.texts, metadata.comments)
    return blocks
