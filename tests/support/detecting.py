"""Detectors that are there: "none" is a name too, but no test of what is found means it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instcolor.detectors import Detector, load_detector


def loaded(name_or_path: str | Path, **options: Any) -> Detector:
    """What `load_detector` gives, which must be a detector."""
    detector = load_detector(name_or_path, **options)
    assert detector is not None
    return detector
