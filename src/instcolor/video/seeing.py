"""The colorizer's seam: a frame as a photograph, seen by the networks or remembered; what people lend a key frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ..colorizer import Colorizer, Look
from ..editing.borrowing import borrow
from ..errors import PhotoError, VideoError
from ..files import shown
from ..hints import Hints
from ..objects import DetectedObject
from ..photo import Photo
from ..photo.reference import read_colors
from ..photo.source import Source
from ..runtime.model import Answer
from .answers import SmallAnswer
from .keys import Key, Lent, merged
from .motion import Floats
from .reading import Film, Frame
from .scenes import Manner
from .sidecar import Sidecar

SAME_PICTURE = 0.6  # correlation of lightness from which a reference shows the frame that it is given for
COMPARED = (48, 48)  # cells in which that is asked
UNTOUCHED, TOUCHED = 1.0, 5.0  # ab that hints change a place, between which it goes from the networks' to the person's


@dataclass
class Seeing:
    """What scenes ask of the colorizer for one film (`scenes.Networks`)."""

    film: Film
    colorizer: Colorizer
    manner: Manner
    references: Mapping[int, Floats] = field(default_factory=dict)
    """Small L*a*b* pictures (h, w, 3) by the numbers of their frames."""
    hints: Mapping[int, Hints] = field(default_factory=dict)
    sidecar: Sidecar | None = None
    asked: int = 0
    """Key frames that the networks saw."""
    notes: list[str] = field(default_factory=list)

    def look(
        self, frame: Frame, known: Sequence[DetectedObject], *, find: bool
    ) -> tuple[SmallAnswer, tuple[DetectedObject, ...]]:
        kept = self.sidecar and self.sidecar.answer(frame.number)
        if kept:
            return kept
        photo = self._photo(frame)
        found = self.colorizer.detect(photo) if find else ()
        objects = merged(found, known, self.colorizer.limit) if find else tuple(known)
        answer = _small(self.colorizer.look_again(photo, objects))
        self.asked += 1
        if self.sidecar:
            self.sidecar.keep(frame.number, answer, objects)
        return answer, objects

    def lent(self, frame: Frame, key: Key) -> Lent:
        """A reference of the same picture lends its colors place by place, another one by likeness, as hints do."""
        photo, shape = self._photo(frame), key.answer.ab.shape[:2]
        own, points = None, self.hints.get(frame.number, Hints.none())
        if frame.number in self.references:
            reference = self.references[frame.number]
            if _alike(photo.L, reference[..., 0]) >= SAME_PICTURE:
                ab = cv2.resize(reference[..., 1:], shape[::-1], interpolation=cv2.INTER_AREA)
                own = Lent(np.asarray(ab, np.float32), np.ones(shape, np.float32))
            else:
                self.notes.append(
                    f"the reference of frame {frame.number} shows something else: its colors go where it looks alike"
                )
                points = Hints(np.concatenate([borrow(photo.L, reference).points, points.points]))
        if not len(points.points):
            return own or Lent(np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32))
        look = self.colorizer.look_again(photo, key.objects, points)
        hinted, plain = (self.manner.pick(answer.sum().mean()) for answer in (_small(look), key.answer))
        change = np.linalg.norm(hinted - plain, axis=-1)
        weight = ((change - UNTOUCHED) / (TOUCHED - UNTOUCHED)).clip(0, 1).astype(np.float32)
        if own is None:
            return Lent(hinted, weight)
        return Lent(Lent(hinted, weight).over(own.ab), own.weight)

    def _photo(self, frame: Frame) -> Photo:
        return Photo(self.film.coding.lightness(frame.Y), Source(f"{self.film.name}, frame {frame.number}"))


def _small(look: Look) -> SmallAnswer:
    """The regression as it is, the distribution with regions that decide together: each style reads its own."""
    return SmallAnswer.of(Answer(look.answer.ab, look.coherent.logits))


def read_reference(path: Path) -> Floats:
    """A small copy of a colored picture, (h, w, 3) L*a*b*. Raises VideoError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise VideoError(f"{shown(path)}: cannot be read ({error.strerror or error})") from error
    try:
        return read_colors(data)
    except PhotoError as error:
        raise VideoError(f"{shown(path)}: {str(error).removeprefix('<bytes>: ')}") from error


def _alike(a: Floats, b: Floats) -> float:
    """How far two lightness planes of any size show the same, -1..1."""
    small = [np.asarray(cv2.resize(p, COMPARED, interpolation=cv2.INTER_AREA), np.float32) for p in (a, b)]
    one, other = (plane - plane.mean() for plane in small)
    return float((one * other).mean() / max(float(one.std() * other.std()), 1e-6))
