"""From files, bytes, Pillow images and arrays to upright planes. Whatever is wrong ends as a PhotoError."""

from __future__ import annotations

import io
import stat
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from ..errors import PhotoError
from ..files import shown
from .directories import from_block, read_directory, read_header, to_block
from .exif import KEPT
from .formats import SIGNATURE_BYTES, reader_of, recognize, unreadable
from .guard import errors_of, pillow_guard, reason
from .images import Decoded, check_size, decode_image, upright
from .jpeg import lacking_end_only
from .jpeg_xl import boxes, decode_pixels, size_of
from .metadata import Metadata
from .pixels import array_planes
from .png import sound
from .sensor import develop
from .source import Source
from .tiff_kinds import UNKNOWN, described
from .tiff_pages import At, pages_of

DAMAGED = "has damaged metadata, which is left out"


def decode(
    source: str | Path | bytes | BinaryIO | Image.Image | NDArray[Any], max_pixels: int, page: int | None = None
) -> Decoded:
    """Reads any kind of source; `Photo.open` says which and how."""
    if isinstance(source, (str, Path)):
        return _decode_file(Path(source), max_pixels, page)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode_stream(io.BytesIO(source), "<bytes>", max_pixels, page)
    if not isinstance(source, Image.Image) and hasattr(source, "read"):
        data = source.read()
        if not isinstance(data, bytes):
            raise TypeError("a photo's file is opened in binary mode, not as text")
        return _decode_stream(io.BytesIO(data), shown(Path(str(getattr(source, "name", "<file>")))), max_pixels, page)
    if isinstance(source, Image.Image):
        with errors_of("<image>", "it"):
            return decode_image(source, "<image>", max_pixels)
    if isinstance(source, np.ndarray):
        return _decode_array(source, "<array>", max_pixels)
    raise TypeError(f"a photo is a path, bytes, a binary file, a Pillow image or an array, not {type(source).__name__}")


def _decode_file(path: Path, max_pixels: int, page: int | None) -> Decoded:
    name = shown(path)
    try:
        # asked first, because opening a pipe that nobody writes to would wait for ever
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise PhotoError(f"{name}: is a directory, not a photo")
        if not stat.S_ISREG(mode):
            raise PhotoError(f"{name}: is not a regular file")
        with path.open("rb") as stream:
            return _decode_stream(stream, name, max_pixels, page)
    except FileNotFoundError as error:
        raise PhotoError(f"{name}: no such file") from error
    except PermissionError as error:
        raise PhotoError(f"{name}: no permission to read it") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise PhotoError(f"{name}: {reason(error)}") from error


def _decode_stream(stream: IO[bytes], name: str, max_pixels: int, page: int | None) -> Decoded:
    start = stream.read(SIGNATURE_BYTES)
    if not start:
        raise PhotoError(f"{name}: is empty")
    format = recognize(start)
    with errors_of(name, f"the {format} file"):
        if format == "TIFF":
            return _decode_tiff(stream, name, max_pixels, page)
        if page not in (None, 1):
            raise PhotoError(f"{name}: has one page, not {page}")
        if format == "JPEG XL":
            return _decode_jpeg_xl(stream, name, max_pixels)
        if format == "camera raw":
            return _decode_sensor(stream, name, max_pixels)
        if format == "PNG":
            stream, damaged = sound(stream)
            decoded = _decode_pillow(stream, name, format, max_pixels)
            return _noted(decoded, DAMAGED) if damaged and DAMAGED not in decoded.source.notes else decoded
        return _decode_pillow(stream, name, format, max_pixels)


