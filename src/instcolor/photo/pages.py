"""TIFF files of many photos, one a page: which there are, which are wanted, and how they are written again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO

from ..errors import FileError, PhotoError
from ..files import already_exists, shown, whole_file
from .directories import LONG, SHORT
from .formats import SIGNATURE_BYTES, recognize
from .photo import MARK, Photo
from .tiff_pages import pages_of
from .tiff_writer import PAGE_NUMBER, PAGE_OF_MANY, SUBFILE, TiffWriter
from .xmp import Mark

RANGE = re.compile(r"([1-9]\d{0,5})(?:-([1-9]\d{0,5})?)?")
CLASSIC = 3 << 30  # bytes of pixels that surely fit into a file with places of 32 bits
BYTES = 8  # of a pixel with alpha and 16 bits a channel


def page_sizes(source: Path | bytes) -> Sequence[tuple[int, int]]:
    """(width, height) of the photos of a TIFF file as they are stored; none for what is no such file."""
    try:
        with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
            if recognize(stream.read(SIGNATURE_BYTES)) != "TIFF":
                return ()
            return pages_of(stream).sizes
    except (OSError, ValueError):  # which whoever reads the photo will hear
        return ()


def page_ranges(text: str) -> tuple[tuple[int, int | None], ...]:
    """First and last pages of "1-3,7" or "4-" (None: to the end). ValueError for any other text."""
    found = [RANGE.fullmatch(part.strip()) for part in text.split(",")]
    ranges = []
    for match in found:
        if match is None:
            raise ValueError(f"{text!r} is no list of pages such as 1-3,7")
        first = int(match[1])
        last = int(match[2]) if match[2] else None if "-" in match[0] else first
        if last is not None and last < first:
            raise ValueError(f"{text!r}: {match[0]} runs backwards")
        ranges.append((first, last))
    return tuple(ranges)


def wanted_pages(ranges: Sequence[tuple[int, int | None]], count: int) -> list[int]:
    """The pages in ranges, each once and in order; all where there are no ranges. ValueError for one beyond `count`."""
    pages: set[int] = set()
    for first, last in ranges:
        if max(first, last or 0) > count:
            raise ValueError(f"has {count} page{'s' if count != 1 else ''}, not {max(first, last or 0)}")
        pages.update(range(first, (last or count) + 1))
    return sorted(pages) if ranges else list(range(1, count + 1))


def save_pages(
    photos: Iterable[Photo],
    path: Path,
    sizes: Sequence[tuple[int, int]],
    *,
    overwrite: bool = False,
    mark: Mark | None = MARK,
    keep_gps: bool = False,
) -> None:
    """Writes colored photos as the pages of one TIFF file, whole or not at all, holding one of them at a time.

    `sizes` are those of all pages. Raises PhotoError where the disk refuses, or as `Photo.encode`.
    """
    try:
        if not overwrite and path.exists():
            raise already_exists(path)
        with whole_file(path, overwrite=overwrite) as file:
            write_pages(photos, file, sizes, mark=mark, keep_gps=keep_gps)
    except FileError as error:
        raise PhotoError(str(error)) from error
    except OSError as error:
        raise PhotoError(f"{shown(path)}: {error.strerror or error}") from error


def write_pages(
    photos: Iterable[Photo],
    stream: IO[bytes],
    sizes: Sequence[tuple[int, int]],
    *,
    mark: Mark | None = MARK,
    keep_gps: bool = False,
) -> None:
    """`save_pages` into an empty stream in which it can move about."""
    writer = TiffWriter(stream, big=sum(width * height for width, height in sizes) * BYTES > CLASSIC)
    for number, photo in enumerate(photos):
        page = photo.tiff_page(mark=mark, keep_gps=keep_gps)
        page.directory.put(SUBFILE, LONG, [PAGE_OF_MANY])
        page.directory.put(PAGE_NUMBER, SHORT, [min(number, 65535), min(len(sizes), 65535)])
        writer.add(page.strips, page.directory)
