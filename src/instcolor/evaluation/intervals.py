"""How sure a mean is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 1000


def interval(values: Sequence[float], groups: Sequence[str] | None = None) -> dict[str, float]:
    """Mean, low and high: the 95 % percentile bootstrap (Efron 1979), resampled by group where groups are given.

    The objects of one photo are no independent draws, so they stay together.
    """
    array = np.asarray(values, np.float64)
    _, index = np.unique(np.arange(len(array)) if groups is None else np.asarray(groups), return_inverse=True)
    total, count = np.bincount(index, array), np.bincount(index)
    draws = np.random.default_rng(0).integers(len(total), size=(RESAMPLES, len(total)))
    means = total[draws].sum(1) / count[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": float(array.mean()), "low": float(low), "high": float(high)}
