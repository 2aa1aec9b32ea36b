"""What can be downloaded, in a closed table: nothing else ever is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..errors import ModelError
from .downloading import fetch
from .registry import detectors_folder

DEIMV2 = (
    "https://raw.githubusercontent.com/Kazuhito00/DEIMv2-ONNX-Sample/f88d4382abca74edb26ed4c7f46190ac40da0ea5/model/"
)


class Download(NamedTuple):
    """A detector in ONNX that others publish."""

    url: str
    sha256: str
    size: int  # bytes
    license: str
    summary: str


DOWNLOADS = {
    "deimv2-femto": Download(
        DEIMV2 + "deimv2_hgnetv2_femto_coco.onnx",
        "c6ad358f750132b891165e034c2ba507abefc5ebe1c1d2732a0acbcacc47e52c",
        4_116_144,
        "Apache-2.0",
        "DEIMv2-Femto, 80 COCO classes, AP 31.0 as published",
    ),
    "deimv2-atto": Download(
        DEIMV2 + "deimv2_hgnetv2_atto_coco.onnx",
        "b114aa6610ac7c2bd9b3186ffb001afa872430db957407ef2473f7148d00646e",
        2_248_408,
        "Apache-2.0",
        "DEIMv2-Atto, 80 COCO classes, AP 23.8 as published; the smallest",
    ),
}


def download(name: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """Brings the detector of that name to the user's folder, where `load_detector` finds it by its name.

    `progress(done, all)` is told the bytes. Raises ModelError.
    """
    if name not in DOWNLOADS:
        raise ModelError(f"{name}: nothing of this name can be downloaded; known are {', '.join(DOWNLOADS)}")
    wanted = DOWNLOADS[name]
    path = detectors_folder() / f"{name}.onnx"
    fetch(wanted.url, path, sha256=wanted.sha256, size=wanted.size, progress=progress)
    return path
