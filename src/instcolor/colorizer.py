"""The way of a photograph, as a recipe: lightness, objects, networks, style, full size.

    photo = Colorizer().colorize("old.jpg")
    photo.save("old-color.jpg")

Encode once, ask often: `look` does all that needs a network and hands out a `Look`, which colors again in another
style without one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeAlias

import numpy as np

from . import coherence, styles
from .detectors import BUILTIN, Detector, load_detector
from .detectors.masks import MaskFinder
from .detectors.packaged import load_masks, with_heads
from .errors import ModelError
from .hints import Hint, Hints
from .inputs import Sizes
from .limits import MAX_PIXELS
from .models import registry
from .objects import LIMIT, Box, DetectedObject, plain_objects, select
from .photo import Mark, Photo
from .regions import Layer, lay
from .runtime.loading import open_model
from .runtime.model import Answer, ColorModel
from .runtime.preparing import prepare
from .tuning import ANCHORS, Tuning, position, tuned
from .upsampling import upsample_ab

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

Source: TypeAlias = "str | Path | bytes | BinaryIO | Image.Image | NDArray[Any] | Photo"


@dataclass(frozen=True, eq=False)
class Look:
    """A photo that the networks have seen: colors again in any style without them."""

    photo: Photo
    objects: tuple[DetectedObject, ...]
    answer: Answer
    coherent: Answer
    """The answer with regions that decide together."""
    layer: Layer | None = None
    """Colors that somebody has given to objects and spots (see `regions`)."""

    def color(
        self,
        style: str | float = styles.DEFAULT,
        *,
        saturation: float = 1.0,
        strength: float = 1.0,
        warmth: float = 0.0,
    ) -> Photo:
        """The photo in color.

        Args:
            style: "faithful", "natural" or "vivid", or 0..1 from the first to the last.
            saturation: factor on the colors, 1 leaves them as the style has them.
            strength: 0 is gray, 1 is full color.
            warmth: -1 (cool) to 1 (warm), 0 leaves the colors.

        Raises:
            ValueError: no such style.
        """
        return self.paint(Tuning(position(style), saturation, strength, warmth))

    def paint(self, tuning: Tuning) -> Photo:
        """The photo in color, tuned; also between the styles."""
        full = upsample_ab(tuned(self.anchor, tuning), self.photo.L)
        if self.layer is not None:
            lay(self.layer, full, tuning.strength)
        sure = styles.confidence(self.answer.logits)
        return self.photo.with_color(full, objects=self.objects, confidence=sure)

    def anchor(self, index: int) -> NDArray[np.float32]:
        """(h, w, 2) ab in one of `tuning.ANCHORS`, on the grid of the answer's ab."""
        style = styles.STYLES[ANCHORS[index]]
        return styles.apply(self.coherent if style.coherent else self.answer, style)


