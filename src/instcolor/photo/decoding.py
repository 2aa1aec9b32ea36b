"""From files, bytes, Pillow images and arrays to upright planes. Whatever is wrong ends as a PhotoError."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile

from ..errors import PhotoError
from ..files import shown
from .encoding import save_options
from .formats import READERS, SAME_AS, SIGNATURE_BYTES, reader_of, recognise, unreadable
from .guard import captured_stderr, errors_of, pillow_guard, reason
from .halves import GRAY_AND_ALPHA, Halves, halves, layout_of
from .metadata import read_metadata
from .pixels import Planes, array_planes, image_planes
from .reading import reading_of
from .source import Source

# EXIF orientation: how the stored plane becomes upright
UPRIGHT: dict[int, Callable[[NDArray], NDArray]] = {
    2: lambda plane: plane[:, ::-1],
    3: lambda plane: plane[::-1, ::-1],
    4: lambda plane: plane[::-1],
    5: lambda plane: plane.T,
    6: lambda plane: np.rot90(plane, -1),
    7: lambda plane: plane[::-1, ::-1].T,
    8: lambda plane: np.rot90(plane),
}


class Decoded(NamedTuple):
    """L*: float32 (h, w) in 0..100; alpha: uint8 or uint16 (h, w) or None; both upright."""

    L: NDArray[np.float32]
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None
    source: Source


def decode(source: str | Path | bytes | Image.Image | NDArray, max_pixels: int) -> Decoded:
    """Reads any kind of source; `Photo.open` says which and how."""
    if isinstance(source, (str, Path)):
        return _decode_file(Path(source), max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode_stream(io.BytesIO(source), "<bytes>", max_pixels)
    if isinstance(source, Image.Image):
        with errors_of("<image>", "it"):
            return _decode_image(source, "<image>", max_pixels)
    if isinstance(source, np.ndarray):
        return _decode_array(source, "<array>", max_pixels)
    raise TypeError(f"a photo is a path, bytes, a Pillow image or an array, not {type(source).__name__}")


def _decode_file(path: Path, max_pixels: int) -> Decoded:
    name = shown(path)
    try:
        # asked first, because opening a pipe that nobody writes to would wait for ever
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise PhotoError(f"{name}: is a directory, not a photo")
        if not stat.S_ISREG(mode):
            raise PhotoError(f"{name}: is not a regular file")
        with path.open("rb") as stream:
            return _decode_stream(stream, name, max_pixels)
    except FileNotFoundError as error:
        raise PhotoError(f"{name}: no such file") from error
    except PermissionError as error:
        raise PhotoError(f"{name}: no permission to read it") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise PhotoError(f"{name}: {reason(error)}") from error


def _decode_stream(stream: IO[bytes], name: str, max_pixels: int) -> Decoded:
    start = stream.read(SIGNATURE_BYTES)
    if not start:
        raise PhotoError(f"{name}: is empty")
    format = recognise(start)
    reader = reader_of(format)
    if reader is None:
        raise PhotoError(f"{name}: {unreadable(format)}")
    with errors_of(name, f"the {format} file"):

        def opened() -> ImageFile.ImageFile:
            stream.seek(0)
            with pillow_guard(max_pixels):  # some decoders warn while they read the header
                return reader(stream)

        return _decode_image(opened(), name, max_pixels, opened)


def _decode_image(
    image: Image.Image, name: str, max_pixels: int, again: Callable[[], ImageFile.ImageFile] | None = None
) -> Decoded:
    """`again` opens the same file once more, where there is one."""
    check_size(name, image.size, max_pixels)
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    layout = layout_of(tiles[0]) if tiles else ""
    parts = halves(image) if again and isinstance(image, ImageFile.ImageFile) else None
    if parts and isinstance(image, ImageFile.ImageFile):
        image.tile = parts.upper
    mode = image.mode
    format = SAME_AS.get(image.format or "", image.format)
    if format not in READERS:
        format = ""
    options = save_options(image)
    notes = []
    if image.format == "HEIF":
        notes.append("is a HEIC file and comes home as JPEG")
    if format and getattr(image, "is_animated", False) and image.tell() == 0:
        notes.append("has several pages or frames, only the first one is read")
    with pillow_guard(max_pixels) as complaints:
        printed: list = []
        with captured_stderr(printed) if _is_read_by_libtiff(image) else nullcontext():
            image.load()
        check_size(name, image.size, max_pixels)  # decoders of HEIC may find another one than the header says
        orientation, metadata = orientation_of(image, complaints), read_metadata(image, complaints)
    reading = reading_of(image, "LA" if layout == GRAY_AND_ALPHA else mode)
    if printed:
        notes.append("is damaged, parts of the picture may be missing")
    if complaints:
        notes.append("has damaged metadata, which is left out")
    deep = parts is not None and reading.to_srgb is None  # Little CMS converts 8 bits
    bits = 16 if ";16" in layout or parts or mode[0] in "IF" else 8
    if bits == 16 and mode[0] not in "IF" and not deep:
        notes.append("has 16 bits a channel, of which 8 are read")
    if reading.note:
        notes.append(reading.note)
    planes = image_planes(
        image,
        lower=_lower(again(), parts, max_pixels) if deep and again and parts else None,
        layout=layout,
        deep_levels=4096 if layout.startswith("I;12") else 65536,
        deep_inverted=_white_is_zero(image),
        profile=reading.profile,
        to_srgb=reading.to_srgb,
    )
    origin = Source(name, format or "", mode, bits, tuple(notes), options, metadata, reading.kept)
    return _upright(planes, orientation, origin)


def orientation_of(image: Image.Image, complaints: list) -> int:
    """What EXIF says of it; where that is damaged it may raise almost anything, and the pixels are good still."""
    try:
        said = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        complaints.append("orientation")
        return 1
    return said if isinstance(said, int) else 1


def _decode_array(array: NDArray, name: str, max_pixels: int) -> Decoded:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not 1 <= channels <= 4 or array.dtype.kind not in "buif":
        raise PhotoError(
            f"{name}: a photo has the shape (h, w) or (h, w, 1 to 4) and holds numbers, not {array.shape} {array.dtype}"
        )
    check_size(name, (array.shape[1], array.shape[0]), max_pixels)
    bits = 8 if array.dtype.kind == "b" or array.dtype == np.uint8 else 16
    return _upright(array_planes(array), 1, Source(name, bits=bits))


def _upright(planes: Planes, orientation: int, source: Source) -> Decoded:
    L, alpha, note = planes
    turn = UPRIGHT.get(orientation)
    if turn:
        L = np.ascontiguousarray(turn(L))
        alpha = None if alpha is None else np.ascontiguousarray(turn(alpha))
    if note:
        source = replace(source, notes=(*source.notes, note))
    return Decoded(L, alpha, source)


def check_size(name: str, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise PhotoError(f"{name}: has no pixels ({width} x {height})")
    if width * height > max_pixels:
        raise PhotoError(
            f"{name}: {width} x {height} pixels are {width * height / 1e6:,.1f} megapixels, "
            f"the limit is {max_pixels / 1e6:,.1f}"
        )


def _lower(image: ImageFile.ImageFile, parts: Halves, max_pixels: int) -> Image.Image:
    """The lower bytes of an image with 16 bits a channel; what is wrong with it has been said of the upper ones."""
    image.tile = parts.lower
    with pillow_guard(max_pixels), captured_stderr([]) if _is_read_by_libtiff(image) else nullcontext():
        image.load()
    return image


def _is_read_by_libtiff(image: Image.Image) -> bool:
    return isinstance(image, TiffImageFile) and bool(image.tile) and image.tile[0].codec_name == "libtiff"


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a TIFF counts from white to black; Pillow turns this round for 8 bits only."""
    return isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
