"""What can be downloaded, in a closed table: nothing else ever is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..errors import ModelError
from .downloading import fetch
from .registry import detectors_folder, user_folder

DEIMV2 = (
    "https://raw.githubusercontent.com/Kazuhito00/DEIMv2-ONNX-Sample/f88d4382abca74edb26ed4c7f46190ac40da0ea5/model/"
)
# What the authors released. Checksums: opencv/opencv_zoo points with the same to the file of YOLOX-S
# (object_detection_yolox_2022nov.onnx); that of YOLOX-Tiny is the one that users of the release state.
YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/"
# What the authors publish; size and checksum are those that a user of the file states.
PICODET = "https://paddledet.bj.bcebos.com/deploy/third_engine/"
# The ONNX model zoo has moved here: its repository, onnx/models, hands out no files since July 2025. Sizes and
# checksums are those of its Git LFS pointers, in validated/vision/object_detection_segmentation/mask-rcnn/model. The
# quantized MaskRCNN-12-qdq is left out: the repository has had two files of that name.
ZOO = "https://huggingface.co/onnxmodelzoo/"


# The files of the npm package as they are in it; sizes and checksums are those of the package.
RUNTIME_NAME = "onnxruntime-web-1.30.0"
ORT = "https://cdn.jsdelivr.net/npm/onnxruntime-web@1.30.0/dist/"


class Download(NamedTuple):
    """A file that others publish."""

    url: str
    sha256: str
    size: int  # bytes
    license: str
    summary: str

    @property
    def file(self) -> str:
        """Its name where it is published."""
        return self.url.rpartition("/")[2]


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
    "yolox-tiny": Download(
        YOLOX + "yolox_tiny.onnx",
        "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7",
        20_219_662,
        "Apache-2.0",
        "YOLOX-Tiny, 80 COCO classes, AP 32.8 as published",
    ),
    "yolox-s": Download(
        YOLOX + "yolox_s.onnx",
        "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063",
        35_858_002,
        "Apache-2.0",
        "YOLOX-S, 80 COCO classes, AP 40.5 as published",
    ),
    "picodet-s": Download(
        PICODET + "picodet_s_320_coco_lcnet.onnx",
        "f9c671308fe7c20e618c7e2b5f88cf7460443cfcb1ef4b628d00d95f0f79758e",
        4_781_217,
        "Apache-2.0",
        "PicoDet-S at 320 x 320, 80 COCO classes",
    ),
    "mask-rcnn": Download(
        ZOO + "MaskRCNN-12/resolve/main/MaskRCNN-12.onnx",
        "5bf940c124d9117f6fae350c4e0d46df180cbb01981832b35fdbed148078b946",
        177_970_010,
        "MIT",
        "Mask R-CNN R-50-FPN of the ONNX model zoo, masks, AP 33.7 as published",
    ),
    "mask-rcnn-int8": Download(
        ZOO + "MaskRCNN-12-int8/resolve/main/MaskRCNN-12-int8.onnx",
        "4409935e855719fd6cd986f7ec2a3de840d0bd9c9cf7a0cba84ce95377f5b476",
        45_769_352,
        "MIT",
        "the same with weights of 8 bits, AP 33.1 as published",
    ),
}

"""Detectors in ONNX, by their names here."""

RUNTIME = (
    Download(
        ORT + "ort.wasm.bundle.min.mjs",
        "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
        73_054,
        "MIT",
        "ONNX Runtime Web: the module",
    ),
    Download(
        ORT + "ort-wasm-simd-threaded.wasm",
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
        14_239_897,
        "MIT",
        "ONNX Runtime Web: what runs the networks",
    ),
)
"""What runs networks in a browser."""


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


def download_runtime(progress: Callable[[int, int], None] | None = None) -> Path:
    """Brings `RUNTIME` to the user's folder, unless it is there. Returns that folder; raises ModelError."""
    folder = user_folder() / RUNTIME_NAME
    for wanted in RUNTIME:
        fetch(wanted.url, folder / wanted.file, sha256=wanted.sha256, size=wanted.size, progress=progress)
    return folder
