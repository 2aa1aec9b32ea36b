"""What all tests share: a folder full of fixture photographs; no test fails because the machine is slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from support import fixtures

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of every good kind that `fixtures.good_files` knows. Read-only: shared by the whole session."""
    folder = tmp_path_factory.mktemp("photos")
    for name, data in fixtures.good_files().items():
        (folder / name).write_bytes(data)
    return folder
