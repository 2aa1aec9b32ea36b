"""Boxes files: JSON of this package's own form or COCO's, and the `.npz` files of Su et al."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..coco import NAME_OF_ID
from ..errors import BoxesError
from .boxes import Boxes
from .detected import DetectedObject, PhotoObjects
from .geometry import Box, Size
from .npz import SUFFIX, read_npz


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
        size = _size(where, photo["size"]) if photo.get("size") is not None else None
        objects = []
        for place, item in enumerate(photo["objects"]):
            here = f"{where}, object {place}"
            if not isinstance(item, dict):
                raise BoxesError(f"{here}: not an object")
            x0, y0, x1, y1 = _four(here, "box", item.get("box"))
            objects.append(_object(here, (x0, y0, x1, y1), str(item.get("label", "object")), item.get("score", 1.0)))
        yield PhotoObjects(photo["file"], size, tuple(objects))


def _read_coco(source: str, data: dict[str, Any]) -> Iterator[PhotoObjects]:
    try:
        names = {c["id"]: str(c["name"]) for c in data.get("categories") or ()} or NAME_OF_ID
        images = {image["id"]: image for image in data["images"]}
        files = {key: str(image["file_name"]) for key, image in images.items()}
    except (TypeError, KeyError) as error:
        raise BoxesError(f"{source}: images and categories need id and file_name or name ({error!r})") from error
    if len(images) < len(data["images"]):
        raise BoxesError(f"{source}: two images have the same id")
    found: dict[Any, list[DetectedObject]] = {key: [] for key in images}
    for number, item in enumerate(data["annotations"]):
        where = f"{source}: annotation {number}"
        image_id = item.get("image_id") if isinstance(item, dict) else None
        if not isinstance(image_id, int | str) or image_id not in found:
            raise BoxesError(f"{where}: its image_id is not among the images")
        category = item.get("category_id")
        if not isinstance(category, int) or category not in names:
            raise BoxesError(f"{where}: unknown category_id {category!r}")
        x, y, width, height = _four(where, "bbox", item.get("bbox"))
        score = item.get("score", 1.0)
        found[image_id].append(_object(where, (x, y, x + width, y + height), names[category], score))
    for key, image in images.items():
        stated = image.get("width") is not None and image.get("height") is not None
        size = _size(f"{source}: image {files[key]}", (image["width"], image["height"])) if stated else None
        yield PhotoObjects(files[key], size, tuple(found[key]))


def _read_results(source: str, results: list[Any]) -> Iterator[PhotoObjects]:
    keys = dict.fromkeys(
        item["image_id"] for item in results if isinstance(item, dict) and isinstance(item.get("image_id"), int | str)
    )
    images = [{"id": key, "file_name": f"{key:012d}.jpg" if isinstance(key, int) else key} for key in keys]
    return _read_coco(source, {"images": images, "annotations": results})


def _size(where: str, value: Any) -> Size:
    good = isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int and v > 0 for v in value)
    if not good:
        raise BoxesError(f"{where}: size is not two positive whole numbers")
    return value[0], value[1]


def _four(where: str, name: str, value: Any) -> Box:
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(v) for v in value):
        raise BoxesError(f"{where}: {name} is not four numbers")
    x0, y0, x1, y1 = (float(v) for v in value)
    return x0, y0, x1, y1


def _object(where: str, box: Box, label: str, score: Any) -> DetectedObject:
    if not _is_number(score):
        raise BoxesError(f"{where}: score is not a number")
    return DetectedObject(box, label, float(score))


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) < 2**53)  # larger ones break float()
