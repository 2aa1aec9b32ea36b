"""The stage `detector`: objects on gray and old photos."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ...detectors.drawing import draw
from ...detectors.findings import COCO_80, LIMIT, Findings, best
from ...networks.detector import CLASSES, Detector, boxes, cells
from ...objects import DetectedObject
from ...packaging.nanodet import load_nanodet
from ...torch_models.weights import load_weights
from ..config import Config
from ..losses import Parts
from ..photos import PhotoStore
from ..pictures import Row, gray
from ..processes import autocast
from ..stage import Stage
from .losses import detection_loss, teaching_loss
from .samples import DetectionBatch, DetectionSamples

SHOWN_SCORE, SHOWN_OVERLAP = 0.3, 0.6  # of the findings in the table of results


class DetectorStage(Stage):
    """Trains a `Detector`, from nothing or from weights; then its BatchNorm statistics stay as they are.

    With `teaching`, the network as it was at the start looks at the clean photo and teaches what it sees there.
    """

    takes = frozenset({"teaching", "optimizer.lr_encoder", "augmentation.crop", "augmentation.stretch"})

    def __init__(self, config: Config, store: PhotoStore, held_out: PhotoStore, device: torch.device):
        super().__init__(config, store, held_out, device)
        self.samples, self.held_out = DetectionSamples(store, config), DetectionSamples(held_out, config)
        network = started(config.weights.start).to(device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.teacher = copy.deepcopy(self.network).eval().requires_grad_(False) if config.teaching else None

    @staticmethod
    def multiple(config: Config) -> int:
        return Detector.multiple

    def parameters(self) -> list[dict[str, Any]]:
        """The answers' biases and BatchNorm's factors do not decay: neither has a size of its own to lose."""
        optimizer, decay = self.config.optimizer, self.config.optimizer.weight_decay
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            rate = optimizer.lr_encoder if name.startswith("encoder.") else optimizer.lr_rest
            groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
        return [{"params": p, "lr": lr, "weight_decay": decay * matrix} for (lr, matrix), p in groups.items()]

    def train_mode(self) -> None:
        self.network.train()
        if self.config.weights.start:
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def loss(self, batch: DetectionBatch) -> tuple[Tensor, Parts]:
        answer = self._answer(self.network, batch.L)
        places = cells(batch.L.shape[2:], answer.device)
        loss, parts = detection_loss(answer, places, batch.objects, batch.doubtful)
        if self.teacher is not None:
            with torch.no_grad():
                clean = self._answer(self.teacher, batch.clean)
            taught = self.config.teaching * teaching_loss(answer, clean)
            loss, parts = loss + taught, parts | {"teaching": taught.detach()}
        return loss, parts

    def pictures(self, batch: DetectionBatch) -> list[Row]:
        """What was found and what is there."""
        answer = self._answer(self.network, batch.L)
        found = boxes(answer[..., CLASSES:], cells(batch.L.shape[2:], answer.device))
        rows: list[Row] = []
        for L, logits, places, truth in zip(batch.L, answer[..., :CLASSES], found, batch.objects, strict=True):
            scores, kinds = logits.sigmoid().max(1)
            photo, size = Image.fromarray(gray(L)), (L.shape[2], L.shape[1])
            findings = Findings(places.cpu().numpy(), scores.cpu().numpy(), kinds.cpu().numpy())
            shown = best(findings, size, threshold=SHOWN_SCORE, limit=LIMIT, labels=COCO_80, overlap=SHOWN_OVERLAP)
            there = [_object(row) for row in truth.tolist()]
            rows.append(tuple(np.asarray(draw(photo, objects)) for objects in (shown, there)))
        return rows

    def _answer(self, network: nn.Module, L: Tensor) -> Tensor:
        with autocast(self.config.machine.bf16, self.device):
            answer: Tensor = network(L.contiguous(memory_format=torch.channels_last)).float()
            return answer


def started(weights: str) -> Detector:
    """A detector with weights of its own (safetensors), with those of a NanoDet-Plus (.onnx), or with none ("")."""
    if weights.endswith(".onnx"):
        return load_nanodet(weights)
    detector = Detector()
    if weights:
        load_weights(detector, weights)
    return detector


def _object(row: list[float]) -> DetectedObject:
    x0, y0, x1, y1, score, kind = row
    return DetectedObject((x0, y0, x1, y1), COCO_80[int(kind)], score)
