"""A training small enough for tests: eight generated scenes, a few steps at 64 x 64."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from instcolor.networks.lite import Encoder
from instcolor.training.config import Augmentation, Config, Crops, Data, Log, Machine, Optimizer
from instcolor.training.scenes import write_scenes

PLAIN = Augmentation(crop=(1.0, 1.0), stretch=0.0, flip=False, boxes=0.0, film=0.0)


def write_photos(folder: Path, count: int = 8) -> Path:
    """Scenes and their boxes file; returns the folder."""
    write_scenes(folder, count)
    return folder


def small(photos: Path, work: Path, stage: str = "full", settings: Mapping[str, Any] | None = None) -> Config:
    """Four steps of two photos, a checkpoint after every second; run folders and cache under `work`.

    `settings` replaces some, by their full names.
    """
    config = Config(
        stage=stage,
        run="",
        data=Data(
            photos=(str(photos),),
            boxes=(str(photos / "boxes.json"),),
            cache=str(photos.parent / "cache"),
            cached_side=64,
        ),
        crops=Crops(sizes=((0.0, 64),), instance_size=64 if stage == "fusion" else Crops.instance_size),
        optimizer=Optimizer(samples=8, batch=2, warmup=2, ema=0.9),
        machine=Machine(bf16=False, device="cpu", threads=1),
        log=Log(every=1, checkpoint_every=2, pictures=0),
    )
    return config.in_folder(work).replaced(settings or {})


def plain(stage: str) -> dict[str, Any]:
    """The settings of a stage that sees its photos as they are, and no hint."""
    own = {"full": {"crop": [1, 1], "stretch": 0}, "detector": {"crop": [1, 1], "stretch": 0}}
    augmentation = {"flip": False, "film": 0, **own.get(stage, {"boxes": 0})}
    return {"augmentation": augmentation, **({} if stage == "detector" else {"hints.share": 0})}


def imagenet_file(path: Path) -> Path:
    """Random weights in the form of an ImageNet classifier's."""
    state = Encoder(planes=3).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, path)
    return path
