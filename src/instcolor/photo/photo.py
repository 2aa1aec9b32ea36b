"""`Photo`: what travels through the house, gray on the way in, colored on the way out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colorspace import lab_to_srgb8
from ..errors import FileError, PhotoError
from ..files import already_exists, shown, write_whole
from ..limits import MAX_PIXELS
from ..strips import strips
from .decoding import decode
from .encoding import Said, deep_tiff_page, encode, encode_deep, tiff_page
from .formats import SUFFIXES, WITHOUT_ALPHA, usual_suffix
from .marking import stamp, stamped
from .metadata import Mark
from .pixels import STRIP_PIXELS
from .profiles import Profile
from .source import Source
from .thumbnails import thumbnail
from .tiff_writer import Page
from .values import deep_strips, profile_values

if TYPE_CHECKING:
    from ..objects import DetectedObject

MARK = Mark()
DEEP = ("PNG", "TIFF")
"""Formats that are written with 16 bits a channel."""


@dataclass(frozen=True, eq=False)
class Photo:
    """An upright photograph: its lightness, and its colors once it has some."""

    L: NDArray[np.float32]
    """(h, w) lightness L* in 0..100."""
    source: Source
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None = None
    """(h, w) opacity up to 255, or 65535 where the source had 16 bits; None where it had none."""
    ab: NDArray[np.float32] | None = None
    """(h, w, 2) a* and b*; None until colored."""
    objects: tuple[DetectedObject, ...] = ()
    """The objects that were colored by themselves, boxes in pixels of this upright photo."""
    confidence: NDArray[np.float32] | None = None
    """How sure the colors are, 0..1; (h, w), or any smaller plane that covers the whole photo."""

    @classmethod
    def open(
        cls,
        source: str | Path | bytes | BinaryIO | Image.Image | NDArray[Any] | Photo,
        *,
        max_pixels: int = MAX_PIXELS,
        page: int | None = None,
    ) -> Photo:
        """Reads a photograph of any tint as lightness.

        Args:
            source: the path, the bytes or the open file of a JPEG, PNG, TIFF, WebP, BMP or JPEG 2000, with extras of
                HEIC, JPEG XL or camera raw (of animations the first frame, which `source.notes` says); a Pillow image
                of any mode; an array (h, w) or (h, w, 1 to 4) of sRGB-encoded values, 8 or 16-bit integers, booleans,
                or floats in 0..1; or a Photo, which is returned as it is.
            max_pixels: a photo with more is refused before it is decoded.
            page: which photo of a TIFF file of several, from 1 on; None for the first, with a note that there are more.

        Raises:
            PhotoError: it cannot be read; the message is one line with name and reason.
        """
        if isinstance(source, Photo):
            return source
        L, alpha, origin = decode(source, max_pixels, page)
        return cls(L, origin, alpha)

    def __repr__(self) -> str:
        colored = "gray" if self.ab is None else f"in color, {len(self.objects)} objects"
        return f"<Photo {self.source.name}: {self.size[0]} x {self.size[1]}, {self.source.bits} bits, {colored}>"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.L.shape
        return width, height

    @property
    def format(self) -> str:
        """The format that `encode` writes unless told otherwise: the source's, PNG where that cannot hold the photo."""
        if not self.source.format or (self.alpha is not None and self.source.format in WITHOUT_ALPHA):
            return "PNG"
        return self.source.format

    @property
    def suffix(self) -> str:
        """The file name suffix of `format`, for example ".jpg"."""
        return usual_suffix(self.format)

    def with_color(
        self,
        ab: NDArray[Any],
        *,
        objects: tuple[DetectedObject, ...] = (),
        confidence: NDArray[Any] | None = None,
    ) -> Photo:
        """The same photo with colors: ab is (h, w, 2), confidence 0..1 and of any size."""
        if ab.shape != (*self.L.shape, 2):
            raise ValueError(f"ab is {ab.shape}, the photo needs {(*self.L.shape, 2)}")
        if confidence is not None:
            confidence = np.asarray(confidence, np.float32)
        return replace(self, ab=np.asarray(ab, np.float32), objects=tuple(objects), confidence=confidence)

    def rgb(self) -> NDArray[np.uint8]:
        """(h, w, 3) sRGB. L* is kept; colors that sRGB lacks lose chroma. ValueError before there are colors."""
        return lab_to_srgb8(self.L, self._colors())

    def image(self) -> Image.Image:
        """The colored photo as an RGB image, RGBA where the source had transparency; sRGB."""
        return self._image(None)

    def encode(
        self, format: str | None = None, *, mark: Mark | None = MARK, keep_gps: bool = False, quality: int | None = None
    ) -> bytes:
        """The colored photo as a file of `format` ("JPEG", "PNG", "WEBP", "TIFF", "BMP"; by default `self.format`).

        PNG and TIFF get 16 bits a channel where the source had them; the values are those of the source's profile.

        Args:
            mark: what the file says about having been colored (in XMP, and visibly where asked); None for nothing.
            keep_gps: whether the place where the photo was taken stays in it.
            quality: of a JPEG or WebP, 1..100; by default the source's own, or a high one.

        Raises:
            PhotoError: the format is not known or cannot hold a photo of this size.
        """
        format = (format or self.format).upper()
        small = thumbnail(self.L, self._colors()) if self.source.metadata.thumbnail else b""
        said = Said(self.source, mark, keep_gps, small)
        if self._is_deep(format):
            return encode_deep(self._deep_strips(format, mark), self.size, self._channels, format, said)
        return encode(self._stamped(format, mark), format, said, quality=quality)

    def tiff_page(self, *, mark: Mark | None = MARK, keep_gps: bool = False) -> Page:
        """The colored photo as a page of a TIFF file of many; `mark` and `keep_gps` as in `encode`."""
        said = Said(self.source, mark, keep_gps)
        if self._is_deep("TIFF"):
            return deep_tiff_page(self._deep_strips("TIFF", mark), self.size, self._channels, said)
        return tiff_page(self._stamped("TIFF", mark), said)

    def save(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        mark: Mark | None = MARK,
        keep_gps: bool = False,
        quality: int | None = None,
    ) -> Path:
        """Writes the colored photo in the format of the path's suffix, whole or not at all, and returns the path.

        `mark`, `keep_gps` and `quality` as in `encode`.

        Raises:
            PhotoError: the suffix is not known, the file exists and `overwrite` is off, or the disk refuses.
        """
        path = Path(path)
        format = SUFFIXES.get(path.suffix.lower())
        if format is None:
            raise PhotoError(f"{shown(path)}: the suffix is none of {', '.join(SUFFIXES)}")
        try:
            if not overwrite and os.path.lexists(path):
                raise already_exists(path)
            data = self.encode(format, mark=mark, keep_gps=keep_gps, quality=quality)
            write_whole(path, data, overwrite=overwrite)
        except FileError as error:
            raise PhotoError(str(error)) from error
        return path

    @property
    def _channels(self) -> int:
        return 3 if self.alpha is None else 4

    def _is_deep(self, format: str) -> bool:
        """Whether a result in `format` has 16 bits a channel."""
        return self.source.bits == 16 and format in DEEP

    def _deep_strips(self, format: str, mark: Mark | None) -> Iterator[NDArray[np.uint16]]:
        parts = deep_strips(self.L, self._colors(), self.alpha, self.source.profile_in(format))
        return stamped(parts, self.size) if mark and mark.corner else parts

    def _stamped(self, format: str, mark: Mark | None) -> Image.Image:
        image = self._image(self.source.profile_in(format))
        if mark and mark.corner:
            stamp(image)
        return image

    def _image(self, profile: Profile | None) -> Image.Image:
        """RGB or RGBA in values of a profile, sRGB where there is none."""
        ab = self._colors()
        image = Image.new("RGB", self.size)
        # strip by strip, so that there is never a second copy of the whole
        for rows in strips(self.L.shape, STRIP_PIXELS):
            if profile is None or profile.is_srgb:
                pixels = lab_to_srgb8(self.L[rows], ab[rows])
            else:
                pixels = np.rint(profile_values(self.L[rows], ab[rows], profile) * 255).astype(np.uint8)
            image.paste(Image.fromarray(pixels), (0, rows.start))
        if self.alpha is not None:
            alpha = self.alpha if self.alpha.dtype == np.uint8 else (self.alpha >> 8).astype(np.uint8)
            image.putalpha(Image.fromarray(alpha))
        return image

    def _colors(self) -> NDArray[np.float32]:
        if self.ab is None:
            raise ValueError(f"{self.source.name} has no colors yet")
        return self.ab
