"""What the losses count."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from instcolor.bins import BIN_COUNT  # noqa: E402
from instcolor.networks.backbone import Prediction  # noqa: E402
from instcolor.training.losses import log_error, rebalanced, smooth_l1  # noqa: E402

WEIGHTS = torch.ones(BIN_COUNT)


def off_by(*errors: float) -> tuple[Prediction, torch.Tensor]:
    """Photos of 8 x 8 whose predictions, at a quarter of that, are off by so much everywhere, and the truth."""
    truth = torch.full((len(errors), 2, 8, 8), 7.0)
    ab = truth[..., :2, :2] + torch.tensor(errors).view(-1, 1, 1, 1)
    return Prediction(ab=ab, logits=torch.zeros(len(errors), BIN_COUNT, 2, 2)), truth


def regression(loss: object, *errors: float) -> float:
    prediction, truth = off_by(*errors)
    parts = loss(prediction, truth, WEIGHTS)[1]  # type: ignore[operator]
    return next(value.item() for name, value in parts.items() if name != "entropy")


def test_log_error_weighs_every_photo_alike() -> None:
    """Halving the error of a photo is worth as much, whatever it was."""
    quiet = regression(log_error, 100, 40) - regression(log_error, 100, 20)
    colorful = regression(log_error, 100, 40) - regression(log_error, 50, 40)
    assert quiet == pytest.approx(colorful, rel=0.03)
    assert regression(rebalanced, 100, 40) - regression(rebalanced, 50, 40) > 2 * (
        regression(rebalanced, 100, 40) - regression(rebalanced, 100, 20)
    )


def test_log_error_follows_the_square_within_a_photo() -> None:
    prediction, truth = off_by(0.0)
    prediction.ab[..., 0, 0] += 20
    one = log_error(prediction, truth, WEIGHTS)[1]["log_error"]
    assert one.item() == pytest.approx(regression(log_error, 10), abs=1e-5)  # a quarter of the cells, twice as far off


def test_pixels_count_by_their_weight() -> None:
    prediction, truth = off_by(0.0)
    prediction.ab[..., 0, 0] += 20
    weight = torch.ones(1, 1, 8, 8)
    weight[..., :4, :4] = 0
    for loss, name in ((log_error, "log_error"), (rebalanced, "huber")):
        parts = loss(prediction, truth, WEIGHTS, weight)[1]
        assert parts[name].item() == pytest.approx(regression(loss, 0))


def test_colorful_pixels_count_more_with_emphasis() -> None:
    prediction, truth = off_by(10)
    plain, emphasized = (rebalanced(prediction, truth, WEIGHTS, None, e)[1]["huber"].item() for e in (0.0, 0.1))
    assert emphasized == pytest.approx(plain * (1 + 0.1 * 7 * 2**0.5))


def test_entropy_is_that_of_the_nearest_bin() -> None:
    prediction, truth = off_by(0.0)
    assert log_error(prediction, truth, WEIGHTS)[1]["entropy"].item() == pytest.approx(torch.tensor(BIN_COUNT).log())


def test_smooth_l1_is_that_of_the_published_code() -> None:
    prediction, truth = off_by(3)
    value, _ = smooth_l1(prediction, truth, WEIGHTS)
    assert value.item() == pytest.approx(2 * (3 - 0.5) * 10 / 110)
