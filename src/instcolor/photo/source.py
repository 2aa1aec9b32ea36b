"""What is remembered of where a photo came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .metadata import Metadata
from .profiles import Profile


@dataclass(frozen=True)
class Source:
    """Where a photo came from and how it was stored, as far as messages and encoding need it."""

    name: str
    """For messages: the path as given, or "<bytes>", "<image>", "<array>"."""
    format: str = ""
    """"JPEG", "PNG", "WEBP", "TIFF", "BMP"; "" where there was no file."""
    mode: str = ""
    """Pillow's name of the pixel layout as it came, before any conversion; "" for arrays."""
    bits: int = 8
    """8 or 16 a channel, as it came."""
    notes: tuple[str, ...] = ()
    """Sentences for the person: what was left out or had to be guessed while reading."""
    save_options: Mapping[str, Any] = field(default_factory=dict)
    """Pillow's options that write `format` with the settings it had (quality, subsampling, compression)."""
    metadata: Metadata = Metadata()
    """EXIF, XMP, texts and resolution as they came."""
    profile: Profile | None = None
    """The profile of its colors, where results can be written in it too."""
    pages: int = 1
    """How many photos the file holds, one a page."""
    page: int = 1
    """Which of them this is, from 1 on."""

    def profile_in(self, format: str) -> Profile | None:
        """The profile in whose values a result in `format` is written; what is said in PNG's words stays in PNG."""
        return self.profile if self.profile and (self.profile.data or format == "PNG") else None
