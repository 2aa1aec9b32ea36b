"""What the tests of the evaluation share: a protocol, objects, photos with boxes, networks and their weights."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from instcolor.colorspace import lab_to_srgb8
from instcolor.evaluation.color.protocol import Protocol
from instcolor.objects import DetectedObject, PhotoObjects, to_coco
from instcolor.torch_models.model import TorchModel
from support import fixtures
from support.graphs import Graph
from support.random_networks import random_fusion, random_lite
from support.stand_in import AB, typed

SMALL = Protocol(side=64)
CAT = DetectedObject((10, 5, 40, 25), "cat", 0.9)
TINY = DetectedObject((2, 2, 6, 6), "ball", 0.8)


def noisy(picture: NDArray[np.uint8], sigma: float, seed: int = 1) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return (picture + rng.normal(0, sigma, picture.shape)).clip(0, 255).astype(np.uint8)


def gray(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(picture[..., :1], 3, axis=-1)


def of_one_color() -> NDArray[np.uint8]:
    """A picture of all lightnesses in the color that `FakeModel` gives."""
    L = np.linspace(30, 80, 64 * 64, dtype=np.float32).reshape(64, 64)
    return lab_to_srgb8(L, np.full((64, 64, 2), AB, np.float32))


def save(path: Path, rgb: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path


def photo_folder(place: Path) -> Path:
    """Three photos, one of them in a subfolder, and what is none."""
    for i, name in enumerate(("b.png", "a.png", "more/c.png")):
        save(place / "data" / name, fixtures.scene(72, 48, seed=i))
    (place / "data" / "notes.txt").write_text("no photo")
    return place / "data"


def boxes_file(place: Path) -> Path:
    """A COCO file with two objects on each photo of `photo_folder`."""
    photos = [PhotoObjects(name, (72, 48), (CAT, TINY)) for name in ("a.png", "b.png", "c.png")]
    path = place / "boxes.json"
    path.write_text(json.dumps(to_coco(photos)))
    return path


def random_networks() -> TorchModel:
    full = random_lite(1)
    return TorchModel(full, random_lite(2), random_fusion(full, 3), side=64, instance_size=64)


def weights_files(networks: TorchModel, place: Path) -> str:
    """The networks as a training leaves them: three paths, as --weights takes them."""
    paths = []
    for part in ("full", "instance", "fusion"):
        path = place / part / "model.safetensors"
        path.parent.mkdir()
        save_file(getattr(networks, part).state_dict(), path)
        paths.append(str(path))
    return ",".join(paths)


def lpips_file(place: Path) -> Path:
    """Random weights with the shapes of the real ones."""
    channels, kernels = (3, 64, 192, 384, 256, 256), (11, 5, 3, 3, 3)
    draw = torch.Generator().manual_seed(0)
    state = {"input.shift": torch.zeros(1, 3, 1, 1), "input.scale": torch.ones(1, 3, 1, 1)}
    for i, kernel in enumerate(kernels, 1):
        shape = (channels[i], channels[i - 1], kernel, kernel)
        state[f"conv{i}.weight"] = torch.randn(shape, generator=draw) / math.sqrt(math.prod(shape[1:]))
        state[f"conv{i}.bias"] = torch.zeros(channels[i])
        state[f"weight{i}"] = torch.rand(1, channels[i], 1, 1, generator=draw)
    path = place / "lpips.safetensors"
    save_file(state, path)
    return path


def inception_file(place: Path) -> Path:
    """In the place of an Inception network: the mean color of a picture of 32 x 32 pixels."""
    graph = Graph()
    graph.op("ReduceMean", "picture", axes=[2, 3], keepdims=1, name="features")
    graph.save(place / "features.onnx", typed({"picture": (None, 3, 32, 32)}), typed({"features": (None, 3, 1, 1)}))
    return place / "features.onnx"
