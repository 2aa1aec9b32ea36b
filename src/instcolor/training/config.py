"""The settings of a training stage, in groups. Which of them a stage takes, it says itself: see `stages.check`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

import yaml

from ..errors import InstcolorError
from .backbones import TrainedBackbone, TrainedLite
from .hints import Sampling
from .losses import Loss, Rebalanced
from .settings import built, given, plain, replaced, some

ORDER = ("full", "instance", "fusion")  # the stages that build on each other, as `all` runs them
POSITIVE = (
    "optimizer.batch",
    "data.cached_side",
    "crops.instance_size",
    "machine.workers",
    "log.every",
    "log.checkpoint_every",
)
CHOICES = {
    "data.cached_as": ("raw", "jpeg"),
    "optimizer.schedule": ("cosine", "linear"),
    "machine.device": ("auto", "cpu", "cuda"),
}


@dataclass(frozen=True)
class Data:
    """The photos, and what is known of them. Paths are relative to where the command runs."""

    photos: tuple[str, ...] = given(how="folders of photos, zip files or tar shards: --set 'data.photos=[photos]'")
    # JSON files with the objects of the photos; what several of them say of a photo adds up
    boxes: tuple[str, ...] = given(
        (), how="what `instcolor prepare photos --out boxes.json` writes, or COCO's: --set 'data.boxes=[boxes.json]'"
    )
    cache: str = "cache"
    cached_side: int = 256  # short side of the photos as they are kept
    cached_as: str = "raw"  # or "jpeg": a tenth of the room, more work
    held_out: int = 0  # photos that are not trained on; they decide which weights are the best


@dataclass(frozen=True)
class Weights:
    """Safetensors files to begin with; "" for none."""

    start: str = given("", how="weights of this stage's own network to go on from: --set weights.start=FILE")
    encoder: str = some(  # of the full stage's start, and of the teacher
        "",
        how="ImageNet weights of timm's tf_efficientnet_lite2, safetensors: --set weights.encoder=FILE, or empty",
    )
    full: str = some("")  # the full-image network: start of "instance", frozen in "fusion"
    instance: str = some("")  # the instance network, frozen in "fusion"


@dataclass(frozen=True)
class Learns:
    """What of a network learns, where not all of it does."""

    frozen_stages: int = some(2)  # the stem and so many encoder stages keep weights and BatchNorm statistics
    frozen_heads: bool = some(False)  # the heads keep their weights, as in "instance" always: see InstanceStage
    only: tuple[str, ...] = some(())  # parts that learn, without a teacher; the rest stays


@dataclass(frozen=True)
class Crops:
    """What the network sees at once."""

    # (share of the training after which it holds, side of the crops in pixels)
    sizes: tuple[tuple[float, int], ...] = ((0.0, 128), (0.75, 192))
    instance_size: int = some(192)  # side of the objects' crops in "fusion"
    surroundings: float = some(0.25)  # of an object's sides, in its crop, as `lite` colors; Su et al. have 0
    masks: bool = some(False)  # objects end where the packaged network sees their outline, not at their box


@dataclass(frozen=True)
class Optimizer:
    """AdamW, its learning rates over the training, and the moving average of the weights."""

    samples: int = 100_000
    epochs: float = 0.0  # over the photos; where given, `samples` does not count
    batch: int = 16  # over all processes
    lr_encoder: float = some(3e-4)
    lr_rest: float = 1.5e-3
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.01
    warmup: int = 100  # steps
    schedule: str = "cosine"  # or "linear": how the rates fall to zero
    hold: float = 0.0  # share of the training before they fall
    ema: float = 0.999
    clip: float = 5.0  # norm of the gradient; 0 = none


@dataclass(frozen=True)
class Augmentation:
    """What is done to a photo before the network sees it. Shares are of the photos, 0 switches a thing off.

    All but the first five change lightness alone: the color to be learned stays the clean photo's.
    """

    # smallest and largest side of a crop, of the short side; 0 = whole, squashed
    crop: tuple[float, float] = some((0.6, 1.0))
    stretch: float = some(0.15)  # log of the largest change of a crop's aspect
    flip: bool = True
    collage: float = some(0.0)  # a rectangle shows a part of another photo
    boxes: float = some(0.04)  # how far an object's edges are off, of its sides
    lightness: float = 0.0  # gamma and contrast of the lightness a little off, as scanners have it
    film: float = 0.35  # seen by old film: spectral mix, tone, fading, blur, grain
    vignette: float = 0.0  # darker or paler towards the edges
    coarse: float = 0.0  # enlarged from a smaller picture
    scratches: float = 0.0  # hairs, dust and long scratches
    halftone: float = 0.0  # printed in dots
    jpeg: float = 0.0  # blocks of a low-quality JPEG


@dataclass(frozen=True)
class Machine:
    """Where and how it is computed."""

    device: str = "auto"  # or "cpu", "cuda"
    bf16: bool = True
    threads: int = 0  # of one process; 0 = torch's choice
    workers: int = 1  # threads that make batches


@dataclass(frozen=True)
class Log:
    """What is told and kept on the way."""

    every: int = 50  # steps
    checkpoint_every: int = 250  # steps
    pictures: int = 6  # photos in the table of results drawn at every checkpoint; 0 = none


@dataclass(frozen=True)
class Config:
    """One stage: everything that a run is made with."""

    stage: str  # "full", "instance", "fusion" or "detector"
    run: str  # folder of checkpoints and logs
    data: Data
    network: TrainedBackbone = some(factory=TrainedLite)
    loss: Loss = some(factory=Rebalanced)
    # weight of what a teacher sees: `weights.encoder` on the color photo; in "detector" its start, on the clean one
    teaching: float = some(0.0)
    hints: Sampling = some(factory=Sampling)
    learns: Learns = field(default_factory=Learns)
    weights: Weights = field(default_factory=Weights)
    crops: Crops = field(default_factory=Crops)
    optimizer: Optimizer = field(default_factory=Optimizer)
    augmentation: Augmentation = field(default_factory=Augmentation)
    machine: Machine = field(default_factory=Machine)
    log: Log = field(default_factory=Log)
    seed: int = 0

    def __post_init__(self) -> None:
        for name in POSITIVE:
            if (value := attrgetter(name)(self)) < 1:
                raise InstcolorError(f"{name}: {value} is under 1")
        if not self.crops.sizes or self.crops.sizes[0][0] != 0:
            raise InstcolorError("crops.sizes: the first entry does not start at 0")
        for name, known in CHOICES.items():
            if (value := attrgetter(name)(self)) not in known:
                raise InstcolorError(f"{name}: {value!r} is none of {', '.join(known)}")

    @classmethod
    def read(cls, path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
        """Reads a YAML file; `overrides`, by full names, replace its entries.

        Raises InstcolorError with file and setting; whether stage and settings go together, `stages.check` says.
        """
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise InstcolorError(f"{path}: cannot be read ({error.strerror})") from None
        except (ValueError, yaml.YAMLError) as error:
            raise InstcolorError(f"{path}: not YAML ({str(error).splitlines()[0]})") from None
        if not isinstance(values, dict):
            raise InstcolorError(f"{path}: not a list of settings")
        try:
            return built(cls, replaced(values, overrides or {}))
        except InstcolorError as error:
            raise InstcolorError(f"{path}: {error}") from None

    def replaced(self, overrides: Mapping[str, Any]) -> Config:
        """The same with other values for some settings, by their full names, as in {"optimizer.batch": 8}."""
        return built(Config, replaced(self.settings(), overrides))

    def settings(self) -> dict[str, Any]:
        """All settings in their groups, as YAML and JSON have them."""
        return plain(self)

    def to_yaml(self) -> str:
        """The settings as a file that `read` takes."""
        return yaml.safe_dump(self.settings(), sort_keys=False)

    def size_at(self, progress: float) -> int:
        """Side of the crops, in pixels, after a share 0..1 of the training."""
        return [size for start, size in self.crops.sizes if progress >= start][-1]

    def in_folder(self, folder: Path, settled: Set[str] = frozenset()) -> Config:
        """The same stage with its run folder, and those of the stages that it builds on, in one folder.

        Weights whose stages are in `settled` stay as they are.
        """
        before = ORDER[: ORDER.index(self.stage)] if self.stage in ORDER else ()
        runs = {stage: str(folder / stage) for stage in before if stage not in settled}
        return dataclasses.replace(self.after(runs), run=str(folder / self.stage))

    def after(self, runs: Mapping[str, str]) -> Config:
        """The same stage with the weights of earlier ones, by the run folder of each stage."""
        weights: dict[str, Any] = {stage: str(Path(run) / "model.safetensors") for stage, run in runs.items()}
        return dataclasses.replace(self, weights=dataclasses.replace(self.weights, **weights))
