"""The stage `masks`: which part of its box an object fills."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InstcolorError
from ...networks.masks import MaskNetwork
from ...torch_models.weights import load_weights, read_weights
from ..config import Config
from ..losses import Parts
from ..photos import PhotoStore
from ..pictures import Row, gray
from ..processes import autocast
from ..stage import Stage
from .losses import mask_loss
from .samples import MaskBatch, MaskSamples


class MaskStage(Stage):
    """Trains a `MaskNetwork` from an ImageNet encoder, or goes on from weights of its own."""

    takes = frozenset({"weights.encoder", "learns.frozen_stages", "optimizer.lr_encoder", "augmentation.boxes"})

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        super().__init__(config, store, held_out, device)
        self.samples, self.held_out = MaskSamples(store, config), MaskSamples(held_out, config)
        network = MaskNetwork()
        if config.weights.start:
            load_weights(network, config.weights.start)
        elif config.weights.encoder:
            try:
                network.encoder.load_imagenet(read_weights(config.weights.encoder))
            except ValueError as error:
                raise InstcolorError(f"{config.weights.encoder}: {error}") from None
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part in self._frozen():
            part.requires_grad_(False)

    @staticmethod
    def multiple(config: Config) -> int:
        return MaskNetwork.multiple

    def _frozen(self) -> list[nn.Module]:
        """Asked for when needed: several processes put other BatchNorm layers into a network that is made."""
        encoder = cast(MaskNetwork, self.network).encoder
        return [encoder.conv_stem, encoder.bn1, encoder.blocks[: self.config.learns.frozen_stages]]

    def parameters(self) -> list[dict[str, Any]]:
        rates = self.config.optimizer
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                rate = rates.lr_encoder if name.startswith("encoder.") else rates.lr_rest
                groups.setdefault(rate, []).append(parameter)
        return [{"params": parameters, "lr": rate} for rate, parameters in groups.items()]

    def train_mode(self) -> None:
        self.network.train()
        for part in self._frozen():
            part.eval()

    def loss(self, batch: MaskBatch) -> tuple[Tensor, Parts]:
        return mask_loss(self._answer(batch.L), batch)

    def pictures(self, batch: MaskBatch) -> list[Row]:
        """Each crop, what the network takes for the object, and the truth or the box."""
        answers = F.interpolate(self._answer(batch.L).sigmoid(), scale_factor=2, mode="bilinear").cpu().numpy()
        truths = F.interpolate(batch.truth, scale_factor=2).cpu().numpy()
        rows: list[Row] = []
        for L, answer, truth in zip(batch.L, answers, truths, strict=True):
            planes = (np.repeat((255 * plane[0]).astype(np.uint8)[..., None], 3, 2) for plane in (answer, truth))
            rows.append((gray(L), *planes))
        return rows

    def _answer(self, L: Tensor) -> Tensor:
        with autocast(self.config.machine.bf16, self.device):
            answer: Tensor = self.network(L.contiguous(memory_format=torch.channels_last)).float()
            return answer
