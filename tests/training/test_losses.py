"""What the losses count."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from instcolor.bins import BIN_COUNT
from instcolor.networks.backbone import Prediction
from instcolor.training.losses import LogError, Loss, Rebalanced, SmoothL1, Truth

WEIGHTS = torch.ones(BIN_COUNT)


def off_by(*errors: float) -> tuple[Prediction, torch.Tensor]:
    """Photos of 8 x 8 whose predictions, at a quarter of that, are off by so much everywhere, and the truth."""
    truth = torch.full((len(errors), 2, 8, 8), 7.0)
    ab = truth[..., :2, :2] + torch.tensor(errors).view(-1, 1, 1, 1)
    return Prediction(ab=ab, logits=torch.zeros(len(errors), BIN_COUNT, 2, 2)), truth


def regression(loss: Loss, *errors: float) -> float:
    prediction, ab = off_by(*errors)
    parts = loss(prediction, Truth(ab, WEIGHTS))[1]
    return next(value.item() for name, value in parts.items() if name != "entropy")


def test_log_error_weighs_every_photo_alike() -> None:
    """Halving the error of a photo is worth as much, whatever it was."""
    quiet = regression(LogError(), 100, 40) - regression(LogError(), 100, 20)
    colorful = regression(LogError(), 100, 40) - regression(LogError(), 50, 40)
    assert quiet == pytest.approx(colorful, rel=0.03)
    assert regression(Rebalanced(), 100, 40) - regression(Rebalanced(), 50, 40) > 2 * (
        regression(Rebalanced(), 100, 40) - regression(Rebalanced(), 100, 20)
    )


def test_log_error_follows_the_square_within_a_photo() -> None:
    prediction, truth = off_by(0.0)
    prediction.ab[..., 0, 0] += 20
    one = LogError()(prediction, Truth(truth, WEIGHTS))[1]["log_error"]
    assert one.item() == pytest.approx(regression(LogError(), 10), abs=1e-5)  # a quarter of the cells, twice as far off


def test_pixels_count_by_their_weight() -> None:
    prediction, truth = off_by(0.0)
    prediction.ab[..., 0, 0] += 20
    weight = torch.ones(1, 1, 8, 8)
    weight[..., :4, :4] = 0
    for loss, name in ((LogError(), "log_error"), (Rebalanced(), "huber")):
        parts = loss(prediction, Truth(truth, WEIGHTS, weight))[1]
        assert parts[name].item() == pytest.approx(regression(loss, 0))


def test_colorful_pixels_count_more_with_emphasis() -> None:
    prediction, truth = off_by(10)
    losses = (Rebalanced(emphasis=e) for e in (0.0, 0.1))
    plain, emphasized = (loss(prediction, Truth(truth, WEIGHTS))[1]["huber"].item() for loss in losses)
    assert emphasized == pytest.approx(plain * (1 + 0.1 * 7 * 2**0.5))


def test_entropy_is_that_of_the_nearest_bin() -> None:
    prediction, truth = off_by(0.0)
    assert LogError()(prediction, Truth(truth, WEIGHTS))[1]["entropy"].item() == pytest.approx(
        torch.tensor(BIN_COUNT).log()
    )


def test_smooth_l1_is_that_of_the_published_code() -> None:
    prediction, truth = off_by(3)
    value, _ = SmoothL1()(prediction, Truth(truth, WEIGHTS))
    assert value.item() == pytest.approx(2 * (3 - 0.5) * 10 / 110)
