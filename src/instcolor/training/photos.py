"""The training photos, decoded once and kept as one file that is read as if it were memory, shared by processes."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..colorspace import srgb_to_lab
from ..errors import InstcolorError
from ..limits import MAX_PIXELS
from ..photo.formats import READERS
from .boxes import NONE, Annotations
from .processes import say
from .sources import fingerprint, read_photos

R = TypeVar("R")
MIN_CHROMA_RANGE = 10.0  # of a* plus of b*; photos under it teach nothing (as in the paper's code)
JPEG_QUALITY = 95
CACHE_FORMAT = 2


class Decoded(NamedTuple):
    rgb: NDArray[np.uint8]  # (h, w, 3)
    original: tuple[int, int]  # width, height of the upright photo before it was made smaller


@dataclass(frozen=True)
class PhotoStore:
    """Photos as (height, width, 3) sRGB bytes, with the objects found on them."""

    pixels: NDArray[np.uint8]  # all photos, one after the other, raw or as JPEG
    names: list[str]
    sizes: NDArray[np.int64]  # (n, 2) height, width
    spans: NDArray[np.int64]  # (n, 2) first byte, and the one after the last
    boxes: list[NDArray[np.float32]]  # (k, 6) x0, y0, x1, y1, score, class
    raw: bool = True  # not JPEG

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        h, w = self.sizes[index]
        start, end = self.spans[index]
        data = self.pixels[start:end]
        if self.raw:
            return data.reshape(h, w, 3)
        return np.asarray(Image.open(io.BytesIO(data.tobytes()), formats=("JPEG",)))

    def part(self, indices: NDArray[np.integer]) -> PhotoStore:
        """Some of the photos; the pixels stay shared."""
        names, boxes = [self.names[i] for i in indices], [self.boxes[i] for i in indices]
        return PhotoStore(self.pixels, names, self.sizes[indices], self.spans[indices], boxes, self.raw)

    def split(self, held_out: int) -> tuple[PhotoStore, PhotoStore]:
        """The photos to train on and `held_out` others: by their names, so that every stage holds out the same."""
        order = np.argsort([crc32(name.encode()) for name in self.names], kind="stable")
        return self.part(np.sort(order[held_out:])), self.part(np.sort(order[:held_out]))

    @classmethod
    def open(
        cls, sources: Sequence[Path], boxes: Path | None, cache: Path, short_side: int = 256, kept_as: str = "raw"
    ) -> PhotoStore:
        """Reads folders, zip files and tar shards of photos, decoding each into `cache` the first time.

        Photos are brought to `short_side` (never enlarged) and kept "raw" or as "jpeg". Grey and unreadable ones are
        left out and counted on stderr. `boxes` is an annotation file; see `Annotations`.
        Raises InstcolorError where no photo is left, or the cache cannot be written.
        """
        key = repr([CACHE_FORMAT, short_side, kept_as, *(fingerprint(source) for source in sources)])
        stem = cache / f"photos-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        index_file = stem.with_suffix(".json")
        if not index_file.exists():
            _fill(sources, stem, short_side, kept_as)
        index = json.loads(index_file.read_bytes())
        if not index["names"]:
            raise InstcolorError(f"{', '.join(map(str, sources))}: no color photo in it")
        sizes = np.array(index["sizes"], np.int64)
        ends = np.cumsum(np.array(index["bytes"], np.int64))
        spans = np.stack([ends - index["bytes"], ends], 1)
        pixels = np.memmap(stem.with_suffix(".bin"), np.uint8, "r")
        rows = [NONE] * len(sizes)
        if boxes:
            annotations = Annotations(boxes)
            shapes = zip(index["names"], sizes[:, ::-1].tolist(), index["originals"], strict=True)
            rows = [annotations.rows(name, tuple(size), tuple(original)) for name, size, original in shapes]
            photos = sum(len(r) > 0 for r in rows)
            say(f"{boxes}: {sum(map(len, rows))} objects on {photos} photos{_left_out(annotations.left_out)}")
        return cls(pixels, index["names"], sizes, spans, rows, kept_as == "raw")


def _left_out(counts: Counter[str]) -> str:
    listed = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"; left out: {listed}" if listed else ""


def _fill(sources: Sequence[Path], stem: Path, short_side: int, kept_as: str) -> None:
    """Writes the photos (.bin) and then their index (.json), which says that both are whole."""
    index: dict[str, list] = {"names": [], "sizes": [], "originals": [], "bytes": []}
    left_out: Counter[str] = Counter()
    part = stem.with_name(f"{stem.name}.{os.getpid()}.part")
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            for name, photo, data in _decoded(sources, short_side, kept_as):
                if isinstance(photo, str):
                    left_out[photo] += 1
                    continue
                out.write(data)
                index["names"].append(name)
                index["sizes"].append(photo.rgb.shape[:2])
                index["originals"].append(photo.original)
                index["bytes"].append(len(data))
        part.replace(stem.with_suffix(".bin"))
        part.write_text(json.dumps(index))
        part.replace(stem.with_suffix(".json"))
    except OSError as error:
        raise InstcolorError(f"{part.parent}: the photos cannot be kept there ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)
    say(f"{len(index['names'])} photos{_left_out(left_out)}")


def _decoded(sources: Sequence[Path], short_side: int, kept_as: str) -> Iterator[tuple[str, Decoded | str, bytes]]:
    """Name, photo and bytes to keep of every photo, or the reason why it is left out; decoded in several threads."""

    def work(name: str, data: bytes | None) -> tuple[str, Decoded | str, bytes]:
        photo = "unreadable" if data is None else decode(data, short_side)
        if isinstance(photo, str):
            return name, photo, b""
        if is_grey(photo.rgb):
            return name, "grey", b""
        return name, photo, _jpeg(photo.rgb) if kept_as == "jpeg" else photo.rgb.tobytes()

    entries = (entry for source in sources for entry in read_photos(source))
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield from in_order(work, entries, threads)


def in_order(work: Callable[..., R], entries: Iterator[tuple], threads: int) -> Iterator[R]:
    """`work` on every entry in several threads, results in the order of the entries, few of them waiting."""
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for entry in entries:
            waiting.append(pool.submit(work, *entry))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def decode(data: bytes, short_side: int) -> Decoded | str:
    """An upright photo with at most `short_side` on its shorter side, or the reason why there is none."""
    try:
        with Image.open(io.BytesIO(data), formats=tuple(READERS)) as file:
            if file.width * file.height > MAX_PIXELS:
                return "too large"
            full = file.size
            file.draft("RGB", (2 * short_side, 2 * short_side))  # JPEG only: half, a quarter or an eighth at once
            image = ImageOps.exif_transpose(file)
            original = full if image.size == file.size else full[::-1]
            image = image.convert("RGBA").convert("RGB") if "transparency" in image.info else image.convert("RGB")
            scale = short_side / min(original)
            if scale < 1:
                size = (max(1, round(original[0] * scale)), max(1, round(original[1] * scale)))
                image = image.resize(size, Image.Resampling.LANCZOS)
            return Decoded(np.asarray(image), original)
    except Exception:  # decoders of damaged bytes raise nearly every type
        return "unreadable"


def is_grey(rgb: NDArray[np.uint8]) -> bool:
    ab = srgb_to_lab(rgb[::4, ::4].astype(np.float32) / 255)[..., 1:]
    return bool((ab.max((0, 1)) - ab.min((0, 1))).sum() < MIN_CHROMA_RANGE)


def _jpeg(rgb: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue()
