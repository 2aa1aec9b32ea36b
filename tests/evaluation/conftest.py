"""What the tests of the evaluation share: photos, their boxes, and weights of networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import evaluations


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return evaluations.photo_folder(tmp_path)


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    return evaluations.boxes_file(tmp_path)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return evaluations.weights_files(evaluations.random_networks(), tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def lpips_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evaluations.lpips_file(tmp_path_factory.mktemp("lpips"))


@pytest.fixture
def mean_color(tmp_path: Path) -> Path:
    return evaluations.inception_file(tmp_path)