class Colorizer:
    """Loads once, colors often; may be used from several threads.

    What is given by name is loaded when first needed (a detector: by a photo without given objects), or by `load`.

    Args:
        model: name of a model in the registry, or anything that answers prepared inputs.
        detector: a `Detector`, the name or path of one (see `load_detector`), or "none".
        faces: whether heads are objects too, beside what a detector finds.
        masks: whether objects without a mask get one, so that only they are colored and not the rest of their boxes.
        limit: objects of a photo that are colored on their own at most, the best first; see `objects.select`.
        threads: of one run of a network; None leaves the choice to ONNX Runtime.
        max_pixels: photos with more are refused before they are decoded.

    Raises:
        ModelError, DetectorError: when loading fails, from whatever method needs it.
    """

    def __init__(
        self,
        model: str | ColorModel = registry.DEFAULT,
        *,
        detector: str | Path | Detector = BUILTIN,
        faces: bool = True,
        masks: bool = True,
        limit: int = LIMIT,
        threads: int | None = None,
        max_pixels: int = MAX_PIXELS,
    ):
        self._name = model if isinstance(model, str) else None
        self._model = None if isinstance(model, str) else model
        self._detector: str | Path | Detector | None = detector
        self._masks: MaskFinder | None = None
        self._lock = threading.Lock()
        self._heads_missing, self.masks = faces, masks
        self.limit, self.threads, self.max_pixels = limit, threads, max_pixels

    def colorize(
        self,
        source: Source,
        *,
        objects: Iterable[DetectedObject | Box] | None = None,
        hints: Hints | Iterable[Hint] | None = None,
        style: str | float = styles.DEFAULT,
        saturation: float = 1.0,
        strength: float = 1.0,
        warmth: float = 0.0,
    ) -> Photo:
        """Colors a photo: what `Photo.open` takes goes in, a `Photo` with ab, objects and confidence comes out.

        `objects` (boxes in pixels of the upright photo, or `DetectedObject`s) replace the detector's; `hints` are
        points whose color is known, as `(x, y, "#c04020")` or `Hints`; the other arguments as in `Look.color`. Raises
        PhotoError where the photo cannot be read, ValueError where an argument is not what it should be.
        """
        look = self.look(source, objects=objects, hints=hints)
        return look.color(style, saturation=saturation, strength=strength, warmth=warmth)

    def look(
        self,
        source: Source,
        *,
        objects: Iterable[DetectedObject | Box] | None = None,
        hints: Hints | Iterable[Hint] | None = None,
    ) -> Look:
        """Runs detector and networks on a photo; the result colors it in any style."""
        photo = Photo.open(source, max_pixels=self.max_pixels)
        given = None if objects is None else select(plain_objects(objects), photo.size, limit=self.limit)
        return self.look_again(photo, self.detect(photo) if given is None else given, Hints.of(hints))

    def look_again(self, photo: Photo, objects: Iterable[DetectedObject], hints: Hints | None = None) -> Look:
        """Runs the networks with exactly these objects (boxes inside the photo) and hints, without the detector.

        Raises ModelError where the networks fail to give colors.
        """
        return look_at(photo, self.model, self.outlined(photo, objects), hints)

    def detect(self, source: Source) -> list[DetectedObject]:
        """The objects of a photo that are worth coloring on their own, best first; none without a detector."""
        if self.detector is None:
            return []
        photo = Photo.open(source, max_pixels=self.max_pixels)
        return self.outlined(photo, select(self.detector.detect(photo.L), photo.size, limit=self.limit))

    def outlined(self, photo: Photo, objects: Iterable[DetectedObject]) -> list[DetectedObject]:
        """The objects with masks; those that have one keep it."""
        given = list(objects)
        missing = self.masks and any(item.mask is None for item in given)
        return self._mask_finder().outlined(photo.L, given) if missing else given

    def mark(self, *, corner: bool = False, source: str = "") -> Mark:
        """What results say about having been colored by these networks; see `Mark`. Raises ModelError."""
        if self._name is None:
            return Mark(corner=corner, source=source)
        return Mark(self._name, corner, registry.find(self._name).weights, source)

    def load(self) -> Self:
        """Loads networks and detector now, for callers who want to hear of faults before the first photo."""
        _ = self.model
        if self.detector and self.masks:
            self._mask_finder()
        return self

    @property
    def detector(self) -> Detector | None:
        """What finds the objects, heads among them if they are wanted; loaded when first needed."""
        with self._lock:
            if isinstance(self._detector, str | Path):
                self._detector = load_detector(self._detector, threads=self.threads)
            if self._detector and self._heads_missing:
                self._detector, self._heads_missing = with_heads(self._detector, self.threads), False
            return self._detector

    def _mask_finder(self) -> MaskFinder:
        with self._lock:
            if self._masks is None:
                self._masks = load_masks(self.threads)
            return self._masks

    @property
    def model(self) -> ColorModel:
        """The networks, loaded when first needed."""
        with self._lock:
            if self._model is None:
                self._model = load_model(self._name or registry.DEFAULT, self.threads)
            return self._model


def look_at(
    photo: Photo,
    model: ColorModel,
    objects: Iterable[DetectedObject] = (),
    hints: Hints | None = None,
    *,
    sizes: Sizes | None = None,
    detail: Photo | None = None,
) -> Look:
    """The recipe between photo and colors: what a model says about a photo with exactly these objects and hints.

    Args:
        sizes: other ones than the model's own.
        detail: the same photo at a size of its own, which the objects are cut from; boxes and hints are then in its
            pixels. None: the photo itself.

    Raises:
        ModelError: the networks fail to give colors.
    """
    objects, seen = tuple(objects), detail or photo
    answer = model.answer(prepare(seen.L, objects, sizes or model.sizes, hints, whole=photo.L))
    if not all(np.isfinite(plane).all() for plane in answer):
        raise ModelError(f"{photo.source.name}: the model's answer is not finite")
    return Look(photo, objects, answer, _coherent(answer, photo, objects, seen.size))


def _coherent(answer: Answer, photo: Photo, objects: Sequence[DetectedObject], size: tuple[int, int]) -> Answer:
    """The answer with regions that decide together; objects in pixels of a photo of `size`."""
    grid = answer.logits.shape[:2]
    covers = [item.mask.coverage((0, 0, *size), grid) for item in objects if item.mask]
    return coherence.coherent(answer, photo.L, covers)


def load_model(name: str, threads: int | None = None) -> ColorModel:
    """The networks of a registry entry, their files checked. Raises ModelError."""
    entry = registry.find(name)
    if entry.is_finder:
        raise ModelError(f"{name}: finds objects and colors nothing; it is used by itself")
    entry.verify()
    return open_model(
        entry.kind,
        entry.folder,
        Sizes(entry.side, entry.instance_size, entry.multiple),
        network=entry.network,
        threads=threads,
    )
