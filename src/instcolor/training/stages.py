"""What each stage trains, on which samples, with which loss. `STAGES` is where another stage is added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..bins import BIN_COUNT
from ..errors import InstcolorError
from ..networks.backbone import Blend, Prediction
from ..networks.fusion import covered, record
from ..networks.lite import DropPath
from ..sources.kinds import expand
from ..torch_models.weights import load_weights
from .backbones import FAMILIES, FUSIONS, TrainedFusion
from .config import Augmentation, Config
from .detection.stage import DetectorStage
from .losses import LOSSES, Parts, bin_index, bin_weights
from .photos import PhotoStore
from .pictures import Row, colored, gray
from .processes import autocast, first_process_first
from .samples import (
    Batch,
    Example,
    FullSamples,
    FusionSamples,
    InstanceSamples,
    Rngs,
    lightness_and_color,
    random_crop,
)

PRIOR_PHOTOS = 600
PRIOR_SIDE, PRIOR_STRIDE = 128, 4
OUTSIDE_OBJECTS = 0.2  # weight in the fusion's loss of what no box covers


class Samples(Protocol):
    """Photos as a stage takes them. A photo's part of a batch depends on its own generator alone."""

    def __len__(self) -> int: ...

    def batch(self, indices: NDArray[np.int64], size: int, rngs: Rngs) -> Any: ...


class Stage(Protocol):
    """One stage of the training: `network` is what it trains and saves.

    A batch is anything made of tuples, lists and tensors; the loop brings it to the device.
    """

    @property
    def network(self) -> nn.Module: ...

    @property
    def aids(self) -> nn.Module: ...  # what learns beside the network and goes when the training is over

    @property
    def samples(self) -> Samples: ...  # to learn from

    @property
    def held_out(self) -> Samples: ...  # to measure on

    def parameters(self) -> list[dict]: ...  # optimizer groups, each with its own "lr"

    def train_mode(self) -> None: ...

    def loss(self, batch: Any) -> tuple[Tensor, Parts]: ...  # a mean over the photos, and its parts for the log

    def pictures(self, batch: Any) -> list[Row]: ...  # rows of a table, one for each photo


def bin_prior(store: PhotoStore) -> NDArray[np.float64]:
    """How often each ab bin occurs in the photos at the output size of `lite`."""
    rng = np.random.default_rng(0)
    counts = torch.zeros(BIN_COUNT, dtype=torch.float64)
    plain = Augmentation(film=0)
    for i in rng.permutation(len(store))[:PRIOR_PHOTOS]:
        rgb = torch.from_numpy(random_crop(store[i], PRIOR_SIDE, plain, rng).copy())[None]
        _, ab = lightness_and_color(rgb, plain, [rng])
        counts += torch.bincount(bin_index(F.avg_pool2d(ab, PRIOR_STRIDE)).flatten(), minlength=BIN_COUNT)
    return counts.numpy()


class ColorLoss:
    """The configured loss, with the bins weighted for the photos at hand."""

    def __init__(self, config: Config, store: PhotoStore, device: torch.device):
        if config.loss not in LOSSES:
            raise InstcolorError(f"loss: no loss {config.loss!r}: {', '.join(LOSSES)}")
        self.function, self.emphasis = LOSSES[config.loss], config.emphasis
        self.weights = bin_weights(bin_prior(store)).to(device)

    def __call__(self, prediction: Prediction, ab: Tensor, pixel_weight: Tensor | None) -> tuple[Tensor, Parts]:
        return self.function(prediction, ab, self.weights, pixel_weight, self.emphasis)


class BackboneStage:
    """A stage that trains one color network; its subclasses say from what and on which samples."""

    samples: Samples
    held_out: Samples

    def __init__(self, config: Config, network: nn.Module, store: PhotoStore, device: torch.device):
        self.config, self.device, self.family = config, device, FAMILIES[config.backbone]
        self.network = network.to(device)
        self.color_loss = ColorLoss(config, store, device)
        if config.frozen_heads or config.stage == "instance":
            for head in self.family.heads:
                network.get_submodule(head).requires_grad_(False)
        paths = [module for module in network.modules() if isinstance(module, DropPath)]
        for depth, path in enumerate(paths, 1):
            path.rate = config.drop_path * depth / len(paths)
        self.teacher = self.family.teacher(config, device)
        self.aids: nn.Module = self.teacher.aids if self.teacher else nn.Module()

    def parameters(self) -> list[dict]:
        if self.config.only:
            self.network.requires_grad_(False)
            try:
                parts = [self.network.get_submodule(name).requires_grad_() for name in self.config.only]
            except AttributeError as error:
                raise InstcolorError(f"only: no such part of the network ({error})") from None
            return [{"params": [p for part in parts for p in part.parameters()], "lr": self.config.lr_rest}]
        aids = [{"params": list(self.aids.parameters()), "lr": self.config.lr_rest}] if self.teacher else []
        return self.family.parameters(self.network, self.config) + aids

    def train_mode(self) -> None:
        self.network.train(not self.config.only)
        for part in self.family.frozen(self.network, self.config.frozen_stages):
            part.eval()

    def predict(self, batch: Batch, blend: Blend | None = None) -> Prediction:
        with autocast(self.config.bf16, self.device):
            L = batch.L.contiguous(memory_format=torch.channels_last)
            return self.network(L, batch.hint_ab, batch.hint_mask, blend)

    def loss(self, batch: Batch) -> tuple[Tensor, Parts]:
        features: dict[str, Tensor] = {}
        loss, parts = self.color_loss(self.predict(batch, record(features)), batch.ab, batch.weight)
        if self.teacher and self.network.training:
            with autocast(self.config.bf16, self.device):
                taught = self.config.teaching * self.teacher.loss(features, batch.L, batch.ab)
            loss, parts = loss + taught, parts | {"teaching": taught.detach()}
        return loss, parts

    def pictures(self, batch: Batch) -> list[Row]:
        results = self.predict(batch).ab.float()
        each = zip(batch.L, results, batch.ab, strict=True)
        return [(gray(L), colored(L, result), colored(L, truth)) for L, result, truth in each]


