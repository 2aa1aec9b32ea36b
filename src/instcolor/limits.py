"""Every limit on what is accepted, each with one name, in one place. The owner of the machine may raise them."""

from __future__ import annotations

MAX_PIXELS_CLI = 100_000_000
"""Pixels of one photo on the command line."""

MAX_PIXELS = MAX_PIXELS_CLI
"""Pixels of one photo for callers of the library who name no limit of their own."""

MAX_STREAM_BYTES = 512 * 1024 * 1024
"""Bytes of one photo that comes through a pipe, where no file size can be asked for beforehand."""

MAX_CHECKPOINT_BYTES = 2 * 1024**3
"""Bytes of one checkpoint that is imported, unpacked. The largest known one has 415 MB."""

MAX_DOWNLOAD_BYTES = 1024**3
"""Bytes of one file that is downloaded."""

MAX_SIDE = {"JPEG": 65_500, "WEBP": 16_383}
"""Pixels of the longer side that a format can hold: set by the format, so raising it does not help."""

MAX_FRAME_PIXELS = 8192 * 4320
"""Pixels of one frame of a film."""

MAX_FILM_FRAMES = 5_000_000
"""Frames of one film: a day at 50 a second."""

MAX_FILM_STREAMS = 64
"""Streams in one film's file: video, sound, subtitles, attachments."""
