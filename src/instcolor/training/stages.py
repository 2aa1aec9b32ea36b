"""What each of the three stages trains, on which samples, with which loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from ..bins import BIN_COUNT
from ..networks.lite import Lite
from .config import Config
from .losses import bin_index, bin_weights, color_loss
from .photos import PhotoStore
from .samples import Batch, FullSamples, lightness_and_color, random_crop

PRIOR_PHOTOS = 600


class Stage(Protocol):
    """One stage of the training: `network` is what it trains and saves."""

    network: nn.Module

    def parameters(self) -> list[dict]: ...  # optimizer groups, each with its own "lr"

    def train_mode(self) -> None: ...

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> Any: ...

    def loss(self, batch: Any) -> tuple[Tensor, dict]: ...

    count: int  # how many photos it can draw from


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
    return [network.encoder.conv_stem, network.encoder.bn1, *network.encoder.blocks[:stages]]


def lite_train_mode(network: Lite, config: Config) -> None:
    network.train()
    for part in _frozen(network, config.frozen_stages):
        part.eval()


class FullStage:
    """Stage 1 (section 3.2): the full-image network on whole photos, from an ImageNet encoder."""

    def __init__(self, config: Config, store: PhotoStore):
        self.config = config
        self.network = Lite().to(memory_format=torch.channels_last)
        if config.start:
            self.network.load_state_dict(load_file(config.start))
        elif config.encoder:
            self.network.encoder.load_imagenet(load_file(config.encoder))
        self.samples = FullSamples(store, config.film_share, config.hint_share)
        self.count = len(store)
        self.weights = bin_weights(bin_prior(store))

    def parameters(self) -> list[dict]:
        return lite_parameters(self.network, self.config)

    def train_mode(self) -> None:
        lite_train_mode(self.network, self.config)

    def batch(self, indices: NDArray[np.int64], size: int, rng: np.random.Generator) -> Batch:
        return self.samples.batch(indices, size, rng)

    def loss(self, batch: Batch) -> tuple[Tensor, dict]:
        return color_step(self.network, batch, self.weights, self.config.bf16)


def make_stage(config: Config) -> FullStage:
    torch.manual_seed(config.seed)
    store = PhotoStore.open(
        [Path(p) for p in config.data], Path(config.boxes) if config.boxes else None, Path(config.cache)
    )
    return {"full": FullStage}[config.stage](config, store)
