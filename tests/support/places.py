"""Where things lie: the checkout, its examples and test data, and the shared folder beside it, which may be missing."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "instcolor"
EXAMPLES = ROOT / "examples" / "photos"
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared"
