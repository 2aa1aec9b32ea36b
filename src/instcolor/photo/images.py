"""From an opened Pillow image to upright planes: what is stored, loaded, said, meant, one step each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile

from ..errors import PhotoError, TooManyPixelsError
from .byte_tiles import GRAY_AND_ALPHA, ByteTiles, byte_tiles, layout_of
from .directories import Order
from .formats import READ_ONLY, READERS
from .guard import captured_stderr, pillow_guard
from .metadata import read_metadata
from .pixels import Planes, image_planes
from .reading import reading_of
from .settings import save_options
from .source import Source
from .tiff_kinds import Kind, kind_of, order_of

# EXIF orientation: how the stored plane becomes upright
UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda plane: plane[:, ::-1],
    3: lambda plane: plane[::-1, ::-1],
    4: lambda plane: plane[::-1],
    5: lambda plane: plane.T,
    6: lambda plane: np.rot90(plane, -1),
    7: lambda plane: plane[::-1, ::-1].T,
    8: lambda plane: np.rot90(plane),
}
CALLED = {"HEIF": "HEIC", "JPEG2000": "JPEG 2000"}
Opener = Callable[[], ImageFile.ImageFile]
"""Opens the same picture of the same file once more."""
Mender = Callable[[], Image.Image | None]
"""Loads a picture that ends too early in another way, where nothing that can be seen is missing."""


class Decoded(NamedTuple):
    """L*: float32 (h, w) in 0..100; alpha: uint8 or uint16 (h, w) or None; both upright."""

    L: NDArray[np.float32]
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None
    source: Source


class Stored(NamedTuple):
    """How the pixels of an opened image are stored; asked before it is loaded, when Pillow forgets."""

    mode: str
    layout: str
    """As the file has them, in Pillow's words ("RGB;16B"); "" where that is not known."""
    tiles: ByteTiles | None
    """How both bytes of 16-bit colors are read."""
    kind: Kind | None
    order: Order
    is_animated: bool


def decode_image(
    image: Image.Image,
    name: str,
    max_pixels: int,
    *,
    again: Opener | None = None,
    mend: Mender | None = None,
    notes: tuple[str, ...] = (),
) -> Decoded:
    """Planes and facts of an image; `again` and `mend` where it comes from a file. Raises what Pillow does."""
    check_size(name, image.size, max_pixels)
    stored = _stored(image, with_bytes=again is not None)
    options = save_options(image)
    complaints: list[Any] = []
    printed = False
    try:
        complaints, printed = _load(image, stored.tiles.upper if stored.tiles else None, max_pixels)
    except OSError:
        mended = mend() if mend else None
        if mended is None:
            raise
        image, notes = mended, (*notes, "lacks its end marker, of the picture nothing is missing")
    check_size(name, image.size, max_pixels)  # decoders of HEIC may find another one than the header says
    with pillow_guard(max_pixels) as more:
        orientation, metadata = orientation_of(image, more), read_metadata(image, more)
    complaints += more
    reading = reading_of(image, "LA" if stored.layout == GRAY_AND_ALPHA else stored.mode)
    deep = stored.tiles is not None and reading.to_srgb is None  # Little CMS converts 8 bits
    bits = 16 if ";16" in stored.layout or stored.tiles or stored.kind or stored.mode[0] in "IF" else 8
    lower = _lower(again(), stored.tiles, max_pixels) if deep and again and stored.tiles else None
    planes = image_planes(
        image,
        lower=lower,
        layout=stored.layout,
        kind=stored.kind,
        order=stored.order,
        deep_levels=4096 if stored.layout.startswith("I;12") else 65536,
        deep_inverted=_white_is_zero(image),
        profile=reading.profile,
        to_srgb=reading.to_srgb,
    )
    halved = bits == 16 and not (deep or stored.mode[0] in "IF" or stored.kind == "gray and alpha")
    facts = _notes(image, stored, printed=printed, damaged=bool(complaints), halved=halved)
    said = (*notes, *facts, *((reading.note,) if reading.note else ()))
    format = READ_ONLY.get(image.format or "", image.format or "")
    source = Source(name, format if format in READERS else "", stored.mode, bits, said, options, metadata, reading.kept)
    return upright(planes, orientation, source)


def orientation_of(image: Image.Image, complaints: list[Any]) -> int:
    """What EXIF says of it; where that is damaged it may raise almost anything, and the pixels are good still."""
    try:
        said = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        complaints.append("orientation")
        return 1
    return said if isinstance(said, int) else 1


def check_size(name: str, size: tuple[int, int], max_pixels: int) -> None:
    """Raises PhotoError for a photo of (width, height) without pixels, or with too many."""
    width, height = size
    if width < 1 or height < 1:
        raise PhotoError(f"{name}: has no pixels ({width} x {height})")
    if width * height > max_pixels:
        raise TooManyPixelsError(
            f"{name}: {width} x {height} pixels are {width * height / 1e6:,.1f} megapixels, "
            f"the limit is {max_pixels / 1e6:,.1f}"
        )


def upright(planes: Planes, orientation: int, source: Source) -> Decoded:
    """Planes turned as EXIF says, with their note among those of the source."""
    L, alpha, note = planes
    turn = UPRIGHT.get(orientation)
    if turn:
        L = np.ascontiguousarray(turn(L))
        alpha = None if alpha is None else np.ascontiguousarray(turn(alpha))
    if note:
        source = replace(source, notes=(*source.notes, note))
    return Decoded(L, alpha, source)


def _stored(image: Image.Image, *, with_bytes: bool) -> Stored:
    is_file = isinstance(image, ImageFile.ImageFile)
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return Stored(
        image.mode,
        layout_of(tiles[0]) if tiles else "",
        byte_tiles(image) if with_bytes and isinstance(image, ImageFile.ImageFile) else None,
        kind_of(image),
        order_of(image),
        is_file and bool(getattr(image, "is_animated", False)) and image.tell() == 0,
    )


def _load(image: Image.Image, tile: list[Any] | None, max_pixels: int) -> tuple[list[Any], bool]:
    """Decodes; what Pillow warned of, and whether libtiff printed something."""
    printed: list[Any] = []
    if tile is not None and isinstance(image, ImageFile.ImageFile):
        image.tile = tile
    with pillow_guard(max_pixels) as complaints, captured_stderr(printed) if _by_libtiff(image) else nullcontext():
        image.load()
    return complaints, bool(printed)


def _lower(image: ImageFile.ImageFile, tiles: ByteTiles, max_pixels: int) -> Image.Image:
    """The lower bytes of an image with 16 bits a channel; what is wrong with it has been said of the upper ones."""
    _load(image, tiles.lower, max_pixels)
    return image


def _notes(image: Image.Image, stored: Stored, *, printed: bool, damaged: bool, halved: bool) -> list[str]:
    notes = []
    if image.format in CALLED:
        notes.append(f"is a {CALLED[image.format]} file and comes home as JPEG")
    if stored.is_animated and not isinstance(image, TiffImageFile) and image.format != "MPO":
        notes.append("has several frames, only the first one is read")
    if printed:
        notes.append("is damaged, parts of the picture may be missing")
    if damaged:
        notes.append("has damaged metadata, which is left out")
    if halved:
        notes.append("has 16 bits a channel, of which 8 are read")
    return notes


def _by_libtiff(image: Image.Image) -> bool:
    return isinstance(image, TiffImageFile) and bool(image.tile) and image.tile[0].codec_name == "libtiff"


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a TIFF counts from white to black; Pillow turns this round for 8 bits only."""
    return isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
