"""What can be asked of a coloring, made once: command line and HTTP API read names, ranges and defaults here."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Number(NamedTuple):
    """A number that can be chosen."""

    default: float
    least: float
    most: float
    about: str


class Style(StrEnum):
    """The names of `styles.STYLES`, known without loading it."""

    faithful = "faithful"
    natural = "natural"
    vivid = "vivid"


STYLE = Style.natural
ABOUT_STYLE = "faithful: the mean of what is likely; vivid: the likeliest; natural: between. Or 0 to 1."
SATURATION = Number(1.0, 0.0, 10.0, "Factor on the colors.")
STRENGTH = Number(1.0, 0.0, 1.0, "0 is gray, 1 full color.")
WARMTH = Number(0.0, -1.0, 1.0, "-1 is cool, 1 is warm.")
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
"""That results are written in."""
QUALITY = (1, 100)
"""Of a JPEG or WebP."""
ABOUT_CORNER = 'Write "colorized" into a corner of each result.'
ABOUT_GPS = "Keep where a photo was taken."
DETECTOR = "builtin"
"""`detectors.BUILTIN`."""
MODEL = "lite"
"""`models.registry.DEFAULT`."""
