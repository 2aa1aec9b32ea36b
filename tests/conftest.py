"""What all tests share: a folder full of fixture photographs."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import fixtures


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of every good kind that `fixtures.good_files` knows. Read-only: shared by the whole session."""
    folder = tmp_path_factory.mktemp("photos")
    for name, data in fixtures.good_files().items():
        (folder / name).write_bytes(data)
    return folder