def _decode_pillow(stream: IO[bytes], name: str, format: str, max_pixels: int, notes: tuple[str, ...] = ()) -> Decoded:
    """A file, or the first picture in it, by Pillow's decoder of a format."""
    reader = reader_of(format)
    if reader is None:
        raise PhotoError(f"{name}: {unreadable(format)}")

    def opened(stream: IO[bytes] = stream) -> ImageFile.ImageFile:
        stream.seek(0)
        with pillow_guard(max_pixels):  # some decoders warn while they read the header
            return reader(stream)

    def mended() -> Image.Image | None:
        def loaded(data: bytes) -> Image.Image:
            image = opened(io.BytesIO(data))
            with pillow_guard(max_pixels):
                image.load()
            return image

        stream.seek(0)
        return lacking_end_only(stream.read(), loaded)

    return decode_image(
        opened(), name, max_pixels, again=opened, mend=mended if format == "JPEG" else None, notes=notes
    )


def _decode_tiff(stream: IO[bytes], name: str, max_pixels: int, page: int | None) -> Decoded:
    pages = pages_of(stream)
    if pages.is_raw:
        return _decode_sensor(stream, name, max_pixels)
    count = len(pages.places)
    if not 1 <= (page or 1) <= count:
        raise PhotoError(f"{name}: has {count} pages, not {page}")
    place = pages.places[(page or 1) - 1]
    note = f"has {count} pages, only the first one is read" if count > 1 and page is None else pages.note
    try:
        decoded = _decode_pillow(cast(IO[bytes], At(stream, place)), name, "TIFF", max_pixels, (note,) if note else ())
    except SyntaxError as error:
        if UNKNOWN not in str(error):
            raise
        tags = read_directory(stream, read_header(stream), place)
        raise PhotoError(f"{name}: its pixels are of a kind that is not read ({described(tags)})") from error
    return decoded._replace(source=replace(decoded.source, pages=count, page=page or 1))


def _decode_jpeg_xl(stream: IO[bytes], name: str, max_pixels: int) -> Decoded:
    parts = dict(reversed(list(boxes(stream))))  # the first of each kind
    check_size(name, size_of(parts[b"jxlc"] if b"jxlc" in parts else parts[b"jxlp"][4:]), max_pixels)
    stream.seek(0)
    try:
        pixels = decode_pixels(stream.read())
    except ImportError as error:
        raise PhotoError(f"{name}: {unreadable('JPEG XL')}") from error
    notes, exif = ["is a JPEG XL file and comes home as JPEG"], b""
    try:
        exif = to_block(from_block(parts[b"Exif"][4:], KEPT.__contains__)) if b"Exif" in parts else b""
    except ValueError:
        notes.append(DAMAGED)
    # its pixels come upright
    return _decode_array(pixels, name, max_pixels, Source(name, "JPEG", notes=tuple(notes), metadata=Metadata(exif)))


def _decode_sensor(stream: IO[bytes], name: str, max_pixels: int) -> Decoded:
    try:
        pixels = develop(stream, lambda size: check_size(name, size, max_pixels))
    except ImportError as error:
        raise PhotoError(f"{name}: {unreadable('camera raw')}") from error
    exif = b""
    try:
        header = read_header(stream)
        exif = to_block(read_directory(stream, header, header.first, KEPT.__contains__))
    except ValueError:  # no file in the form of TIFF
        pass
    note = "is a camera raw file and comes home as JPEG"
    return _decode_array(pixels, name, max_pixels, Source(name, "JPEG", notes=(note,), metadata=Metadata(exif)))


def _decode_array(array: NDArray[Any], name: str, max_pixels: int, source: Source | None = None) -> Decoded:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not 1 <= channels <= 4 or array.dtype.kind not in "buif":
        raise PhotoError(
            f"{name}: a photo has the shape (h, w) or (h, w, 1 to 4) and holds numbers, not {array.shape} {array.dtype}"
        )
    check_size(name, (array.shape[1], array.shape[0]), max_pixels)
    bits = 8 if array.dtype.kind == "b" or array.dtype == np.uint8 else 16
    return upright(array_planes(array), 1, replace(source or Source(name), bits=bits))


def _noted(decoded: Decoded, note: str) -> Decoded:
    return decoded._replace(source=replace(decoded.source, notes=(*decoded.source.notes, note)))
