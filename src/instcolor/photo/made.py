"""What a file says about how it was made: whether it is a result, and of which photo."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ..errors import PhotoError
from ..limits import MAX_PIXELS
from .formats import SIGNATURE_BYTES, reader_of, recognize
from .guard import errors_of, pillow_guard
from .xmp import source_in

DIGITS = 16  # of a sha256: enough to tell photos apart, and nobody gains by a photo that is taken for another


class Made(NamedTuple):
    """`source` is the digest of the photo that a result was made from, "" where the file says nothing of it."""

    source: str
    size: tuple[int, int]
    """The longer side and the shorter one: a result is upright, its photo may not be."""


def digest_of(content: Path | bytes) -> str:
    """What results say about the photo that they were made from; "" where it cannot be read."""
    try:
        if isinstance(content, bytes):
            return hashlib.sha256(content).hexdigest()[:DIGITS]
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    except (OSError, ValueError):
        return ""


def read_made(content: Path | bytes) -> Made | None:
    """What the header of a file says; None where it is no image that can be read. Pixels are not decoded."""
    try:
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            reader = reader_of(recognize(file.read(SIGNATURE_BYTES)))
            if reader is None:
                return None
            file.seek(0)
            with errors_of("", "it"), pillow_guard(MAX_PIXELS):
                image: Image.Image = reader(file)
                long, short = sorted(image.size, reverse=True)
                return Made(source_in(image), (long, short))
    except (PhotoError, OSError, ValueError):
        return None
