"""Films: frames in, frames out, the scenes and their motion between. Still files and networks are others' work."""

from __future__ import annotations

from .coloring import EVERY, Done, Progress, colorize_video
from .encoding import CODECS

__all__ = ["CODECS", "EVERY", "Done", "Progress", "colorize_video"]
