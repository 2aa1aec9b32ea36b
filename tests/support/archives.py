"""Trees of files packed into one."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path


def packed(tree: Path, kind: str) -> Path:
    """The tree as one file."""
    path = tree.with_name(f"photos.{kind}")
    files = sorted(p for p in tree.rglob("*") if p.is_file())
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(tree).as_posix())
    else:
        with tarfile.open(path, "w:gz" if kind.endswith("gz") else "w") as archive:
            for file in files:
                archive.add(file, file.relative_to(tree).as_posix())
    return path