class FullStage(BackboneStage):
    """Stage 1: the full-image network on whole photos, from an ImageNet encoder."""

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        self.samples, self.held_out = FullSamples(store, config), FullSamples(held_out, config)
        super().__init__(config, FAMILIES[config.backbone].make(config, config.start), store, device)


class InstanceStage(BackboneStage):
    """Stage 2: the same network on crops of objects, started from stage 1.

    The heads of `lite` stay as they are, so that its features keep the meaning that the full-image network's heads,
    which answer after fusion, give to them.
    """

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        weights = config.start or config.full
        if not weights:
            raise InstcolorError("the instance stage starts from the weights of the full-image network: full")
        self.samples, self.held_out = InstanceSamples(store, config), InstanceSamples(held_out, config)
        super().__init__(config, FAMILIES[config.backbone].make(config, weights), store, device)


class FusionStage:
    """Stage 3: the weight predictors, with both networks frozen (BatchNorm statistics too)."""

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        self.config, self.device = config, device
        self.fusion: TrainedFusion = FUSIONS[config.backbone](config, device)
        self.network = self.fusion.network
        self.aids = nn.Module()
        if config.start:
            load_weights(self.network, config.start)
        self.samples, self.held_out = FusionSamples(store, config), FusionSamples(held_out, config)
        self.color_loss = ColorLoss(config, store, device)

    def parameters(self) -> list[dict]:
        return [{"params": self.fusion.parameters(), "lr": self.config.lr_rest}]

    def train_mode(self) -> None:
        self.network.eval()  # it has no statistics of its own to learn

    def predict(self, photo: Example) -> Prediction:
        with autocast(self.config.bf16, self.device):
            return self.fusion.predict(photo.inputs)

    def loss(self, batch: list[Example]) -> tuple[Tensor, Parts]:
        losses, parts = zip(*(self._photo_loss(photo) for photo in batch), strict=True)
        return torch.stack(losses).mean(), {k: torch.stack([p[k] for p in parts]).mean() for k in parts[0]}

    def _photo_loss(self, photo: Example) -> tuple[Tensor, Parts]:
        height, width = photo.inputs.photo.L.shape[2:]
        x0, y0, x1, y1 = photo.inputs.places.box.T
        inside = covered(y0, y1, height)[:, :, None] & covered(x0, x1, width)[:, None, :]
        weight = torch.where(inside.any(0), 1.0, OUTSIDE_OBJECTS)[None, None]
        return self.color_loss(self.predict(photo), photo.ab, weight)

    def pictures(self, batch: list[Example]) -> list[Row]:
        rows: list[Row] = []
        for photo in batch:
            L, result, truth = photo.inputs.photo.L[0], self.predict(photo).ab[0].float(), photo.ab[0]
            rows.append((gray(L), colored(L, result), colored(L, truth)))
        return rows


STAGES: dict[str, Callable[[Config, PhotoStore, PhotoStore, torch.device], Stage]] = {
    "full": FullStage,
    "instance": InstanceStage,
    "fusion": FusionStage,
    "detector": DetectorStage,
}


def make_stage(config: Config, device: torch.device) -> Stage:
    """Raises InstcolorError where the photos are too few, or weights are missing or of another network."""
    if config.stage not in STAGES:
        raise InstcolorError(f"no stage {config.stage!r}: {', '.join(STAGES)}")
    if config.backbone not in FAMILIES:
        raise InstcolorError(f"no backbone {config.backbone!r}: {', '.join(FAMILIES)}")
    torch.manual_seed(config.seed)
    boxes = Path(config.boxes) if config.boxes else None
    with first_process_first():
        sources = expand(config.data)
        store = PhotoStore.open(sources, boxes, Path(config.cache), config.cached_side, config.cached_as)
    stage = STAGES[config.stage](config, *store.split(config.held_out), device)
    if not len(stage.samples):
        raise InstcolorError(f"no photo to train the stage {config.stage} on: are there boxes for {config.data[0]}?")
    return stage
