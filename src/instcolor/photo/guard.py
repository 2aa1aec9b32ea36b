"""What stands between Pillow and the rest: its global limit, its warnings and prints, its many exceptions."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image, PngImagePlugin, TiffImagePlugin

from ..errors import DamagedError, PhotoError
from .png import MAX_UNPACKED
from .tiff_kinds import LAYOUTS

# Pillow logs what it raises as well, which Python prints where nobody has set up logging.
logging.getLogger("PIL").addHandler(logging.NullHandler())
# The rest is global to the process, so only one photo is decoded at a time.
_lock = threading.Lock()


@contextmanager
def pillow_guard(max_pixels: int) -> Iterator[list[Any]]:
    """Pillow with our limits where they are above its own, and with the kinds of TIFF that we tell it of.

    Yields the list of its warnings, which are not shown.
    """
    with _lock, warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        limit, text = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
        Image.MAX_IMAGE_PIXELS = None if limit is None else max(limit, max_pixels)
        PngImagePlugin.MAX_TEXT_CHUNK = MAX_UNPACKED
        added = LAYOUTS.keys() - TiffImagePlugin.OPEN_INFO.keys()
        TiffImagePlugin.OPEN_INFO.update({key: LAYOUTS[key] for key in added})
        try:
            yield complaints
        finally:
            Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = limit, text
            for key in added:
                del TiffImagePlugin.OPEN_INFO[key]


@contextmanager
def captured_stderr(complaints: list[Any]) -> Iterator[None]:
    """Adds to `complaints` what a C library prints on standard error, where Python cannot stop it: libtiff does so."""
    with tempfile.TemporaryFile() as file:
        try:
            terminal = os.dup(2)
        except OSError:  # a process without standard error
            yield
            return
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            if os.fstat(file.fileno()).st_size:
                complaints.append("standard error")


@contextmanager
def errors_of(name: str, what: str) -> Iterator[None]:
    """Decoders of damaged bytes raise nearly every type of exception; the caller gets a PhotoError about `name`."""
    try:
        yield
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"{name}: there is not enough memory to decode it") from error
    except Exception as error:
        raise DamagedError(f"{name}: {what} is damaged or of an unknown kind ({reason(error)})") from error


def reason(error: Exception) -> str:
    """What an exception has to say, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
