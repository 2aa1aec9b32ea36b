"""One evaluation from photos to rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..detectors import Detector
from ..errors import InstcolorError
from ..objects import Boxes
from .measure import STYLES, Distance, ObjectScore, PictureScore, Result, measure
from .methods import Method
from .photos import PhotoFile
from .protocol import Case, Protocol
from .summary import Row, rows_of


@dataclass(eq=False)
class Evaluation:
    """What an evaluation has found; grows while it runs."""

    protocol: Protocol
    pictures: list[PictureScore] = field(default_factory=list)
    objects: list[ObjectScore] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  # one line each
    notes: list[str] = field(default_factory=list)  # what is missing from the table, and why

    def rows(self) -> list[Row]:
        return rows_of(self.pictures, self.objects)

    def as_json(self) -> dict[str, Any]:
        """`{"protocol": [lines], "notes", "failures", "rows": [...]}`; see `summary` for the rows."""
        return {
            "protocol": self.protocol.lines(),
            "notes": self.notes,
            "failures": self.failures,
            "rows": self.rows(),
        }


def evaluate(
    photos: Sequence[PhotoFile],
    methods: Sequence[Method],
    protocol: Protocol,
    *,
    boxes: Boxes | None = None,
    detector: Detector | None = None,
    styles: Sequence[str] = STYLES,
    distance: Distance | None = None,
    watch: Callable[[Result], None] | None = None,
) -> Evaluation:
    """Measures the methods on the photos. A photo that cannot be used is a line in `failures`, the others go on.

    Args:
        photos: see `find_photos`.
        methods: the rows; put grey and the full image first, other rows are compared with them.
        boxes: annotated objects, matched by file stem.
        detector: finds the objects to fuse; without one the annotated ones are.
        distance: a learned distance, or None.
        watch: is called with every result as it is made.
    """
    evaluation = Evaluation(protocol)
    cases = _cases(photos, protocol, boxes, detector, evaluation.failures)
    for result in measure(cases, methods, protocol, styles=styles, distance=distance):
        evaluation.pictures.append(result.picture)
        evaluation.objects.extend(result.objects)
        if watch:
            watch(result)
    if not evaluation.pictures:
        raise InstcolorError(evaluation.failures[0] if evaluation.failures else "no photos to evaluate")
    return evaluation


def _cases(
    photos: Sequence[PhotoFile],
    protocol: Protocol,
    boxes: Boxes | None,
    detector: Detector | None,
    failures: list[str],
) -> Iterator[Case]:
    for photo in photos:
        try:
            rgb = photo.read()
            annotated = boxes.for_photo(photo.name, (rgb.shape[1], rgb.shape[0])) if boxes else None
            case = protocol.case(photo.name, rgb, annotated)
            if detector:
                case = protocol.case(photo.name, rgb, annotated, detector.detect(case.source.L))
        except InstcolorError as error:
            failures.append(str(error))
            continue
        yield case
