"""Settings of a training stage: frozen dataclasses, read from YAML."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import InstcolorError


@dataclass(frozen=True)
class Config:
    """One stage. Paths are relative to where the command runs; a folder or zip of photos each in `data`."""

    stage: str  # "full", "instance" or "fusion"
    data: tuple[str, ...]
    run: str  # folder of checkpoints and logs
    boxes: str = ""  # COCO JSON with the objects of the photos
    encoder: str = ""  # ImageNet weights to start the full stage from
    full: str = ""  # weights of the full-image network: start of "instance", frozen in "fusion"
    instance: str = ""  # weights of the instance network, frozen in "fusion"
    start: str = ""  # weights of this stage's own network to go on from, instead of the stage's rule
    cache: str = "cache"
    samples: int = 100_000
    batch: int = 16
    # (share of the training after which it holds, side of the crops in pixels)
    sizes: tuple[tuple[float, int], ...] = ((0.0, 128), (0.75, 192))
    lr_encoder: float = 3e-4
    lr_rest: float = 1.5e-3
    weight_decay: float = 0.01
    warmup: int = 100  # steps
    ema: float = 0.999
    clip: float = 5.0
    instance_size: int = 192  # side of the objects' crops in "fusion"
    frozen_stages: int = 2  # the stem and so many encoder stages keep weights and BatchNorm statistics
    film_share: float = 0.35
    hint_share: float = 0.35
    bf16: bool = True
    seed: int = 0
    threads: int = 1
    checkpoint_every: int = 250  # steps

    @classmethod
    def read(cls, path: Path, **overrides: Any) -> Config:
        """Reads a YAML file; `overrides` replace its entries. Unknown names are errors."""
        try:
            values = yaml.safe_load(path.read_text()) or {}
        except (OSError, yaml.YAMLError) as error:
            raise InstcolorError(f"{path}: {str(error).splitlines()[0]}") from None
        values.update(overrides)
        unknown = set(values) - {f.name for f in dataclasses.fields(cls)}
        if unknown:
            raise InstcolorError(f"{path}: no such setting: {', '.join(sorted(unknown))}")
        for name in ("data", "sizes"):
            if name in values:
                values[name] = tuple(tuple(v) if isinstance(v, list) else v for v in values[name])
        try:
            return cls(**values)
        except TypeError as error:
            raise InstcolorError(f"{path}: {error}") from None

    def to_yaml(self) -> str:
        values = dataclasses.asdict(self)
        values["data"] = list(self.data)
        values["sizes"] = [list(s) for s in self.sizes]
        return yaml.safe_dump(values, sort_keys=False)

    def size_at(self, progress: float) -> int:
        return [size for start, size in self.sizes if progress >= start][-1]
