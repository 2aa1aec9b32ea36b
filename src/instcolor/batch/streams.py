"""Standard output as the place of a result."""

from __future__ import annotations

import sys

from ..errors import PhotoError


def write_stdout(data: bytes) -> None:
    """Writes all bytes to standard output. Raises PhotoError where that is full or closed."""
    stream = sys.stdout.buffer
    raw = getattr(stream, "raw", stream)  # what a failed write leaves in a buffer would be tried again at the exit
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[raw.write(rest) :]
    except OSError as error:
        raise PhotoError(f"standard output: cannot be written ({error.strerror or error})") from error
