"""Objects that somebody has marked, behind the same protocol as objects that a network finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..objects import DetectedObject, PhotoObjects


class Annotated:
    """Answers with the objects of one photo, scaled to the plane it is asked about."""

    def __init__(self, photo: PhotoObjects) -> None:
        self.photo = photo

    def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
        """The given objects with their boxes in pixels of the (h, w) plane."""
        return self.photo.at((L.shape[1], L.shape[0]))
