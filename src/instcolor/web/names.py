"""Names that clients send: good for a label, never for a path."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 100
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp"}
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
}
_FORBIDDEN = re.compile(r'[\\/:*?"<>|%]')


def clean(name: str | None) -> str:
    """A file name without folders, control characters and what file systems forbid; never empty."""
    last = re.split(r"[\\/]", name or "")[-1]
    printable = "".join(
        c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] not in "CZ" or c == " "
    )
    safe = _FORBIDDEN.sub("_", printable).strip(" .")
    stem, dot, suffix = safe.rpartition(".")
    if dot and len(suffix) <= 5:
        safe = f"{stem[:LONGEST]}.{suffix}"
    return safe[: LONGEST + 6] or "photo"


def colored(name: str, format: str) -> str:
    """What the result of a photo called `name` is called when it is taken home."""
    stem, dot, _ = name.rpartition(".")
    return f"{stem if dot and stem else name}-color{SUFFIXES[format]}"


def disposition(name: str) -> str:
    """A Content-Disposition header for a download (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
