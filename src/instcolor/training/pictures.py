"""The table of results that a training draws as it goes: gray, result and truth of a few photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..colorspace import lab_to_srgb8

Row = tuple[NDArray[np.uint8], ...]  # (H, W, 3) each
GAP = 4  # pixels between pictures


def colored(L: Tensor, ab: Tensor) -> NDArray[np.uint8]:
    """(1, H, W) lightness and (2, h, w) ab, enlarged to it, as (H, W, 3) sRGB."""
    ab = F.interpolate(ab[None], L.shape[1:], mode="bilinear", align_corners=False)[0]
    return lab_to_srgb8(L[0].cpu().numpy(), ab.permute(1, 2, 0).contiguous().cpu().numpy())


def gray(L: Tensor) -> NDArray[np.uint8]:
    """(1, H, W) lightness as (H, W, 3) sRGB."""
    return colored(L, torch.zeros(2, 1, 1, device=L.device))


def table(rows: Sequence[Row]) -> NDArray[np.uint8]:
    """Rows of pictures of one size as one picture (H, W, 3) on white."""
    white = [
        np.pad(np.concatenate([_framed(p) for p in row], 1), ((0, GAP), (0, 0), (0, 0)), constant_values=255)
        for row in rows
    ]
    return np.concatenate(white)


def _framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(picture, ((0, 0), (0, GAP), (0, 0)), constant_values=255)
