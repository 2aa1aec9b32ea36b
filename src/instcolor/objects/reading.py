"""Boxes files: JSON of this package's own form or COCO's, and the `.npz` files of Su et al."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BoxesError
from .boxes import Boxes
from .coco_file import CocoFile
from .detected import DetectedObject, PhotoObjects
from .npz import SUFFIX, read_npz
from .values import detected, four_numbers, masked, photo_size


def read_boxes(path: str | Path) -> Boxes:
    """Reads a boxes file: what `to_json` or `to_coco` write, COCO annotations, a list of COCO results, `.npz`.

    COCO boxes are x, y, width, height; labels come from its `categories`, or are COCO's own ids where it has none. In
    a list of results `image_id` is the photo's file name, or the number that COCO calls it by. A missing score counts
    as 1. A `.npz` file holds the boxes of the photo that it is named after, a folder those of many (see `npz`).
    Raises BoxesError that names file and entry; a box that makes no sense concerns its photo alone (`for_photo`).
    """
    source, path = str(path), Path(path)
    if path.is_dir():
        return Boxes(source, map(read_npz, _archives(path)), first_dot=True)
    if path.suffix.lower() == SUFFIX:
        return Boxes(source, [read_npz(path)], first_dot=True)
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise BoxesError(f"{source}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise BoxesError(f"{source}: not JSON ({str(error).splitlines()[0]})") from error
    if isinstance(data, dict) and isinstance(data.get("photos"), list):
        return Boxes(source, _read_plain(source, data["photos"]))
    if isinstance(data, dict) and isinstance(data.get("images"), list) and isinstance(data.get("annotations"), list):
        return Boxes(source, _read_coco(source, data))
    if isinstance(data, list):
        return Boxes(source, _read_results(source, data))
    raise BoxesError(f'{source}: neither "photos" nor COCO "images" and "annotations" in it')


def _archives(folder: Path) -> list[Path]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() == SUFFIX)
    except OSError as error:
        raise BoxesError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if not files:
        raise BoxesError(f"{folder}: there are no {SUFFIX} boxes files in this folder")
    return files


def _read_plain(source: str, photos: list[Any]) -> Iterator[PhotoObjects]:
    for number, photo in enumerate(photos):
        where = f"{source}: photo {number}"
        if not isinstance(photo, dict) or not isinstance(photo.get("file"), str):
            raise BoxesError(f'{where}: no "file"')
        where = f"{source}: photo {photo['file']}"
        if not isinstance(photo.get("objects"), list):
            raise BoxesError(f'{where}: no "objects"')
        size = photo_size(where, photo["size"]) if photo.get("size") is not None else None
        objects = []
        for place, item in enumerate(photo["objects"]):
            here = f"{where}, object {place}"
            if not isinstance(item, dict):
                raise BoxesError(f"{here}: not an object")
            x0, y0, x1, y1 = four_numbers(here, "box", item.get("box"))
            found = detected(here, (x0, y0, x1, y1), str(item.get("label", "object")), item.get("score", 1.0))
            objects.append(masked(here, found, item.get("mask"), size))
        yield PhotoObjects(photo["file"], size, tuple(objects))


def _read_coco(source: str, data: dict[str, Any]) -> Iterator[PhotoObjects]:
    file = CocoFile.of(source, data)
    found: dict[Any, list[DetectedObject]] = {image.key: [] for image in file.images}
    if len(found) < len(file.images):
        raise BoxesError(f"{source}: two images have the same id")
    for number in range(len(file.annotations)):
        key, item = file.object(number)
        if key not in found:
            raise BoxesError(f"{source}: annotation {number}: its image_id is not among the images")
        found[key].append(item)
    for image in file.images:
        stated = image.width is not None and image.height is not None
        size = photo_size(f"{source}: image {image.file}", (image.width, image.height)) if stated else None
        yield PhotoObjects(image.file, size, tuple(found[image.key]))


def _read_results(source: str, results: list[Any]) -> Iterator[PhotoObjects]:
    keys = dict.fromkeys(
        item["image_id"] for item in results if isinstance(item, dict) and isinstance(item.get("image_id"), int | str)
    )
    images = [{"id": key, "file_name": f"{key:012d}.jpg" if isinstance(key, int) else key} for key in keys]
    return _read_coco(source, {"images": images, "annotations": results})
