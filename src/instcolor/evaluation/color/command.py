"""What `instcolor evaluate` asks for, checked, loaded and run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...colorizer import load_model
from ...detectors import BUILTIN, load_detector
from ...detectors.packaged import load_masks
from ...errors import InstcolorError
from ...hints import PATCH
from ...models import registry
from ...objects import read_boxes
from ..data import annotations_of, photos_of
from ..masks import TrueMasks
from ..tables import check_folder, write_files
from . import evenness, gallery, outputs, report
from .compare import Distance
from .inception import Inception
from .measure import STYLES, Result, measure
from .methods import FULL, FUSED, GRAY, Method, hinted, standard_methods
from .protocol import Protocol
from .run import Data, Evaluation, evaluate

ANNOTATIONS = "annotations"
"""In the place of a detector: the objects of the boxes file."""

NO_LPIPS = (
    "LPIPS is missing: its weights are not part of this package; name the shift-tolerant ones with --lpips FILE, "
    "or --lpips lpips (or torchmetrics) where that package and torchvision's AlexNet are at hand"
)
ABOUT_LPIPS = (
    "LPIPS: version 0.1 on AlexNet, by {}, pictures at the size of comparison; objects of at least 64 pixels a side"
)
ABOUT_SHIFT_TOLERANT = (
    "LPIPS: the shift-tolerant one on AlexNet, pictures reduced to at most 256 pixels a side; objects of at least 64; "
    "its figures do not compare with published LPIPS tables"
)
ABOUT_HINTS = (
    "hinted: one point at the center of every measured object, all at once, in the mean true color of the patch that "
    f"it is drawn as ({PATCH} x {PATCH} pixels of 256 x 256)"
)
NO_FID = "FID is missing: no Inception network is part of this package, name a file with --inception"
ABOUT_FID = "FID: on {} photos; it depends on their number, compare it only at the same number and network"
NO_SPREAD = "spread is missing: its regions are found by scikit-image (pip install instcolor[evaluate])"
NO_PASTE = "box paste and ablations are missing for {}: they need the networks as torch weights (--weights)"


@dataclass(frozen=True)
class Request:
    """The options of the command; see its help."""

    data: Path
    models: tuple[str, ...] = ()  # of the registry
    weights: tuple[str, ...] = ()  # each "full" or "full,instance,fusion"
    imported: tuple[Path, ...] = ()  # folders of imported weights
    detector: str | None = None  # annotations where there are any, else the packaged one
    faces: bool = True  # heads, beside what a detector finds
    masks: bool = True  # of objects that come without one
    true_masks: Path | None = None  # PNG files of the photos' names, see `TrueMasks`
    truth: bool = True  # whether the photos have true colors
    only: str | None = None  # a pattern of names
    boxes: Path | None = None
    size: str = "256"
    squash: bool = False
    styles: tuple[str, ...] = ()
    limit: int | None = None
    threads: int | None = None
    lpips: str | None = None  # a file, or the name of a package that measures it
    inception: Path | None = None
    ablations: bool = False
    hints: bool = False
    out: Path | None = None
    overwrite: bool = False


def run(request: Request) -> list[str]:
    """Measures, prints the tables and writes the files; returns a line for every photo that could not be used.

    Raises InstcolorError for everything that keeps the evaluation from being made.
    """
    protocol = Protocol(_side(request.size), request.squash, request.truth)
    styles = _styles(request.styles)
    data = _data(request)
    notes = [ABOUT_FID.format(len(data.photos)) if request.inception else NO_FID]
    notes += [] if evenness.POSSIBLE or not request.truth else [NO_SPREAD]
    inception = Inception(request.inception, request.threads) if request.inception else None
    methods = [Method(GRAY), *_methods(request, data, notes)]
    if request.hints:
        methods += hinted([method for method in methods if method.name in (FULL, FUSED)])
        notes.append(ABOUT_HINTS)
    names = [method.owner for method in methods if method.name == FULL]
    if len(set(names)) < len(names):
        raise InstcolorError(f"{', '.join(names)}: two models of one name, their rows would be mixed up")
    distance = _distance(request.lpips, notes)
    if request.out:
        check_folder(request.out, outputs.NAMES, request.overwrite)
    progress = _Progress(len(data.photos))

    def watch(result: Result) -> None:
        progress(result)
        if inception:
            inception.add(result)

    evaluation = evaluate(data, methods, protocol, styles=styles, distance=distance, watch=watch)
    progress.end()
    evaluation.notes += notes
    evaluation.fid = inception.distances() if inception else {}
    print(report.markdown(evaluation), end="")
    if request.out:
        write_files(request.out, outputs.texts(evaluation))
        style = "natural" if "natural" in styles else styles[0]
        write_files(request.out, {outputs.GALLERY: _gallery(evaluation, data, methods, style)})
    return evaluation.failures


def _side(size: str) -> int | None:
    if size == "own":
        return None
    if not size.isdecimal() or not 32 <= int(size) <= 4096:
        raise InstcolorError(f"{size}: size is neither own nor a side of 32 to 4096 pixels")
    return int(size)


def _styles(wanted: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(wanted) - set(STYLES))
    if unknown:
        raise InstcolorError(f"{unknown[0]}: no such style; known are {', '.join(STYLES)}")
    return tuple(dict.fromkeys(wanted)) or STYLES


def _data(request: Request) -> Data:
    known = request.true_masks is not None
    photos = photos_of(request.data, request.limit, only=request.only, masks_beside=known)
    listed = annotations_of(request.data, request.boxes)
    name = request.detector or (ANNOTATIONS if listed else BUILTIN)
    return Data(
        photos,
        boxes=read_boxes(listed) if listed else None,
        detector=None if name == ANNOTATIONS else load_detector(name, threads=request.threads, faces=request.faces),
        outlines=load_masks(request.threads) if request.masks else None,
        masks=TrueMasks.opened(request.true_masks) if request.true_masks else None,
    )


def _methods(request: Request, data: Data, notes: list[str]) -> Iterator[Method]:
    """The rows of every model that is asked for; the registry's default where none is."""
    detected = data.detector is not None
    both = detected and data.boxes is not None
    fused = detected or (data.boxes is not None and request.detector in (None, ANNOTATIONS))
    for folder in request.imported:
        from ...packaging.loading import load_imported
        from ...torch_models.imported import ThreeNetworks

        imported = load_imported(folder)
        yield from standard_methods(imported, folder.name, fused and isinstance(imported, ThreeNetworks), both)
    for files in request.weights:
        from ...torch_models.loading import load_torch_model
        from .ablations import ablations, box_paste  # torch only where it is needed

        paths = files.split(",")
        model, owner = load_torch_model(paths, threads=request.threads), _called(Path(paths[0]))
        with_objects = fused and len(paths) > 1
        yield from standard_methods(model, owner, with_objects, both)
        if with_objects:
            yield box_paste(model, owner)
            yield from ablations(model, owner) if request.ablations else ()
    for name in request.models or (() if request.weights or request.imported else (registry.DEFAULT,)):
        yield from standard_methods(load_model(name, request.threads), name, fused, both)
        if fused:
            notes.append(NO_PASTE.format(name))


