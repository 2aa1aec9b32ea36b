"""Color photographs as they look: upright sRGB, for what learns from colors, is measured on them, or borrows them."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image, ImageCms

from ..errors import PhotoError
from ..limits import MAX_PIXELS
from .formats import SIGNATURE_BYTES, reader_of, recognize, unreadable
from .guard import errors_of, pillow_guard
from .images import check_size, orientation_of
from .profiles import space
from .reading import MODE_OF, reading_of

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation: how the stored picture becomes upright."""


class Picture(NamedTuple):
    """`image` is upright, mode RGB, in sRGB; `size` is (width, height) of the upright photo as it is stored."""

    image: Image.Image
    size: tuple[int, int]


def read_picture(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS, least: int | None = None) -> Picture:
    """The picture in the bytes of a file, through its color profile; transparency is left out.

    `least`: a JPEG may be decoded smaller, as long as no side is under so many pixels. May be called from several
    threads at once. Raises PhotoError, which calls the photo `name`.
    """
    format = recognize(data[:SIGNATURE_BYTES])
    reader = reader_of(format)
    if reader is None:
        raise PhotoError(f"{name}: {unreadable(format) if data else 'is empty'}")
    with errors_of(name, f"the {format} file"):
        with pillow_guard(max_pixels):  # some decoders warn while they read the header
            file = reader(io.BytesIO(data))
        size = file.size
        check_size(name, size, max_pixels)
        if least:
            file.draft("RGB", (least, least))
        image: Image.Image = file
        image.load()
        turn = TURNS.get(orientation_of(file, []))
        reading = reading_of(image, image.mode)
        if reading.to_srgb or (reading.profile and reading.kept is None) or (reading.kept and not reading.kept.is_srgb):
            image = _through(image, image.info["icc_profile"])
        elif "transparency" in image.info:
            image = image.convert("RGBA").convert("RGB")
        else:
            image = image.convert("RGB")
    if turn is None:
        return Picture(image, size)
    upright = image.transpose(turn)
    return Picture(upright, size if turn in list(TURNS.values())[:3] else size[::-1])


def _through(image: Image.Image, profile: bytes) -> Image.Image:
    """Values of a profile in sRGB."""
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(
        image.convert(MODE_OF[space(profile)]), own, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted
    return converted
