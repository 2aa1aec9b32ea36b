"""What each of the three stages trains, on which samples, with which loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from ..bins import BIN_COUNT
from ..errors import InstcolorError, ModelError
from ..networks.fusion import Fusion, covered, predict
from ..networks.lite import Lite
from ..networks.torch_model import tensors
from .config import Config
from .losses import bin_index, bin_weights, color_loss
from .photos import PhotoStore
from .samples import (
    Batch,
    FullSamples,
    FusionSamples,
    InstanceSamples,
    PhotoWithObjects,
    lightness_and_color,
    random_crop,
)

PRIOR_PHOTOS = 600
OUTSIDE_OBJECTS = 0.2  # weight in the fusion's loss of what no box covers


class Stage(Protocol):
    """One stage of the training: `network` is what it trains and saves."""

    @property
    def network(self) -> nn.Module: ...

    @property
    def count(self) -> int: ...  # how many photos it can draw from

    def parameters(self) -> list[dict]: ...  # optimizer groups, each with its own "lr"

    def train_mode(self) -> None: ...

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> Any: ...

    def loss(self, batch: Any) -> tuple[Tensor, dict]: ...


def bin_prior(store: PhotoStore) -> NDArray[np.float64]:
    """How often each ab bin occurs in the photos at the network's output size."""
    rng = np.random.default_rng(0)
    counts = torch.zeros(BIN_COUNT, dtype=torch.float64)
    for i in rng.permutation(len(store))[:PRIOR_PHOTOS]:
        rgb = torch.from_numpy(random_crop(store[i], 128, rng).copy())[None]
        _, ab = lightness_and_color(rgb, 0.0, rng)
        counts += torch.bincount(bin_index(F.avg_pool2d(ab, 4)).flatten(), minlength=BIN_COUNT)
    return counts.numpy()


def color_step(network: Lite, batch: Batch, weights: Tensor, bf16: bool) -> tuple[Tensor, dict]:
    """Loss of a colour network on a batch, the truth averaged to its output size."""
    channels_last = torch.channels_last
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        prediction = network(batch.L.contiguous(memory_format=channels_last), batch.hint_ab, batch.hint_mask)
    weight = None if batch.weight is None else F.avg_pool2d(batch.weight, network.stride)
    return color_loss(prediction, F.avg_pool2d(batch.ab, network.stride), weights, weight)


def lite_parameters(network: Lite, config: Config) -> list[dict]:
    """Encoder and rest with their learning rates; what is frozen takes no gradient."""
    for part in _frozen(network, config.frozen_stages):
        part.requires_grad_(False)
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    rest = [p for name, p in network.named_parameters() if not name.startswith("encoder.")]
    return [{"params": encoder, "lr": config.lr_encoder}, {"params": rest, "lr": config.lr_rest}]


def _frozen(network: Lite, stages: int) -> list[nn.Module]:
    if stages == 0:
        return []
    return [network.encoder.conv_stem, network.encoder.bn1, *list(network.encoder.blocks)[:stages]]


def lite_train_mode(network: Lite, config: Config) -> None:
    network.train()
    for part in _frozen(network, config.frozen_stages):
        part.eval()


class BackboneStage:
    """A stage that trains one `lite` network; which samples and from what, its subclasses say."""

    network: Lite
    count: int
    samples: FullSamples | InstanceSamples

    def __init__(self, config: Config, store: PhotoStore):
        self.config = config
        self.count = len(self.samples)
        self.weights = bin_weights(bin_prior(store))

    def parameters(self) -> list[dict]:
        return lite_parameters(self.network, self.config)

    def train_mode(self) -> None:
        lite_train_mode(self.network, self.config)

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> Batch:
        return self.samples.batch(indices, size, rng)

    def loss(self, batch: Batch) -> tuple[Tensor, dict]:
        return color_step(self.network, batch, self.weights, self.config.bf16)


