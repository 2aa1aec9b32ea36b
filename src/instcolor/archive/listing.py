"""What a source holds, as lines of a plan; and what a line of a plan stands for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import InstcolorError
from ..photo.formats import is_photo
from ..sources import FileItem, Item, TarShard, open_source
from ..sources.items import TarItem, TornItem, ZipItem
from ..sources.remote import Remote, RemoteItem, is_address
from .stores import Store

Facts = dict[str, Any]
"""Of a photo: "path" (its name in the source), "size", "time" or "etag", and what its kind of source needs beside."""


def listed(source: str, target: Store) -> Iterator[Facts]:
    """The photos of a folder, an address, a zip, tar or COCO file, in an order that does not change.

    Raises InstcolorError where the source cannot be listed, or cannot be read from many places at once.
    """
    if is_address(source):
        for name, facts in Remote(source).listed():
            tag = facts.get("ETag") or facts.get("etag") or facts.get("LastModified") or facts.get("created")
            yield {"path": name, "size": facts.get("size"), "etag": str(tag or "").strip('"')}
    elif os.path.isdir(source):
        out = None if is_address(target.address) else os.path.abspath(target.address)
        yield from _in_folder(source, "", out)
    else:
        _refuse_packed(source)
        for item in open_source(source):
            yield _facts(item)


def item_of(source: str, facts: Facts) -> Item:
    """The photo that a line of the plan stands for."""
    name = facts["path"]
    if is_address(source):
        return RemoteItem(source, name)
    if "torn" in facts:
        return TornItem(Path(source), name, facts["torn"])
    if "offset" in facts:
        return TarItem(Path(source), name, facts["offset"], facts["size"])
    if "folder" in facts:
        return FileItem(Path(facts["folder"]), name)
    return FileItem(Path(source), name) if os.path.isdir(source) else ZipItem(Path(source), name)


def _in_folder(folder: str, below: str, out: str | None) -> Iterator[Facts]:
    """Files before folders, each sorted; hidden ones, links and the folder of results are left out."""
    files: list[tuple[str, os.DirEntry[str]]] = []
    folders: list[tuple[str, str]] = []
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir():
                    folders.append((entry.name, entry.path))
                elif is_photo(entry.name):
                    files.append((entry.name, entry))
    except OSError as error:
        raise InstcolorError(f"{folder}: cannot be listed ({error.strerror or error})") from error
    for name, entry in sorted(files, key=lambda file: file[0]):
        try:
            state = entry.stat()
        except FileNotFoundError:  # removed in this moment
            continue
        yield {"path": below + name, "size": state.st_size, "time": state.st_mtime_ns}
    del files
    for name, path in sorted(folders):
        if path != out:
            yield from _in_folder(path, f"{below}{name}/", out)


def _facts(item: Item) -> Facts:
    match item:
        case FileItem():
            state = item.path.stat()
            folder = str(item.folder.resolve())
            return {"path": item.name, "size": state.st_size, "time": state.st_mtime_ns, "folder": folder}
        case TarItem():
            return {"path": item.name, "size": item.size, "offset": item.offset}
        case TornItem():
            return {"path": item.name, "torn": item.reason}
    return {"path": item.name}


def _refuse_packed(source: str) -> None:
    """Raises InstcolorError for a compressed tar file."""
    if TarShard.opened(source) and not source.lower().endswith(".tar"):
        what = "a compressed tar file can only be read from its start, and shards are read from many places at once"
        raise InstcolorError(f"{source}: {what}; unpack it to a .tar or a folder first")
