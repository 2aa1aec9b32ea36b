"""What tests share: a folder full of fixture photographs; photos, boxes and weights of the evaluation's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

import evaluations
import fixtures


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of every good kind that `fixtures.good_files` knows. Read-only: shared by the whole session."""
    folder = tmp_path_factory.mktemp("photos")
    for name, data in fixtures.good_files().items():
        (folder / name).write_bytes(data)
    return folder


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
