"""What each stage trains, on which samples, with which loss. `STAGES` is where another stage is added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..bins import BIN_COUNT
from ..errors import InstcolorError
from ..networks.backbone import Blend, Prediction
from ..networks.fusion import covered, record
from ..sources.kinds import expand
from ..torch_models.weights import load_weights
from .config import Augmentation, Config
from .detection.stage import DetectorStage
from .losses import Parts, Truth, bin_index, bin_weights
from .masks.stage import MaskStage
from .photos import PhotoStore
from .pictures import Row, colored, gray
from .processes import autocast, first_process_first
from .samples import (
    Batch,
    Example,
    FullSamples,
    FusionSamples,
    InstanceSamples,
    lightness_and_color,
    random_crop,
)
from .settings import not_for
from .stage import Stage

PRIOR_PHOTOS = 600
PRIOR_SIDE, PRIOR_STRIDE = 128, 4
OUTSIDE_OBJECTS = 0.2  # weight in the fusion's loss of what no box covers


def bin_prior(store: PhotoStore) -> NDArray[np.float64]:
    """(bins,) how often each ab bin occurs in some of the photos at the output size of `lite`, always the same ones."""
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
        self.loss = config.loss
        self.bin_weights = bin_weights(bin_prior(store)).to(device)

    def __call__(self, prediction: Prediction, ab: Tensor, pixel_weight: Tensor | None) -> tuple[Tensor, Parts]:
        return self.loss(prediction, Truth(ab, self.bin_weights, pixel_weight))


class BackboneStage(Stage):
    """A stage that trains one color network; its subclasses say from what and on which samples."""

    heads_learn = True

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        super().__init__(config, store, held_out, device)
        self.backbone = config.network
        network = self.backbone.made(self.start(config), config.weights.encoder)
        self.network = network.to(device)
        self.color_loss = ColorLoss(config, store, device)
        heads_stay = config.learns.frozen_heads or not self.heads_learn
        heads = [network.get_submodule(head) for head in self.backbone.heads if heads_stay]
        for part in (*self._frozen(), *heads):
            part.requires_grad_(False)
        self.teacher = None
        if config.learns.only:
            self._freeze_all_but(config.learns.only)
        elif config.teaching:
            self.teacher = self.backbone.teacher(config.weights.encoder, device)
            self.scaffold = self.teacher.scaffold

    @staticmethod
    def start(config: Config) -> str:
        """The weights that the network starts from; "" for none."""
        return config.weights.start

    @staticmethod
    def multiple(config: Config) -> int:
        return config.network.multiple

    def _frozen(self) -> list[nn.Module]:
        """Asked for when needed: several processes put other BatchNorm layers into a network that is made."""
        return self.backbone.frozen(self.network, self.config.learns.frozen_stages)

    def _freeze_all_but(self, parts: tuple[str, ...]) -> None:
        self.network.requires_grad_(False)
        try:
            for name in parts:
                self.network.get_submodule(name).requires_grad_()
        except AttributeError as error:
            raise InstcolorError(f"learns.only: no such part of the network ({error})") from None

    def parameters(self) -> list[dict[str, Any]]:
        rates = self.config.optimizer
        if self.config.learns.only:
            parts = [self.network.get_submodule(name) for name in self.config.learns.only]
            return [{"params": [p for part in parts for p in part.parameters()], "lr": rates.lr_rest}]
        encoder, rest = [], []
        for name, parameter in self.network.named_parameters():
            if not self.backbone.encoder or not name.startswith(self.backbone.encoder):
                rest.append(parameter)
            elif parameter.requires_grad:
                encoder.append(parameter)
        groups = [(encoder, rates.lr_encoder), (rest, rates.lr_rest), (list(self.scaffold.parameters()), rates.lr_rest)]
        return [{"params": parameters, "lr": rate} for parameters, rate in groups if parameters]

    def train_mode(self) -> None:
        self.network.train(not self.config.learns.only)
        for part in self._frozen():
            part.eval()

    def predict(self, batch: Batch, blend: Blend | None = None) -> Prediction:
        """The network's answer to a batch; `blend` as in `networks.backbone`."""
        with autocast(self.config.machine.bf16, self.device):
            L = batch.L.contiguous(memory_format=torch.channels_last)
            answer: Prediction = self.network(L, batch.hint_ab, batch.hint_mask, blend)
            return answer

    def loss(self, batch: Batch) -> tuple[Tensor, Parts]:
        features: dict[str, Tensor] = {}
        loss, parts = self.color_loss(self.predict(batch, record(features)), batch.ab, batch.weight)
        if self.teacher and self.network.training:
            with autocast(self.config.machine.bf16, self.device):
                taught = self.config.teaching * self.teacher.loss(features, batch.L, batch.ab)
            loss, parts = loss + taught, parts | {"teaching": taught.detach()}
        return loss, parts

    def pictures(self, batch: Batch) -> list[Row]:
        results = self.predict(batch).ab.float()
        each = zip(batch.L, results, batch.ab, strict=True)
        return [(gray(L), colored(L, result), colored(L, truth)) for L, result, truth in each]


