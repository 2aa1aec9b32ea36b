"""The photos that are measured, in a fixed order: of a folder, a zip file, tar shards or a COCO annotation file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InstcolorError, PhotoError
from ..photo.picture import read_picture
from ..sources import Item, open_source


@dataclass(frozen=True)
class PhotoFile:
    """A photo that has not been read yet."""

    item: Item

    @property
    def name(self) -> str:
        """Its place in the data, with slashes."""
        return self.item.name

    def read(self) -> NDArray[np.uint8]:
        """(h, w, 3) sRGB bytes, upright. Raises PhotoError."""
        try:
            return np.asarray(read_picture(self.item.read(), self.name).image)
        except PhotoError as error:
            reason = str(error).removeprefix(f"{self.name}: ").removeprefix(f"{self.item.label}: ")
            raise PhotoError(f"{self.name}: cannot be read ({reason})") from error


def find_photos(data: Path) -> list[PhotoFile]:
    """The photos of a place, see `sources.kinds`, ordered by name. Raises InstcolorError where there are none."""
    photos = [PhotoFile(item) for item in open_source(data)]
    if not photos:
        raise InstcolorError(f"{data}: no photos in it")
    return sorted(photos, key=lambda photo: photo.name)
