"""Photographs in and out: bytes to an upright L* plane, L* and ab to bytes of the same kind.

`Photo` is the only thing the other rooms need. Inside, `decoding` turns whatever comes into planes, `lightness` holds
the way from pixel values to L*, `profiles` what the values mean, `metadata` what the file says, `encoding` writes an
image as its source was written, `files` puts bytes on the disk.
"""

from .metadata import Mark as Mark
from .photo import Photo as Photo
from .reference import read_colors as read_colors
from .source import Source as Source