class FullStage(BackboneStage):
    """Stage 1 (section 3.2): the full-image network on whole photos, from an ImageNet encoder."""

    def __init__(self, config: Config, store: PhotoStore):
        self.network = Lite().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.start:
            load_weights(self.network, config.start)
        elif config.encoder:
            self.network.encoder.load_imagenet(load_file(config.encoder))
        self.samples = FullSamples(store, config.film_share, config.hint_share)
        super().__init__(config, store)


class InstanceStage(BackboneStage):
    """Stage 2 (section 3.3): the same network on crops of objects, started from stage 1.

    Its two heads stay as they are, so that its features keep the meaning that the full-image network's heads,
    which answer after fusion, give to them.
    """

    def __init__(self, config: Config, store: PhotoStore):
        self.network = Lite().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        load_weights(self.network, config.start or config.full)
        self.network.head_ab.requires_grad_(False)
        self.network.head_bins.requires_grad_(False)
        self.samples = InstanceSamples(store, config.film_share, config.hint_share)
        super().__init__(config, store)


class FusionStage:
    """Stage 3 (section 3.4): the weight predictors, with both networks frozen (BatchNorm statistics too)."""

    def __init__(self, config: Config, store: PhotoStore):
        self.config = config
        self.full, self.instance = frozen_lite(config.full), frozen_lite(config.instance)
        self.network = Fusion(self.full.tap_names, self.full.tap_channels)
        if config.start:
            load_weights(self.network, config.start)
        self.samples = FusionSamples(store, config.film_share, config.hint_share, config.instance_size)
        self.count = len(self.samples)
        self.weights = bin_weights(bin_prior(store))

    def parameters(self) -> list[dict]:
        return [{"params": list(self.network.parameters()), "lr": self.config.lr_rest}]

    def train_mode(self) -> None:
        self.network.train()

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[PhotoWithObjects]:
        return self.samples.batch(indices, size, rng)

    def loss(self, batch: list[PhotoWithObjects]) -> tuple[Tensor, dict]:
        losses, scalars = [], []
        for inputs, ab in batch:
            L, hint_ab, hint_mask, objects = tensors(inputs)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.bf16):
                prediction = predict(self.full, self.instance, self.network, L, hint_ab, hint_mask, objects)
            height, width = prediction.ab.shape[2:]
            x0, y0, x1, y1 = objects.places.box.T
            inside = covered(y0, y1, height)[:, :, None] & covered(x0, x1, width)[:, None, :]
            weight = torch.where(inside.any(0), 1.0, OUTSIDE_OBJECTS)[None, None]
            truth = F.avg_pool2d(ab, self.full.stride)
            value, parts = color_loss(prediction, truth, self.weights, weight)
            losses.append(value)
            scalars.append(parts)
        mean = {name: sum(s[name] for s in scalars) / len(scalars) for name in scalars[0]}
        return torch.stack(losses).mean(), mean


def frozen_lite(weights: str) -> Lite:
    network = Lite().eval().requires_grad_(False)
    load_weights(network, weights)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def load_weights(network: nn.Module, path: str) -> None:
    """Loads a safetensors file; only BatchNorm's step counters may be missing."""
    missing, unexpected = network.load_state_dict(load_file(path), strict=False)
    missing = [k for k in missing if not k.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ModelError(f"{path}: not weights of this network: missing {missing[:2]}, unexpected {unexpected[:2]}")


STAGES: dict[str, Callable[[Config, PhotoStore], Stage]] = {
    "full": FullStage,
    "instance": InstanceStage,
    "fusion": FusionStage,
}


def make_stage(config: Config) -> Stage:
    if config.stage not in STAGES:
        raise InstcolorError(f"no stage {config.stage!r}: {', '.join(STAGES)}")
    torch.manual_seed(config.seed)
    sources = [Path(p) for p in config.data]
    store = PhotoStore.open(sources, Path(config.boxes) if config.boxes else None, Path(config.cache))
    return STAGES[config.stage](config, store)
