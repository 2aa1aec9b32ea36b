"""A training small enough for tests: eight generated scenes, a few steps at 64 x 64."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from instcolor.networks.lite import Encoder
from instcolor.training.config import Augmentation, Config
from instcolor.training.scenes import write_scenes

PLAIN = Augmentation(crop=(1.0, 1.0), stretch=0.0, flip=False, boxes=0.0, film=0.0)


def write_photos(folder: Path, count: int = 8) -> Path:
    """Scenes and their boxes file; returns the folder."""
    write_scenes(folder, count)
    return folder


def small(photos: Path, work: Path, stage: str = "full", **settings: Any) -> Config:
    """Four steps of two photos, a checkpoint after every second; run folders and cache under `work`."""
    config = Config(
        stage=stage,
        data=(str(photos),),
        run="",
        boxes=str(photos / "boxes.json"),
        cache=str(photos.parent / "cache"),
        cached_side=64,
        samples=8,
        batch=2,
        sizes=((0.0, 64),),
        warmup=2,
        ema=0.9,
        instance_size=64,
        frozen_stages=2,
        bf16=False,
        device="cpu",
        threads=1,
        log_every=1,
        checkpoint_every=2,
        pictures=0,
    )
    return replace(config.under(work), **settings)


def imagenet_file(path: Path) -> Path:
    """Random weights in the form of an ImageNet classifier's."""
    state = Encoder(planes=3).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, path)
    return path
