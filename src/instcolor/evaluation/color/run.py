"""One evaluation from photos to rows."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...colorspace import srgb8_to_L
from ...detectors import Detector
from ...detectors.masks import MaskFinder
from ...errors import InstcolorError
from ...objects import Boxes, DetectedObject
from ..masks import TrueMasks
from ..photos import PhotoFile
from .compare import Distance
from .measure import STYLES, Result, measure
from .methods import Method
from .protocol import Case, Protocol
from .scores import EdgeScore, ObjectScore, PictureScore
from .summary import Key, Row, rows_of


@dataclass(frozen=True, eq=False)
class Data:
    """Photos and where their objects come from: annotated in a boxes file, found by a detector, both, or neither."""

    photos: Sequence[PhotoFile]
    boxes: Boxes | None = None
    detector: Detector | None = None
    outlines: MaskFinder | None = None  # of objects that come without a mask
    masks: TrueMasks | None = None  # of what is on the photos

    def only(self, names: Container[str]) -> Data:
        """The part of it with these photos."""
        return replace(self, photos=[photo for photo in self.photos if photo.name in names])

    def cases(self, protocol: Protocol, failures: list[str]) -> Iterator[Case]:
        """The photos one by one; what cannot be used becomes a line in `failures`."""
        for photo in self.photos:
            try:
                yield self._case(photo, protocol)
            except InstcolorError as error:
                failures.append(str(error))

    def _case(self, photo: PhotoFile, protocol: Protocol) -> Case:
        rgb = photo.read()
        size = rgb.shape[1], rgb.shape[0]
        L = srgb8_to_L(rgb)
        annotated = self._outlined(L, self.boxes.for_photo(photo.name, size)) if self.boxes else None
        detected = self._outlined(L, self.detector.detect(L)) if self.detector else None
        mask = self.masks.for_photo(photo.name, size) if self.masks else None
        return protocol.case(photo.name, rgb, annotated, detected, mask)

    def _outlined(self, L: NDArray[np.float32], objects: list[DetectedObject]) -> list[DetectedObject]:
        return self.outlines.outlined(L, objects) if self.outlines else objects


@dataclass(eq=False)
class Evaluation:
    """What an evaluation has found; grows while it runs."""

    protocol: Protocol
    pictures: list[PictureScore] = field(default_factory=list)
    objects: list[ObjectScore] = field(default_factory=list)
    edges: list[EdgeScore] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # one line each
    notes: list[str] = field(default_factory=list)  # what is missing from the table, and why
    fid: dict[Key, float] = field(default_factory=dict)  # Fréchet distance of each row

    def rows(self) -> list[Row]:
        """One row for each method and style, over all that was measured so far."""
        return rows_of(self.pictures, self.objects, self.fid, self.edges)

    def as_json(self) -> dict[str, Any]:
        """`{"protocol": [lines], "notes": [...], "failures": [...], "rows": [...]}`; see `summary` for the rows."""
        parts = {"protocol": self.protocol.lines(), "notes": self.notes, "failures": self.failures}
        return parts | {"rows": self.rows()}


def evaluate(
    data: Data,
    methods: Sequence[Method],
    protocol: Protocol,
    *,
    styles: Sequence[str] = STYLES,
    distance: Distance | None = None,
    watch: Callable[[Result], None] | None = None,
) -> Evaluation:
    """Measures the methods on the photos. A photo that cannot be used is a line in `failures`, the others go on.

    Args:
        methods: the rows; gains are over those called gray and full image, where they are among them.
        distance: a learned distance, or None.
        watch: is called with every result as it is made.

    Raises:
        InstcolorError: none of the photos could be used.
    """
    evaluation = Evaluation(protocol)
    for result in measure(data.cases(protocol, evaluation.failures), methods, protocol, styles, distance):
        evaluation.pictures.append(result.picture)
        evaluation.objects.extend(result.objects)
        evaluation.edges.extend(result.edges)
        if watch:
            watch(result)
    if not evaluation.pictures:
        raise InstcolorError(evaluation.failures[0] if evaluation.failures else "no photos to evaluate")
    return evaluation
