"""Other packages, installed as far as Python's metadata can tell."""

from __future__ import annotations

from pathlib import Path

import pytest


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, code: str, entry_points: str) -> None:
    """A package of one module, found by `import` and by its entry points (as `entry_points.txt` has them)."""
    facts = folder / f"{module}-1.dist-info"
    facts.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
    (facts / "entry_points.txt").write_text(entry_points)
    monkeypatch.syspath_prepend(folder)
