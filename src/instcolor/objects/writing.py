"""Objects as the JSON of a boxes file: this package's own form, or COCO's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..coco import COCO_IDS, ID_OF_NAME
from .detected import PhotoObjects
from .rle import run_lengths


def to_json(photos: Iterable[PhotoObjects]) -> dict[str, Any]:
    """The plain form: `{"photos": [{"file", "size": [w, h], "objects": [{"box", "label", "score"}]}]}`.

    An object with a mask, on a photo of known size, has its `"mask"` as `run_lengths` gives it.
    """
    listed: list[dict[str, Any]] = []
    for photo in photos:
        entry: dict[str, Any] = {"file": photo.file}
        if photo.size is not None:
            entry["size"] = list(photo.size)
        entry["objects"] = []
        for o in photo.objects:
            item: dict[str, Any] = {"box": [round(float(v), 2) for v in o.box], "label": o.label}
            item["score"] = round(float(o.score), 4)
            if o.mask and photo.size:
                item["mask"] = run_lengths(o.mask, photo.size)
            entry["objects"].append(item)
        listed.append(entry)
    return {"photos": listed}


def to_coco(photos: Iterable[PhotoObjects]) -> dict[str, Any]:
    """COCO's form: `images`, `annotations` (with `score`, so each is a COCO result too) and `categories`.

    The 80 COCO classes have their official ids; other labels get ids from 91 on. An object with a mask, on a photo of
    known size, has it as `segmentation`.
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
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image["id"],
                "category_id": ids.setdefault(item.label, 91 + len(ids) - len(COCO_IDS)),
                "bbox": [round(v, 2) for v in (x0, y0, x1 - x0, y1 - y0)],
                "area": round((x1 - x0) * (y1 - y0), 2),
                "iscrowd": 0,
                "score": round(float(item.score), 4),
            }
            if item.mask and photo.size:
                annotation["segmentation"] = run_lengths(item.mask, photo.size)
            annotations.append(annotation)
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
    }
