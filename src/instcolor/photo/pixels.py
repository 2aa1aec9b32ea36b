"""From the pixels of an image or array, whatever their layout, to the L* plane and the alpha plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..strips import strips
from .byte_tiles import joined
from .directories import Order
from .lightness import black_and_white, lightness, to_16_bits
from .profiles import Profile
from .tiff_kinds import Kind, values_of

STRIP_PIXELS = 1 << 20
"""Pixels converted at a time: temporary arrays stay small whatever the size of the photo."""

STRETCHED = "has no declared white, so its darkest and lightest values became black and white"


HALF_OF_32_BITS = 1 << 31


class Planes(NamedTuple):
    """L*: float32 (h, w) in 0..100; alpha (h, w) or None; a sentence about what had to be guessed, or "".

    Alpha is uint8, or uint16 where the pixels had as many bits.
    """

    L: NDArray[np.float32]
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None
    note: str = ""


def image_planes(
    image: Image.Image,
    *,
    lower: Image.Image | None = None,
    layout: str = "",
    kind: Kind | None = None,
    order: Order = "<",
    deep_levels: int = 65536,
    deep_inverted: bool = False,
    profile: Profile | None = None,
    to_srgb: Callable[[Image.Image], Image.Image] | None = None,
) -> Planes:
    """Planes of a loaded image of any mode.

    `lower` has the lower bytes of colors with 16 bits a channel, of which `image` has the upper ones, in a file of that
    `layout` (see `byte_tiles`). Of a `kind` that Pillow does not know, `order` is how its
    samples were handed out.
    Pillow hands out the pixels of its 16-bit gray modes as they were stored: `deep_levels` is how many values they
    may have (4096 for 12-bit scans), `deep_inverted` says that 0 is white. `profile` says what the values mean where
    that is not sRGB; `to_srgb` converts a strip of the image as it is stored.
    """
    mode = image.mode
    deep = mode.startswith("I;16")
    if kind:
        return _kind_planes(image, lower, layout, kind, order)
    if mode in ("I", "F"):
        return array_planes(np.asarray(image))
    if mode == "LAB":
        return Planes(np.asarray(image.getchannel("L")) * np.float32(100 / 255), None)
    transparent = image.info.get("transparency")
    if deep:
        target = mode
    elif lower:
        target = image.mode
    elif image.has_transparency_data:
        target = "LA" if mode in ("1", "L", "LA", "La") else "RGBA"
    else:
        target = "L" if mode in ("1", "L") else "RGB"
    width, height = image.size

    def read(rows: slice) -> NDArray[Any]:
        strip = image.crop((0, rows.start, width, rows.stop))
        strip = to_srgb(strip) if to_srgb else strip
        pixels = np.asarray(strip if strip.mode == target else strip.convert(target))
        if lower:
            pixels = joined(pixels, np.asarray(lower.crop((0, rows.start, width, rows.stop))), layout)
            return with_alpha(pixels, transparent) if isinstance(transparent, tuple) else pixels
        return (deep_levels - 1) - pixels if deep_inverted and deep else pixels

    levels = deep_levels if deep else 65536 if lower else 256
    planes = _planes(height, width, read, levels, profile)
    if deep and isinstance(transparent, int):
        alpha = np.where(np.asarray(image) == transparent, np.uint8(0), np.uint8(255))
        return planes._replace(alpha=alpha)
    return planes


def array_planes(array: NDArray[Any]) -> Planes:
    """Planes of an (h, w) or (h, w, 1 to 4) array: gray, gray and alpha, RGB, or RGB and alpha, sRGB-encoded.

    Booleans are black and white; 8 and 16-bit unsigned integers have their full range; floats are 0..1 (or 0..255 or
    0..65535 where there are values above), other integers 0..255 or 0..65535, unsigned ones of 32 bits their full range
    where values are in its upper half.
    """
    height, width = array.shape[:2]
    if array.dtype in (np.uint8, np.uint16):
        return _planes(height, width, lambda rows: array[rows], 256 if array.dtype == np.uint8 else 65536)
    if array.dtype == np.bool_:
        return _planes(height, width, lambda rows: array[rows] * np.uint8(255), 256)
    parts = (array[rows] for rows in strips((height, width), STRIP_PIXELS))
    black, white, stretched = black_and_white(parts, (1, 255, 65535) if array.dtype.kind == "f" else (255, 65535))
    if array.dtype == np.uint32 and white > HALF_OF_32_BITS:
        black, white, stretched = 0, 2 * HALF_OF_32_BITS - 1, False
    planes = _planes(height, width, lambda rows: to_16_bits(array[rows], black, white), 65536)
    return planes._replace(note=STRETCHED) if stretched else planes


def _kind_planes(image: Image.Image, lower: Image.Image | None, layout: str, kind: Kind, order: Order) -> Planes:
    pixels = np.asarray(image)
    if lower:
        pixels = joined(pixels, np.asarray(lower), layout)
    values = values_of(kind, order, pixels)
    return Planes(values[..., 0] * np.float32(100 / 65535), None) if kind == "Lab" else array_planes(values)


def with_alpha(pixels: NDArray[np.uint16], transparent: tuple[int, ...]) -> NDArray[np.uint16]:
    """(h, w, 4) of (h, w, 3): all opaque but the pixels of one color."""
    alpha = np.where((pixels == transparent).all(-1, keepdims=True), np.uint16(0), np.uint16(65535))
    return np.concatenate([pixels, alpha], -1)


def _planes(
    height: int, width: int, read: Callable[[slice], NDArray[Any]], levels: int, profile: Profile | None = None
) -> Planes:
    """Converts strip by strip: `read` gives rows as (rows, w) or (rows, w, channels), of which 2 and 4 have alpha."""
    L = np.empty((height, width), np.float32)
    alpha: NDArray[Any] | None = None
    for rows in strips((height, width), STRIP_PIXELS):
        pixels = read(rows)
        if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
            alpha = np.empty((height, width), pixels.dtype) if alpha is None else alpha
            alpha[rows] = pixels[..., -1]
            pixels = pixels[..., :-1]
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[..., 0]
        fitting = profile is not None and (profile.kind == "GRAY") == (pixels.ndim == 2)
        L[rows] = profile.lightness(pixels, levels) if profile and fitting else lightness(pixels, levels)
    return Planes(L, alpha)