def _called(weights: Path) -> str:
    """A short name for weights: a training's `model.safetensors` goes by its folder."""
    return weights.parent.name if weights.stem == "model" and weights.parent.name else weights.stem


def _distance(weights: str | None, notes: list[str]) -> Distance | None:
    if weights is None:
        notes.append(NO_LPIPS)
        return None
    from .perceptual import PACKAGES, PackageLpips, ShiftTolerantLpips

    notes.append(ABOUT_LPIPS.format(weights) if weights in PACKAGES else ABOUT_SHIFT_TOLERANT)
    return PackageLpips(weights) if weights in PACKAGES else ShiftTolerantLpips(weights)


def _gallery(evaluation: Evaluation, data: Data, methods: Sequence[Method], style: str) -> str:
    """The worst and the best photos of the first fused row, of the full image where none is fused, colored again."""
    ours = next((method for method in methods if method.name == FUSED), methods[1])
    shown = gallery.choose(evaluation, ours.name, style, ours.owner)
    rows = [m for m in methods if m is ours or m.name == GRAY or (m.name == FULL and m.owner == ours.owner)]
    cases = data.only(shown.metrics).cases(evaluation.protocol, [])
    return gallery.page(evaluation, shown, measure(cases, rows, evaluation.protocol, [style]))


class _Progress:
    """Counts photos on a terminal's standard error."""

    def __init__(self, total: int):
        self.total, self.done, self.last = total, 0, ""
        self.shown = sys.stderr.isatty()

    def __call__(self, result: Result) -> None:
        if result.case.name != self.last:
            self.last = result.case.name
            self.done += 1
            if self.shown:
                print(f"\r{self.done} / {self.total} photos", end="", file=sys.stderr)

    def end(self) -> None:
        if self.shown:
            print(file=sys.stderr)
