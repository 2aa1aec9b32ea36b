"""How the values of an opened image are to be read: by its own profile, or as sRGB."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image, ImageCms

from .png import color_chunks
from .profiles import Profile, of_gamma, parse, space

IGNORED = "has a color profile that does not fit it, which is left out"
NO_GAMMA = "has a gamma or primaries that make no sense, which are left out"
MODE_OF = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}  # of images whose values a profile of that space describes


class Reading(NamedTuple):
    """`profile` turns values into lightness; `to_srgb` converts strips; `kept` is what results are written in."""

    profile: Profile | None = None
    to_srgb: Callable[[Image.Image], Image.Image] | None = None
    kept: Profile | None = None
    note: str = ""


def reading_of(image: Image.Image, mode: str) -> Reading:
    """What to do with the profile of an image of this mode. Profiles that results cannot have are honored only."""
    data = image.info.get("icc_profile")
    if mode == "LAB":
        return Reading()
    if not isinstance(data, bytes) or not data:
        return _by_gamma(image) if color_chunks(image) else Reading()
    gray = mode in ("1", "L", "LA", "La") or mode.startswith("I;16")
    colored = mode in ("RGB", "RGBA", "RGBX", "P", "PA", "YCbCr")
    kind = space(data)
    profile = parse(data)
    if profile and profile.kind == "RGB" and colored:
        return Reading(profile=None if profile.is_srgb else profile, kept=profile)
    if profile and profile.kind == "RGB" and gray:
        # a gray of an RGB profile: its curve says what the values mean
        return Reading(profile=Profile(data, "GRAY", profile.curves[1:2]), kept=profile)
    if profile and profile.kind == "GRAY" and gray:
        return Reading(profile=profile)
    if MODE_OF.get(kind) == mode:
        return _by_tables(data, mode)
    return Reading(note=IGNORED)


def _by_gamma(image: Image.Image) -> Reading:
    """What PNG says without a profile."""
    profile = of_gamma(image.info.get("gamma"), image.info.get("chromaticity"))
    if profile is None:
        return Reading(note=NO_GAMMA)
    if profile.is_srgb:
        return Reading(kept=profile)
    is_gray = image.mode in ("1", "L", "LA") or "I" in image.mode
    return Reading(profile=Profile(b"", "GRAY", profile.curves[1:2]) if is_gray else profile, kept=profile)


def _by_tables(data: bytes, mode: str) -> Reading:
    """A profile of look-up tables, through Little CMS."""
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(data))
        transform = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return Reading(note=IGNORED)
    return Reading(to_srgb=transform.apply)
