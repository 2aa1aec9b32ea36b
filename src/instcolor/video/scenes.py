"""Scene by scene to one small ab a frame: key frames are seen by the networks, the others borrow from the two nearest.

In a scene every `every`-th frame is a key frame. The distributions of the key frames are averaged along the flow: over
all that came before, the older the less (a recursive mean), and over the next `AHEAD`; then the style picks the
colors. A frame between two key frames takes the colors of both, moved by the flow, each as far as it is near and its
motion is to be trusted. Nothing goes over a cut. What is kept in memory does not grow with the film.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np

from .. import styles
from ..objects import DetectedObject
from ..runtime.model import Answer
from .answers import SmallAnswer, Sum
from .cuts import Place, Shot
from .keys import Key, Lent, Step, carried
from .motion import Floats, Motion, still
from .reading import Frame

AHEAD = 4  # key frames after a frame that have a say in its colors
SHARE = 0.96  # of the weight of what came before that is left a frame later, and of what comes after
FIND_EVERY = 24  # frames after which objects are looked for again
LEAST_TRUST = 0.02  # that every motion has: where none is trusted, the nearer key frame counts more
REACH = 1500  # frames before one with lent colors that may have them: what is waiting for them is kept in memory


class Painted(NamedTuple):
    """The colors of one frame: ab (h, w, 2) on a small grid over the upright frame; None where it keeps its own."""

    number: int
    ab: Floats | None
    first: bool
    """Whether a scene begins with it."""


class Networks(Protocol):
    """What a scene asks of the colorizer. Frames are upright, boxes in their pixels."""

    def look(
        self, frame: Frame, known: Sequence[DetectedObject], *, find: bool
    ) -> tuple[SmallAnswer, tuple[DetectedObject, ...]]:
        """What they say of a frame in which the `known` objects are, and those that they `find` there."""
        ...

    def lent(self, frame: Frame, key: Key) -> Lent:
        """The colors that a person gave this frame."""
        ...


@dataclass(frozen=True)
class Manner:
    """How scenes are colored."""

    style: styles.Style
    saturation: float = 1.0
    every: int = 1
    lenders: tuple[int, ...] = ()
    """Numbers of the frames that have colors to lend."""

    def pick(self, answer: Answer) -> Floats:
        """(h, w, 2) ab of an answer."""
        return np.asarray(styles.apply(answer, self.style) * self.saturation, np.float32)


def paint(
    shots: Iterable[Shot], networks: Networks, manner: Manner, keeps: Callable[[Shot], bool] = lambda shot: False
) -> Iterator[Painted]:
    """The colors of every frame, in order. A scene whose first shot `keeps` says has color already keeps that."""
    scene: _Scene | None = None
    for shot in shots:
        if shot.place is Place.FIRST:
            if scene:
                yield from scene.end()
            scene = None if keeps(shot) else _Scene(networks, manner)
        if scene:
            yield from scene.add(shot)
        else:
            yield Painted(shot.frame.number, None, shot.place is Place.FIRST)
    if scene:
        yield from scene.end()


class _Scene:
    """One scene on its way: frames come in, colors come out some key frames later."""

    def __init__(self, networks: Networks, manner: Manner) -> None:
        self.networks, self.manner = networks, manner
        self.newest: Key | None = None
        self.waiting: deque[Key] = deque()  # key frames whose colors are not out yet, the newest last
        self.shots: list[Shot] = []  # since the newest key frame
        self.past: Sum | None = None  # what the key frames that are out say, on the places of the last of them
        self.colors: Floats | None = None  # of that one
        self.found = 0  # the frame in which objects were looked for last

    def add(self, shot: Shot) -> Iterator[Painted]:
        """Takes a frame; what has its colors now comes out."""
        self.shots.append(shot)
        if shot.place is not Place.FLASH and self._is_due(shot.frame.number):
            self._make_key()
            yield from self._ready(AHEAD)

    def end(self) -> Iterator[Painted]:
        """All that is left. The last frame is a key frame too, so that each lies between two."""
        tail = []
        while self.shots and self.shots[-1].place is Place.FLASH:
            tail.append(self.shots.pop())
        if self.shots:
            self._make_key()
        yield from self._ready(0)
        for shot in reversed(tail):
            yield Painted(shot.frame.number, self.colors, False)

    def _is_due(self, number: int) -> bool:
        if self.newest is None or number in self.manner.lenders:
            return True
        return number - self.newest.number >= self.manner.every

    def _make_key(self) -> None:
        """Makes a key frame of the newest shot."""
        before, frame = self.newest, self.shots[-1].frame
        if before is None:
            self.found = frame.number
            key = Key(frame.number, *self.networks.look(frame, (), find=True))
        else:
            back, there, between = _steps(self.shots)
            known = carried(before.objects, there, (frame.Y.shape[1], frame.Y.shape[0]))
            find = frame.number - self.found >= FIND_EVERY
            self.found = frame.number if find else self.found
            key = Key(frame.number, *self.networks.look(frame, known, find=find), back, there, between)
            key.lent = before.lent and before.lent.carried(back)
        self.newest, self.shots = key, []
        self.waiting.append(key)
        if frame.number in self.manner.lenders:
            self._lend(self.networks.lent(frame, key))

    def _lend(self, own: Lent) -> None:
        """Gives the newest key frame colors, and those before it what reaches them."""
        keys = list(self.waiting)
        keys[-1].lent = own.with_(keys[-1].lent)
        for later, key in zip(reversed(keys), reversed(keys[:-1]), strict=False):
            if later.there is None:
                return
            own = own.carried(later.there)
            key.lent = own.with_(key.lent)

    def _ready(self, ahead: int) -> Iterator[Painted]:
        """The colors of the frames up to each key frame behind which there are `ahead` more."""
        while len(self.waiting) > ahead and not (ahead and self._waits()):
            key = self.waiting[0]
            before, self.colors = self.colors, (picked := self._pick(key))
            if before is not None:
                for step in key.between:
                    yield Painted(step.number, _between(step, before, picked), False)
            yield Painted(key.number, picked, key.back is None)
            self.waiting.popleft()

    def _waits(self) -> bool:
        """Whether a frame that may lend colors to the oldest key frame is still to come."""
        newest, oldest = self.waiting[-1].number, self.waiting[0].number
        return any(newest < number <= oldest + REACH for number in self.manner.lenders)

    def _pick(self, key: Key) -> Floats:
        """The colors of the oldest key frame that is waiting: the mean first, then the style, then what was lent."""
        own = key.answer.sum()
        self.past = own + self.past.carried(key.back, SHARE**key.apart) if self.past and key.back else own
        whole, future = self.past, None
        for later in reversed(list(islice(self.waiting, 1, 1 + AHEAD))):
            there = later.there
            said = later.answer.sum() + future if future else later.answer.sum()
            future = said.carried(there, SHARE**later.apart) if there else None
        ab = self.manner.pick((whole + future if future else whole).mean())
        return key.lent.over(ab) if key.lent else ab


def _steps(shots: Sequence[Shot]) -> tuple[Motion, Motion, tuple[Step, ...]]:
    """From the last of some shots back to the key frame before the first, from that one to the last, and the others."""
    backs, ons = [shots[0].back], [still(shots[-1].there.sure.shape)]
    for shot in shots[1:]:
        backs.append(shot.back.then(backs[-1]))
    for shot in reversed(shots[1:]):
        ons.append(shot.there.then(ons[-1]))
    ons.reverse()
    between = tuple(
        Step(shot.frame.number, back, on, (place + 1) / len(shots))
        for place, (shot, back, on) in enumerate(zip(shots[:-1], backs[:-1], ons[:-1], strict=True))
    )
    return backs[-1], shots[0].there.then(ons[0]), between


def _between(step: Step, before: Floats, after: Floats) -> Floats:
    """The colors of a frame between two key frames."""
    planes, weights = [], []
    for colors, motion, near in ((before, step.back, 1 - step.share), (after, step.on, step.share)):
        weights.append(near * (motion.at(colors.shape[:2]).sure + LEAST_TRUST))
        planes.append(motion.bring(colors))
    share = (weights[1] / (weights[0] + weights[1]))[..., None]
    return np.asarray((1 - share) * planes[0] + share * planes[1], np.float32)
