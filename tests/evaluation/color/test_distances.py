"""Evaluation: learned distances and the distance of distributions."""

from __future__ import annotations

import math
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from instcolor.errors import ModelError
from instcolor.evaluation.color.inception import Inception, frechet_distance
from instcolor.evaluation.color.measure import measure
from instcolor.evaluation.color.methods import (
    FULL,
    GRAY,
    Method,
)
from instcolor.evaluation.color.perceptual import PackageLpips, ShiftTolerantLpips
from support import fixtures, stand_in
from support.evaluations import SMALL, noisy, of_one_color
from support.stand_in import FakeModel


def test_learned_distance_grows_with_the_difference(lpips_weights: Path) -> None:
    distance, picture = ShiftTolerantLpips(lpips_weights), fixtures.scene(72, 64)
    assert distance(picture, picture) == 0
    near, far = noisy(picture, 5), noisy(picture, 60)
    assert 0 < distance(picture, near) < distance(picture, far)
    assert distance(near, picture) == pytest.approx(distance(picture, near), rel=1e-4)
    assert math.isnan(distance(picture[:63], near[:63]))


def test_learned_distance_refuses_other_weights(weights: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not weights of the shift-tolerant LPIPS"):
        ShiftTolerantLpips(weights.split(",")[0])
    with pytest.raises(ModelError, match="not readable"):
        ShiftTolerantLpips(tmp_path / "missing")


def test_lpips_of_torchmetrics_gets_pictures_as_it_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Measure:
        """In the place of torchmetrics': the mean absolute difference."""

        def __init__(self, network: str, normalize: bool):
            assert (network, normalize) == ("alex", True)

        def __call__(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            assert a.shape == b.shape == (1, 3, 64, 72)
            assert 0 <= a.min() <= a.max() <= 1
            return (a - b).abs().mean()

        def reset(self) -> None:
            pass

    module = SimpleNamespace(LearnedPerceptualImagePatchSimilarity=Measure)
    monkeypatch.setitem(sys.modules, "torchmetrics", SimpleNamespace(image=SimpleNamespace(lpip=module)))
    monkeypatch.setitem(sys.modules, "torchmetrics.image", SimpleNamespace(lpip=module))
    monkeypatch.setitem(sys.modules, "torchmetrics.image.lpip", module)
    distance, picture = PackageLpips("torchmetrics"), fixtures.scene(72, 64)
    assert distance(picture, picture) == 0
    far = noisy(picture, 60)
    assert distance(picture, far) == pytest.approx(np.abs(picture / 255 - far / 255).mean(), rel=1e-5)
    assert math.isnan(distance(picture[:63], far[:63]))


def test_the_package_lpips_is_asked_for_alexnet_and_told_that_pictures_are_in_0_to_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Measure:
        """In the place of the package's: the mean absolute difference."""

        def __init__(self, net: str, verbose: bool):
            assert (net, verbose) == ("alex", False)
            warnings.warn("weights are asked for in an old way", stacklevel=1)

        def __call__(self, a: torch.Tensor, b: torch.Tensor, normalize: bool) -> torch.Tensor:
            assert normalize
            assert 0 <= a.min() <= a.max() <= 1
            return (a - b).abs().mean(dim=(1, 2, 3), keepdim=True)

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=Measure))
    distance, picture = PackageLpips("lpips"), fixtures.scene(72, 64)
    far = noisy(picture, 60)
    assert distance(picture, picture) == 0
    assert distance(picture, far) == pytest.approx(np.abs(picture / 255 - far / 255).mean(), rel=1e-5)


@pytest.mark.parametrize(("package", "module"), [("torchmetrics", "torchmetrics.image.lpip"), ("lpips", "lpips")])
def test_lpips_of_a_package_says_in_one_line_what_it_needs(
    package: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as where it is not installed
    with pytest.raises(ModelError, match=rf"pip install {package} torchvision.*AlexNet's weights") as error:
        PackageLpips(package)
    assert "\n" not in str(error.value)


def test_lpips_says_so_where_alexnet_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: object) -> None:
        raise OSError("no route\nto host")

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=offline))
    with pytest.raises(ModelError, match=r"which torchvision downloads \(no route to host\)"):
        PackageLpips("lpips")


def test_frechet_distance_of_known_distributions() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(features, features + 2) == pytest.approx(6 * 4, rel=1e-6)
    # one number: (difference of the means)^2 + (difference of the deviations)^2
    column = features[:, :1]
    expected = (3 * column.mean() - column.mean()) ** 2 + (2 * column.std(ddof=1)) ** 2
    assert frechet_distance(3 * column, column) == pytest.approx(expected, rel=1e-6)
    # more photos than features or fewer, the same by the definition with a matrix root
    few, others = rng.normal(size=(5, 8)), rng.normal(size=(5, 8))
    product = np.cov(few, rowvar=False) @ np.cov(others, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(product).astype(complex)).sum().real
    trace = np.trace(np.cov(few, rowvar=False)) + np.trace(np.cov(others, rowvar=False))
    expected = np.square(few.mean(0) - others.mean(0)).sum() + trace - 2 * root
    assert frechet_distance(few, others) == pytest.approx(expected, abs=1e-5)


def test_fid_compares_rows_with_the_truth(mean_color: Path) -> None:
    inception = Inception(mean_color)
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        picture = noisy(of_one_color(), 40, seed)
        case = SMALL.case(name, picture)
        for result in measure([case], [Method(GRAY), Method(FULL, FakeModel())], SMALL, ["faithful"]):
            inception.add(result)
    distances = inception.distances()
    assert 0 < distances["", FULL, "faithful"] < distances["", GRAY, ""]


def test_fid_refuses_another_network(tmp_path: Path) -> None:

    place = stand_in.write_model(tmp_path)
    with pytest.raises(ModelError, match="not an Inception network"):
        Inception(place / "photo.onnx")
    with pytest.raises(ModelError, match="missing"):
        Inception(tmp_path / "missing.onnx")
