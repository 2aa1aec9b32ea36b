"""The training photos in memory: decoded once, kept as one file of pixels that processes share."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InstcolorError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}
MIN_CHROMA_RANGE = 10.0  # of a* plus of b*; photos under it teach nothing (as in the paper's code)


@dataclass(frozen=True)
class PhotoStore:
    """Photos as (height, width, 3) sRGB bytes, with the objects found on them."""

    pixels: NDArray[np.uint8]  # all photos, one after the other
    names: list[str]
    sizes: NDArray[np.int64]  # (n, 2) height, width
    offsets: NDArray[np.int64]  # (n,)
    boxes: list[NDArray[np.float32]]  # (k, 5) x0, y0, x1, y1, score

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        h, w = self.sizes[index]
        start = self.offsets[index]
        return self.pixels[start : start + h * w * 3].reshape(h, w, 3)

    @classmethod
    def open(cls, sources: list[Path], boxes: Path | None, cache: Path, short_side: int = 256) -> PhotoStore:
        """Reads folders and zip files of photos, decoding them into `cache` the first time.

        Photos are brought to `short_side` (never enlarged). Grey and unreadable ones are left out and counted on
        stderr. `boxes` is a COCO JSON; its photos are matched by file stem.
        """
        key = hashlib.sha256(repr([(str(p), p.stat().st_mtime_ns) for p in sources] + [short_side]).encode())
        stem = cache / f"photos-{key.hexdigest()[:16]}"
        if not stem.with_suffix(".json").exists():
            cache.mkdir(parents=True, exist_ok=True)
            _decode(sources, stem, short_side)
        index = json.loads(stem.with_suffix(".json").read_text())
        sizes = np.array(index["sizes"], np.int64).reshape(-1, 2)
        ends = np.cumsum(sizes.prod(1) * 3)
        pixels = np.memmap(stem.with_suffix(".bin"), np.uint8, "r")
        found = _read_boxes(boxes) if boxes else {}
        aligned = []
        for name, (h, w) in zip(index["names"], sizes, strict=True):
            known = found.get(Path(name).stem)
            if known is None:
                aligned.append(np.zeros((0, 5), np.float32))
                continue
            (box_w, box_h), rows = known
            aligned.append(rows * np.array([w / box_w, h / box_h, w / box_w, h / box_h, 1], np.float32))
        return cls(pixels, index["names"], sizes, ends - sizes.prod(1) * 3, aligned)


def read_photos(sources: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every photo in folders (searched through) and zip files, in a fixed order."""
    for source in sources:
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if path.suffix.lower() in SUFFIXES:
                    yield path.name, path.read_bytes()
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                for name in sorted(archive.namelist()):
                    if Path(name).suffix.lower() in SUFFIXES:
                        yield Path(name).name, archive.read(name)
        else:
            raise InstcolorError(f"{source}: neither a folder nor a zip file")


def _decode(sources: list[Path], stem: Path, short_side: int) -> None:
    names, sizes, grey, broken = [], [], 0, 0
    part = stem.with_suffix(".part")
    with part.open("wb") as out:
        for name, data in read_photos(sources):
            try:
                image = Image.open(io.BytesIO(data)).convert("RGB")
            except (OSError, ValueError, Image.DecompressionBombError):
                broken += 1
                continue
            scale = short_side / min(image.size)
            if scale < 1:
                size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
                image = image.resize(size, Image.Resampling.LANCZOS)
            rgb = np.asarray(image)
            if _is_grey(rgb):
                grey += 1
                continue
            out.write(rgb.tobytes())
            names.append(name)
            sizes.append(rgb.shape[:2])
    part.replace(stem.with_suffix(".bin"))
    index = stem.with_suffix(".tmp")
    index.write_text(json.dumps({"names": names, "sizes": sizes}))
    index.replace(stem.with_suffix(".json"))
    print(f"{len(names)} photos; left out: {grey} grey, {broken} unreadable", file=sys.stderr)


def _is_grey(rgb: NDArray[np.uint8]) -> bool:
    from ..colorspace import srgb_to_lab

    ab = srgb_to_lab(rgb[::4, ::4].astype(np.float32) / 255)[..., 1:]
    return bool((ab.max((0, 1)) - ab.min((0, 1))).sum() < MIN_CHROMA_RANGE)


def _read_boxes(path: Path) -> dict[str, tuple[tuple[int, int], NDArray[np.float32]]]:
    coco = json.loads(path.read_text())
    rows: dict[int, list[list[float]]] = {image["id"]: [] for image in coco["images"]}
    for a in coco["annotations"]:
        x, y, w, h = a["bbox"]
        rows[a["image_id"]].append([x, y, x + w, y + h, a.get("score", 1.0)])
    return {
        Path(image["file_name"]).stem: (
            (image["width"], image["height"]),
            np.array(rows[image["id"]], np.float32).reshape(-1, 5),
        )
        for image in coco["images"]
    }