class FullStage(BackboneStage):
    """Stage 1: the full-image network on whole photos, from an ImageNet encoder."""

    takes = frozenset(
        {"network.*", "loss", "hints", "learns.*", "teaching", "weights.encoder", "optimizer.lr_encoder"}
        | {"augmentation.crop", "augmentation.stretch", "augmentation.collage"}
    )

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        self.samples, self.held_out = FullSamples(store, config), FullSamples(held_out, config)
        super().__init__(config, store, held_out, device)


class InstanceStage(BackboneStage):
    """Stage 2: the same network on crops of objects, started from stage 1.

    The heads of `lite` stay as they are, so that its features keep the meaning that the full-image network's heads,
    which answer after fusion, give to them.
    """

    takes = frozenset(
        {"network.*", "loss", "hints", "learns.frozen_stages", "learns.only", "teaching", "weights.encoder"}
        | {"weights.full", "optimizer.lr_encoder", "augmentation.boxes", "crops.surroundings", "crops.masks"}
    )
    heads_learn = False

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        if not self.start(config):
            raise InstcolorError("the instance stage starts from the weights of the full-image network: weights.full")
        self.samples, self.held_out = InstanceSamples(store, config), InstanceSamples(held_out, config)
        super().__init__(config, store, held_out, device)

    @staticmethod
    def start(config: Config) -> str:
        return config.weights.start or config.weights.full


class FusionStage(Stage):
    """Stage 3: the weight predictors, with both networks frozen (BatchNorm statistics too)."""

    takes = frozenset(
        {"network", "loss", "hints", "weights.full", "weights.instance", "augmentation.boxes"}
        | {"crops.instance_size", "crops.surroundings", "crops.masks"}
    )

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        super().__init__(config, store, held_out, device)
        weights = config.weights
        if not (weights.full and weights.instance):
            raise InstcolorError("the fusion stage needs the weights of both networks: weights.full, weights.instance")
        networks = [config.network.made(path) for path in (weights.full, weights.instance)]
        full, instance = (network.to(device).eval().requires_grad_(False) for network in networks)
        self.fusion = config.network.fusion(full, instance, device)
        self.network = self.fusion.network
        if weights.start:
            load_weights(self.network, weights.start)
        self.samples, self.held_out = FusionSamples(store, config), FusionSamples(held_out, config)
        self.color_loss = ColorLoss(config, store, device)

    @staticmethod
    def multiple(config: Config) -> int:
        return config.network.multiple

    def parameters(self) -> list[dict[str, Any]]:
        return [{"params": self.fusion.parameters(), "lr": self.config.optimizer.lr_rest}]

    def train_mode(self) -> None:
        self.network.eval()  # it has no statistics of its own to learn

    def predict(self, photo: Example) -> Prediction:
        """Colors one photo with its objects."""
        with autocast(self.config.machine.bf16, self.device):
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


STAGES: dict[str, type[Stage]] = {
    "full": FullStage,
    "instance": InstanceStage,
    "fusion": FusionStage,
    "detector": DetectorStage,
    "masks": MaskStage,
}


def not_taken(config: Config) -> list[str]:
    """Settings, by their full names, that are given and that the stage, with its backbone, does not take.

    Raises InstcolorError for an unknown stage.
    """
    if config.stage not in STAGES:
        raise InstcolorError(f"no stage {config.stage!r}: {', '.join(STAGES)}")
    return not_for(config, STAGES[config.stage].takes - config.network.lacks)


def check(config: Config) -> None:
    """Raises InstcolorError for settings that the stage does not take, and for sizes that its network cannot have."""
    if refused := not_taken(config):
        kind = f" of {config.network.name}" if set(refused) & config.network.lacks else ""
        raise InstcolorError(f"{', '.join(refused)}: not taken by the stage {config.stage}{kind}")
    stage = STAGES[config.stage]
    multiple = stage.multiple(config)
    sides = {f"crops.sizes: {side}": side for _, side in config.crops.sizes}
    if "crops.instance_size" in stage.takes:
        sides[f"crops.instance_size: {config.crops.instance_size}"] = config.crops.instance_size
    for name, side in sides.items():
        if side < multiple or side % multiple:
            raise InstcolorError(f"{name} is no multiple of {multiple}")
    if config.hints.objects and not config.data.boxes:
        raise InstcolorError("hints.objects: needs the objects of the photos: data.boxes")


def make_stage(config: Config, device: torch.device) -> Stage:
    """The stage of a config, with its photos, on a device.

    Raises InstcolorError where settings cannot be, photos are too few, or weights are missing or of another network.
    """
    check(config)
    torch.manual_seed(config.seed)
    data = config.data
    with first_process_first():
        sources, boxes = expand(data.photos), [Path(path) for path in data.boxes]
        store = PhotoStore.open(sources, boxes, Path(data.cache), data.cached_side, data.cached_as)
    stage = STAGES[config.stage](config, *store.split(data.held_out), device)
    if not len(stage.samples):
        raise InstcolorError(f"no photo to train the stage {config.stage} on: are there boxes for {data.photos[0]}?")
    return stage
