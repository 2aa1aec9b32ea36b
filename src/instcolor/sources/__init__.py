"""Where photos come from: folders, patterns, zip files, tar shards, COCO lists, standard input.

`items` are photos that have not been read; `kinds` has a class for each kind of place that holds photos; `given` makes
items of what stands on a command line.
"""

from .items import BytesItem, FileItem, Item, StreamItem
from .kinds import CocoList, Folder, Source, TarShard, ZipFile, open_source, read_all

__all__ = [
    "BytesItem",
    "CocoList",
    "FileItem",
    "Folder",
    "Item",
    "Source",
    "StreamItem",
    "TarShard",
    "ZipFile",
    "open_source",
    "read_all",
]
