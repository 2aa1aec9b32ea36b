"""Settings of a training stage: frozen dataclasses, read from YAML."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import InstcolorError

BUNDLED = Path(__file__).parent / "configs"
ORDER = ("full", "instance", "fusion")  # as `all` runs them


@dataclass(frozen=True)
class Augmentation:
    """What is done to a photo before the network sees it. Shares are of the photos, 0 switches a thing off.

    All but the first five change lightness alone: the color to be learned stays the clean photo's.
    """

    crop: tuple[float, float] = (
        0.6,
        1.0,
    )  # smallest and largest side of a crop, of the short side; 0 = whole, squashed
    stretch: float = 0.15  # log of the largest change of a crop's aspect
    flip: bool = True
    collage: float = 0.0  # in "full": a rectangle shows a part of another photo
    boxes: float = 0.04  # how far an object's edges are off, of its sides
    lightness: float = 0.0  # gamma and contrast of the lightness a little off, as scanners have it
    film: float = 0.35  # seen by old film: spectral mix, tone, fading, blur, grain
    vignette: float = 0.0  # darker or paler towards the edges
    coarse: float = 0.0  # enlarged from a smaller picture
    scratches: float = 0.0  # hairs, dust and long scratches
    halftone: float = 0.0  # printed in dots
    jpeg: float = 0.0  # blocks of a low-quality JPEG


@dataclass(frozen=True)
class Config:
    """One stage. Paths are relative to where the command runs."""

    stage: str  # "full", "instance", "fusion" or "detector"
    data: tuple[str, ...]  # folders, zip files, tar shards
    run: str  # folder of checkpoints and logs
    backbone: str = "lite"
    mask_center: float = 0.5  # of "siggraph17": 0 where training starts from weights that come from Caffe
    boxes: str = ""  # JSON with the objects of the photos, COCO or what `instcolor prepare` writes
    encoder: str = ""  # ImageNet weights to start the full stage from, and of the teacher
    full: str = ""  # weights of the full-image network: start of "instance", frozen in "fusion"
    instance: str = ""  # weights of the instance network, frozen in "fusion"
    start: str = ""  # weights of this stage's own network to go on from, instead of the stage's rule
    cache: str = "cache"
    cached_side: int = 256  # short side of the photos as they are kept
    cached_as: str = "raw"  # or "jpeg": a tenth of the room, more work
    held_out: int = 0  # photos that are not trained on; they decide which weights are the best
    samples: int = 100_000
    epochs: float = 0.0  # over the photos; where given, `samples` does not count
    batch: int = 16  # over all processes
    # (share of the training after which it holds, side of the crops in pixels)
    sizes: tuple[tuple[float, int], ...] = ((0.0, 128), (0.75, 192))
    lr_encoder: float = 3e-4
    lr_rest: float = 1.5e-3
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    warmup: int = 100  # steps
    schedule: str = "cosine"  # or "linear": how the rates fall to zero
    hold: float = 0.0  # share of the training before they fall
    ema: float = 0.999
    clip: float = 5.0  # norm of the gradient; 0 = none
    loss: str = "rebalanced"  # or "smooth-l1", the paper's
    emphasis: float = 0.0  # of colorful pixels: in the regression of "rebalanced" a pixel weighs 1 + emphasis x chroma
    instance_size: int = 192  # side of the objects' crops in "fusion"
    surroundings: float = 0.25  # of an object's sides, in its crop, as `lite` has them when it colors; Su et al. have 0
    frozen_stages: int = 2  # the stem and so many encoder stages keep weights and BatchNorm statistics
    drop_path: float = 0.0  # of `lite`: share of the deepest residual branches that a step leaves out, shallower fewer
    # weight of what a teacher sees: `encoder` on the color photo; in "detector" what it starts from, on the clean one
    teaching: float = 0.0
    only: tuple[str, ...] = ()  # parts of a color network that learn, without a teacher; the rest stays
    frozen_heads: bool = False  # the heads keep their weights, as in "instance" always: see InstanceStage
    augmentation: Augmentation = field(default_factory=Augmentation)
    hint_share: float = 0.35  # of the samples that have hint points
    hint_stop: float = 0.125  # chance that no further point follows: 1 / the points on average
    hint_objects: float = 0.0  # share of the points that are in the middle of an object, as users set them
    bf16: bool = True
    device: str = "auto"  # or "cpu", "cuda"
    seed: int = 0
    threads: int = 0  # of one process; 0 = torch's choice
    workers: int = 1  # threads that make batches
    log_every: int = 50  # steps
    checkpoint_every: int = 250  # steps
    pictures: int = 6  # photos in the table of results drawn at every checkpoint; 0 = none

    def __post_init__(self) -> None:
        positive = ("batch", "cached_side", "instance_size", "workers", "log_every", "checkpoint_every")
        for name in positive:
            if getattr(self, name) < 1:
                raise InstcolorError(f"{name}: {getattr(self, name)} is under 1")
        if not self.sizes or self.sizes[0][0] != 0:
            raise InstcolorError("sizes: the first entry does not start at 0")
        choices = {"cached_as": ("raw", "jpeg"), "schedule": ("cosine", "linear"), "device": ("auto", "cpu", "cuda")}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise InstcolorError(f"{name}: {getattr(self, name)!r} is none of {', '.join(known)}")

    @classmethod
    def read(cls, path: Path, **overrides: Any) -> Config:
        """Reads a YAML file; `overrides` replace its entries. Raises InstcolorError with file and setting."""
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise InstcolorError(f"{path}: cannot be read ({error.strerror})") from None
        except (ValueError, yaml.YAMLError) as error:
            raise InstcolorError(f"{path}: not YAML ({str(error).splitlines()[0]})") from None
        if not isinstance(values, dict):
            raise InstcolorError(f"{path}: not a list of settings")
        for name, value in overrides.items():
            place = values
            *groups, last = name.split(".")
            for group in groups:
                place = place.setdefault(group, {})
                if not isinstance(place, dict):
                    raise InstcolorError(f"{path}: {group} has no settings inside it")
            place[last] = value
        try:
            return _build(cls, values)
        except InstcolorError as error:
            raise InstcolorError(f"{path}: {error}") from None

    def settings(self) -> dict[str, Any]:
        """All settings as YAML and JSON have them."""
        return _plain(dataclasses.asdict(self))

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.settings(), sort_keys=False)

    def size_at(self, progress: float) -> int:
        return [size for start, size in self.sizes if progress >= start][-1]

    def under(self, folder: Path, settled: Set[str] = frozenset()) -> Config:
        """The same stage with its run folder, and those of the stages that it builds on, in one folder.

        Weights whose names are in `settled` stay as they are.
        """
        before = ORDER[: ORDER.index(self.stage)] if self.stage in ORDER else ()
        earlier = [stage for stage in before if stage not in settled]
        weights: dict[str, Any] = {stage: str(folder / stage / "model.safetensors") for stage in earlier}
        return dataclasses.replace(self, run=str(folder / self.stage), **weights)


def chain(name: str, stages: Sequence[str], settings: Iterable[str] = (), out: Path | None = None) -> list[Config]:
    """The configs of stages that follow on each other: every one takes the weights of those before it.

    `name` is as for `find_config`, `settings` as for `parse_overrides`; `out` gets all run folders.
    """
    overrides = parse_overrides(settings)
    if len(stages) > 1 and "run" in overrides:
        raise InstcolorError("--set run=...: several stages cannot share a run folder; --out gives each its own")
    configs: list[Config] = []
    for stage in stages:
        path = find_config(name, stage)
        config = Config.read(path, **overrides)
        if config.stage != stage:
            raise InstcolorError(f"{path}: is for the stage {config.stage}, not {stage}")
        if out:
            config = config.under(out, set(overrides))
        elif configs:
            weights: dict[str, Any] = {c.stage: str(Path(c.run) / "model.safetensors") for c in configs}
            config = dataclasses.replace(config, **{k: v for k, v in weights.items() if k not in overrides})
        configs.append(config)
    return configs


def parse_overrides(settings: Iterable[str]) -> dict[str, Any]:
    """`["batch=8", "augmentation.film=0.5"]` as a dict; values are YAML. Raises InstcolorError."""
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise InstcolorError(f"--set {setting}: not of the form name=value")
        try:
            values[name] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError:
            raise InstcolorError(f"--set {setting}: the value is not YAML") from None
    return values


def find_config(name: str, stage: str) -> Path:
    """The file of a config: a path, the name of a bundled one, or either without its `-STAGE.yaml`.

    Raises InstcolorError where there is none.
    """
    given = Path(name)
    for folder in (Path(), BUNDLED):
        for file in (given, given.with_name(f"{given.name}.yaml"), given.with_name(f"{given.name}-{stage}.yaml")):
            if (folder / file).is_file():
                return folder / file
    bundled = ", ".join(sorted(path.stem for path in BUNDLED.glob("*.yaml")))
    raise InstcolorError(f"{name}: no such config for the stage {stage}; bundled are {bundled}")


def _build(kind: type, values: Any, prefix: str = "") -> Any:
    """A dataclass from plain values, each checked against the type of its field."""
    if not isinstance(values, dict):
        raise InstcolorError(f"{prefix.rstrip('.')}: not a list of settings")
    hints = typing.get_type_hints(kind)
    unknown = [prefix + str(name) for name in values if name not in hints]
    if unknown:
        raise InstcolorError(f"no such setting: {', '.join(sorted(unknown))}")
    required = [f.name for f in dataclasses.fields(kind) if _is_missing(f) and f.name not in values]
    if required:
        raise InstcolorError(f"not given: {', '.join(required)}")
    return kind(**{name: _convert(hints[name], value, prefix + name) for name, value in values.items()})


def _is_missing(f: dataclasses.Field) -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


def _convert(kind: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        return _build(kind, value, name + ".")
    if isinstance(kind, types.GenericAlias):  # tuple[...]
        if not isinstance(value, list | tuple):
            raise InstcolorError(f"{name}: {value!r} is not a list")
        inner = typing.get_args(kind)
        inner = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        if len(inner) != len(value):
            raise InstcolorError(f"{name}: {value!r} has not {len(inner)} entries")
        return tuple(_convert(k, v, name) for k, v in zip(inner, value, strict=True))
    if kind is float and type(value) in (int, str):
        try:
            return float(value)  # YAML takes 1e-4 for text
        except ValueError:
            pass
    elif type(value) is kind:
        return value
    raise InstcolorError(f"{name}: {value!r} is not of type {kind.__name__}")


def _plain(value: Any) -> Any:
    """Tuples as lists, which YAML can write."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
