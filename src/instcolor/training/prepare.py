"""The objects of training photos, found once by any detector and kept as a boxes file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InstcolorError, PhotoError
from ..files import write_whole
from ..objects import DetectedObject, PhotoObjects, to_json, without_masks
from ..photo import Photo
from ..sources import open_source, read_all
from .decoding import decode, is_gray

GRAY_TEST_SIDE = 256

Detect = Callable[[NDArray[np.float32]], list[DetectedObject]]


@dataclass
class Found:
    """What came of it."""

    photos: int = 0
    objects: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def find_objects(
    sources: Sequence[Path],
    detect: Detect,
    out: Path,
    settings: Mapping[str, Any],
    watch: Callable[[int], None] = lambda done: None,
) -> Found:
    """Runs a detector on the lightness of every photo of the sources and writes their objects to `out`.

    Near-gray and unreadable photos, and those that the detector fails on, are left out and counted. What was found is
    kept beside `out` as it goes, so that a run that was stopped goes on where it was, as long as `settings` (whatever
    tells this detector from another) and the photos are the same.
    Raises InstcolorError for sources of no known kind and where `out` cannot be written.
    """
    key = json.loads(json.dumps({**settings, "photos": [open_source(source).state() for source in sources]}))
    journal = out.with_name(out.name + ".part")
    known = _read_journal(journal, key)
    found = Found()
    listed = []
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _rewrite_journal(journal, key, known)
        with journal.open("a", encoding="utf-8") as notes:
            for number, (name, data) in enumerate(read_all(sources), 1):
                entry = known.get(name) or _examine(name, data, detect)
                if name not in known:
                    notes.write(json.dumps(entry) + "\n")
                    notes.flush()
                if "left_out" in entry:
                    found.left_out[entry["left_out"]] += 1
                else:
                    listed.append(entry)
                    found.objects += len(entry["objects"])
                watch(number)
    except OSError as error:
        raise InstcolorError(f"{journal}: cannot be written ({error.strerror or error})") from None
    found.photos = len(listed)
    lines = ",".join("\n  " + json.dumps(entry) for entry in listed)
    write_whole(out, f'{{"photos": [{lines}\n]}}\n'.encode(), overwrite=True)
    journal.unlink()
    return found


def _examine(name: str, data: bytes | None, detect: Detect) -> dict[str, Any]:
    """The entry of one photo in the boxes file, or why it has none."""
    small = "unreadable" if data is None else decode(data, GRAY_TEST_SIDE)
    if isinstance(small, str):
        return {"file": name, "left_out": small}
    if is_gray(small.rgb):
        return {"file": name, "left_out": "gray"}
    assert data is not None
    try:
        photo = Photo.open(data)
        objects = detect(photo.L)
    except (PhotoError, MemoryError):
        return {"file": name, "left_out": "unreadable"}
    except Exception:  # a detector's, on this photo; the others may do
        return {"file": name, "left_out": "the detector failed on"}
    return dict(to_json([PhotoObjects(name, photo.size, without_masks(objects))])["photos"][0])


def _read_journal(journal: Path, key: Any) -> dict[str, Any]:
    """File name -> entry, of a run with the same key; a torn last line does not count."""
    try:
        lines = journal.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        return {}
    entries = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    if not entries or entries[0] != key:
        return {}
    return {entry["file"]: entry for entry in entries[1:]}


def _rewrite_journal(journal: Path, key: Any, known: Mapping[str, Any]) -> None:
    lines = [json.dumps(value) + "\n" for value in (key, *known.values())]
    journal.write_text("".join(lines), encoding="utf-8")
