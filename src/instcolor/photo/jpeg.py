"""JPEG files that end too early: whether anything but the end marker is missing."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops

END = b"\xff\xd9"
PROBE = bytes(range(1, 128)) * 32
"""What would be seen in the picture if the decoder still waited for data."""


def lacking_end_only(data: bytes, loaded: Callable[[bytes], Image.Image]) -> Image.Image | None:
    """The picture of a file without its end marker; None where more is missing.

    A decoder that has all it needs does not look at what follows: with anything behind it the picture is the same.
    `loaded` decodes; what it raises is passed on.
    """
    image, probed = loaded(data + END), loaded(data + PROBE + END)
    return image if ImageChops.difference(image, probed).getbbox() is None else None
