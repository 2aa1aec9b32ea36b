"""The errors that a caller is meant to catch. Each message is one line that names the file and the reason."""

from __future__ import annotations


class InstcolorError(Exception):
    """Base of all errors that are about the input, never about a fault in this package."""


class PhotoError(InstcolorError):
    """A photo that cannot be read, decoded, or written."""


class TooManyPixelsError(PhotoError):
    """A photo with more pixels than are allowed."""


class DamagedError(PhotoError):
    """A photo that its decoder cannot read; the message ends with the decoder's words in parentheses."""


class FileError(InstcolorError):
    """A file or folder that cannot be written."""


class BoxesError(InstcolorError):
    """A boxes file or a box that makes no sense."""


class DetectorError(InstcolorError):
    """A detector that is not known or cannot be loaded."""


class ModelError(InstcolorError):
    """A color model that is missing, damaged, or not what it says."""


class VideoError(InstcolorError):
    """A film that cannot be read, decoded, or written."""
