"""Objects of a photo: a box, a label, a score; which of them to color; JSON and COCO in and out.

Boxes are `(x0, y0, x1, y1)` in pixels of the upright photo, half-open. Sizes are `(width, height)` as Pillow has them.
Where the objects come from, a detector or a file, makes no difference here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .coco import COCO_IDS, ID_OF_NAME, NAME_OF_ID
from .errors import BoxesError

Box = tuple[float, float, float, float]
Size = tuple[int, int]

LIMIT = 8  # as in the paper
MIN_AREA = 0.0005  # share of the photo: 11 x 11 pixels at 500 x 500
MAX_IOU = 0.75  # above it two boxes are one object found twice, whatever their labels say


@dataclass(frozen=True)
class DetectedObject:
    """One object: box in pixels of the upright photo, class name, score in 0..1, optional (h, w) mask of the photo."""

    box: Box
    label: str
    score: float
    mask: NDArray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class PhotoObjects:
    """The objects of one photo as a file states them; `size` (width, height) is what the boxes are measured in."""

    file: str
    size: Size | None
    objects: tuple[DetectedObject, ...]

    def at(self, size: Size) -> list[DetectedObject]:
        """The objects with their boxes scaled to a photo of `size`; masks stay with the size they were made for."""
        if self.size is None or self.size == size:
            return list(self.objects)
        fx, fy = size[0] / self.size[0], size[1] / self.size[1]
        return [
            replace(o, box=(o.box[0] * fx, o.box[1] * fy, o.box[2] * fx, o.box[3] * fy), mask=None)
            for o in self.objects
        ]


def clip(box: Box, size: Size) -> Box | None:
    """The part of a box inside a photo of `size`; None where nothing is left or a coordinate is not finite."""
    if not all(math.isfinite(v) for v in box):
        return None
    x0, y0, x1, y1 = max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(size[0])), min(box[3], float(size[1]))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (area - width * height)


def select(
    objects: Iterable[DetectedObject],
    size: Size,
    *,
    limit: int = LIMIT,
    min_score: float = 0.0,
    min_area: float = MIN_AREA,
    max_iou: float = MAX_IOU,
) -> list[DetectedObject]:
    """The objects worth coloring on their own in a photo of `size` (width, height), best scores first.

    Boxes are clipped to the photo. Dropped are: boxes without a finite visible part, scores that are not finite or
    under `min_score`, boxes under `min_area` (share of the photo), boxes that overlap a better one by more than
    `max_iou`, and what comes after the first `limit`. Objects of equal score keep their order.
    """
    chosen: list[DetectedObject] = []
    usable = (o for o in objects if math.isfinite(o.score) and o.score >= min_score)
    for item in sorted(usable, key=lambda o: -o.score):
        if len(chosen) >= limit:
            break
        box = clip(item.box, size)
        if box is None or (box[2] - box[0]) * (box[3] - box[1]) < min_area * size[0] * size[1]:
            continue
        if all(iou(box, other.box) <= max_iou for other in chosen):
            chosen.append(replace(item, box=box))
    return chosen


class Boxes(Mapping[str, PhotoObjects]):
    """The content of a boxes file: photo name as written there -> its objects. `for_photo` finds by file stem."""

    def __init__(self, source: str, photos: Iterable[PhotoObjects]) -> None:
        self.source = source
        self._photos: dict[str, PhotoObjects] = {}
        self._stems: dict[str, list[PhotoObjects]] = {}
        for photo in photos:
            if photo.file in self._photos:
                raise BoxesError(f"{source}: photo {photo.file} is listed twice")
            self._photos[photo.file] = photo
            self._stems.setdefault(_stem(photo.file), []).append(photo)

    def __getitem__(self, file: str) -> PhotoObjects:
        return self._photos[file]

    def __iter__(self) -> Iterator[str]:
        return iter(self._photos)

    def __len__(self) -> int:
        return len(self._photos)

    def for_photo(self, file: str | Path, size: Size) -> list[DetectedObject]:
        """The objects of a photo of `size`, in its pixels and clipped to it; none where the file does not list it.

        Photos are matched by stem; among several of one stem the same name, then the same path decides.
        Raises BoxesError where that is still open, and for a box that is empty, not finite or altogether outside.
        """
        path = Path(file)
        found = self._stems.get(path.stem, [])
        for same in (lambda p: Path(p.file).name == path.name, lambda p: Path(p.file) == path):
            if len(found) > 1:
                found = [p for p in found if same(p)]
                if not found:
                    raise BoxesError(f"{self.source}: several photos are called {path.stem}, none of them {file}")
        if len(found) > 1:
            raise BoxesError(f"{self.source}: several photos are {file}")
        objects = []
        for number, item in enumerate(found[0].at(size) if found else ()):
            fault = _fault(item, size)
            if fault:
                raise BoxesError(f"{self.source}: photo {found[0].file}, object {number}: {fault}")
            objects.append(replace(item, box=clip(item.box, size) or item.box))
        return objects


def read_boxes(path: str | Path) -> Boxes:
    """Reads a boxes file: what `to_json` or `to_coco` write, COCO annotations, or a list of COCO results.

    COCO boxes are x, y, width, height; labels come from its `categories`, or are COCO's own ids where it has none. In
    a list of results `image_id` is the photo's file name, or the number that COCO calls it by. A missing score counts
    as 1. Raises BoxesError that names file and entry; a box that makes no sense concerns its photo alone (`for_photo`).
    """
    source = str(path)
    try:
        data = json.loads(Path(path).read_bytes())
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


def to_json(photos: Iterable[PhotoObjects]) -> dict[str, Any]:
    """The plain form: `{"photos": [{"file", "size": [w, h], "objects": [{"box", "label", "score"}]}]}`."""
    listed: list[dict[str, Any]] = []
    for photo in photos:
        entry: dict[str, Any] = {"file": photo.file}
        if photo.size is not None:
            entry["size"] = list(photo.size)
        entry["objects"] = [
            {"box": [round(float(v), 2) for v in o.box], "label": o.label, "score": round(float(o.score), 4)}
            for o in photo.objects
        ]
        listed.append(entry)
    return {"photos": listed}


def to_coco(photos: Iterable[PhotoObjects]) -> dict[str, Any]:
    """COCO's form: `images`, `annotations` (with `score`, so each is a COCO result too) and `categories`.

    The 80 COCO classes have their official ids; other labels get ids from 91 on.
    """
    ids = dict(ID_OF_NAME)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for photo in photos:
        image: dict[str, Any] = {"id": len(images) + 1, "file_name": photo.file}
        if photo.size is not None:
            image |= {"width": photo.size[0], "height": photo.size[1]}
        images.append(image)
        for item in photo.objects:
            x0, y0, x1, y1 = (float(v) for v in item.box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image["id"],
                    "category_id": ids.setdefault(item.label, 91 + len(ids) - len(COCO_IDS)),
                    "bbox": [round(v, 2) for v in (x0, y0, x1 - x0, y1 - y0)],
                    "area": round((x1 - x0) * (y1 - y0), 2),
                    "iscrowd": 0,
                    "score": round(float(item.score), 4),
                }
            )
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
    }


def _stem(file: str) -> str:
    return Path(file).stem


def _fault(item: DetectedObject, size: Size) -> str | None:
    """What is wrong with an object of a photo of `size`."""
    x0, y0, x1, y1 = item.box
    if not all(math.isfinite(v) for v in (*item.box, item.score)):
        return f"box {_numbers(item.box)} or score {item.score:g} is not finite"
    if not (x1 > x0 and y1 > y0):
        return f"box {_numbers(item.box)} is empty"
    if clip(item.box, size) is None:
        return f"box {_numbers(item.box)} is outside the photo of {size[0]} x {size[1]} pixels"
    return None


def _numbers(values: Iterable[float]) -> str:
    return "[" + ", ".join(f"{v:g}" for v in values) + "]"


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
