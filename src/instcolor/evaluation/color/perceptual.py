"""Learned distances between pictures: LPIPS (Zhang et al., CVPR 2018), and a shift-tolerant one (Ghildyal & Liu 2022).

Both are on AlexNet: the features of five stages are scaled to unit length over the channels, their squared differences
weighted channel by channel and averaged over the picture. The weights of neither are part of this package.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...errors import ModelError

Metric = Callable[[Tensor, Tensor], Tensor]  # of pictures (1, 3, h, w) in 0..1

NEEDS = (
    "it needs the packages {0} and torchvision (pip install {0} torchvision), and AlexNet's weights, which torchvision "
    "downloads"
)
STAGES = 5
PADDING = (2, 2, 1, 1, 1)
SHAPES = {"conv1.weight": (64, 3, 11, 11), "conv5.weight": (256, 256, 3, 3), "weight5": (1, 256, 1, 1)}
SMALLEST = 64  # pixels a side; smaller pictures have no distance
LARGEST = 256  # pixels a side; larger pictures are reduced to it (Pillow bilinear), aspect kept


class PackageLpips:
    """LPIPS 0.1 of two 8-bit sRGB pictures (h, w, 3) at their own size, by one of `PACKAGES` with its own weights.

    torchvision loads AlexNet, downloading its weights the first time. NaN for pictures under 64 pixels. Raises
    ModelError where a package or the weights cannot be had.
    """

    def __init__(self, package: str) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of torchvision, about how it is asked for weights
                self._lpips = PACKAGES[package]()
        except (ImportError, OSError, RuntimeError) as error:  # packages; a download that fails or is damaged
            reason = " ".join(str(error).split())
            raise ModelError(f"LPIPS of {package}: {NEEDS.format(package)} ({reason})") from error

    @torch.no_grad()
    def __call__(self, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
        if min(a.shape[:2]) < SMALLEST:
            return math.nan
        first, second = (torch.from_numpy(np.array(p)).permute(2, 0, 1)[None].float() / 255 for p in (a, b))
        return float(self._lpips(first, second))


def _by_lpips() -> Metric:
    """The package of the metric's authors."""
    from lpips import LPIPS  # type: ignore[import-not-found,unused-ignore]

    metric = LPIPS(net="alex", verbose=False)
    return lambda a, b: metric(a, b, normalize=True)


def _by_torchmetrics() -> Metric:
    from torchmetrics.image.lpip import (  # type: ignore[import-not-found,unused-ignore]
        LearnedPerceptualImagePatchSimilarity,
    )

    metric = LearnedPerceptualImagePatchSimilarity("alex", normalize=True)

    def measured(a: Tensor, b: Tensor) -> Tensor:
        value: Tensor = metric(a, b)
        metric.reset()
        return value

    return measured


PACKAGES: dict[str, Callable[[], Metric]] = {"lpips": _by_lpips, "torchmetrics": _by_torchmetrics}
"""Those that measure LPIPS, by name."""


class ShiftTolerantLpips:
    """Distance of two 8-bit sRGB pictures (h, w, 3), 0 where they are the same; NaN for pictures under 64 pixels.

    The trunk has every stride taken by a blur, so that a shift by a pixel changes little; figures do not compare with
    LPIPS tables in print. Raises ModelError for other weights.
    """

    def __init__(self, path: str | Path):
        names = ["input.shift", "input.scale", *(f"weight{i}" for i in range(1, STAGES + 1))]
        names += [f"conv{i}.{part}" for i in range(1, STAGES + 1) for part in ("weight", "bias")]
        try:
            weights = load_file(path)
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path}: not readable weights ({' '.join(str(error).split())})") from error
        if set(weights) != set(names) or any(weights[name].shape != shape for name, shape in SHAPES.items()):
            raise ModelError(f"{path}: not weights of the shift-tolerant LPIPS on AlexNet")
        self.weights = {name: value.float() for name, value in weights.items()}

    @torch.no_grad()
    def __call__(self, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
        a, b = _reduced(a), _reduced(b)
        if min(a.shape[:2]) < SMALLEST:
            return math.nan
        pair = torch.from_numpy(np.stack([a, b])).permute(0, 3, 1, 2).float() / 255
        total = 0.0
        for stage, features in enumerate(self._features(pair), 1):
            difference = (features[:1] - features[1:]).square()
            total += float(F.conv2d(difference, self.weights[f"weight{stage}"]).mean())
        return total

    def _features(self, pictures: Tensor) -> list[Tensor]:
        """Unit-length features (2, c, h, w) of the five stages; pictures in 0..1."""
        x = (2 * pictures - 1 - self.weights["input.shift"]) / self.weights["input.scale"]
        stages = []
        for i, padding in enumerate(PADDING, 1):
            if i in (2, 3):  # pooling 3 x 3 by 2, as maximum and blur
                x = _blur_by_2(F.max_pool2d(x, 3, 1))
            x = F.conv2d(x, self.weights[f"conv{i}.weight"], self.weights[f"conv{i}.bias"], padding=padding)
            x = F.relu(_blur_by_2(x) if i == 1 else x)
            stages.append(x / (x.norm(dim=1, keepdim=True) + 1e-10))
        return stages


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(picture)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.BILINEAR, reducing_gap=None)
    return np.array(image)


def _blur_by_2(x: Tensor) -> Tensor:
    """1-2-1 binomial blur in both directions, then every second cell."""
    line = torch.tensor([0.25, 0.5, 0.25])
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])
