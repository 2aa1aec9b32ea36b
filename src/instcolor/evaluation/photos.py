"""The photos of a folder, of a zip file or of a COCO annotation file, in a fixed order."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..errors import InstcolorError, PhotoError
from ..photo.formats import READERS, SUFFIXES


@dataclass(frozen=True)
class PhotoFile:
    """A photo that has not been read yet."""

    name: str
    source: Path  # the file, or the zip file that holds it under `member`
    member: str | None = None

    def read(self) -> NDArray[np.uint8]:
        """(h, w, 3) sRGB bytes, upright. Raises PhotoError."""
        try:
            if self.member is None:
                data = self.source.read_bytes()
            else:
                with zipfile.ZipFile(self.source) as archive:
                    data = archive.read(self.member)
            with Image.open(io.BytesIO(data), formats=tuple(READERS)) as image:
                return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except (OSError, ValueError, SyntaxError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
            raise PhotoError(f"{self.name}: cannot be read ({' '.join(str(error).split())})") from error


def find_photos(data: Path) -> list[PhotoFile]:
    """The photos of a folder (with its subfolders), a zip file, or a COCO JSON, ordered by name.

    A COCO JSON names its images; they are looked for beside it and, as COCO lies on a disk, in the folder
    `../<split>` for `annotations/instances_<split>.json`. Raises InstcolorError where there are none.
    """
    if data.suffix.lower() == ".json":
        photos = list(_coco_photos(data))
    elif data.is_dir():
        files = (path for path in data.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        photos = [PhotoFile(str(path.relative_to(data)), path) for path in files]
    elif data.is_file() and zipfile.is_zipfile(data):
        with zipfile.ZipFile(data) as archive:
            members = [name for name in archive.namelist() if Path(name).suffix.lower() in SUFFIXES]
        photos = [PhotoFile(name, data, name) for name in members]
    else:
        raise InstcolorError(f"{data}: {'neither a folder, a zip file nor JSON' if data.exists() else 'no such file'}")
    if not photos:
        raise InstcolorError(f"{data}: no photos in it")
    return sorted(photos, key=lambda photo: photo.name)


def _coco_photos(path: Path) -> Iterator[PhotoFile]:
    try:
        names = [str(image["file_name"]) for image in json.loads(path.read_bytes())["images"]]
    except OSError as error:
        raise InstcolorError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InstcolorError(f"{path}: no COCO annotations ({error!r})") from error
    split = path.stem.split("_", 1)[-1]
    folders = [path.parent, path.parent / "images", path.parent.parent / split, path.parent.parent / "images" / split]
    for name in names:
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is None:
            raise InstcolorError(f"{path}: photo {name} is not beside it, nor in {folders[2]}")
        yield PhotoFile(name, found)
