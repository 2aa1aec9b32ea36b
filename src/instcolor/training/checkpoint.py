"""The files of a run folder: written whole or not at all, so that a kill or a full disk leaves the older ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors.torch import save

from ..errors import ModelError

CHECKPOINT = "checkpoint.pt"  # everything needed to go on
WEIGHTS = "model.safetensors"  # the newest averaged weights
BEST = "best.safetensors"  # those with the lowest loss on the photos held out


def write_checkpoint(run: Path, state: Mapping[str, Any], *, best: bool) -> None:
    """Writes the averaged weights and then the state, which says that both are there. OSError where the disk refuses.

    A kill between the two leaves weights that are newer than the state; going on writes the same ones again.
    """
    weights = save({k: v.contiguous() for k, v in state["average"].items() if not k.endswith("num_batches_tracked")})
    for name in (WEIGHTS, BEST) if best else (WEIGHTS,):
        replace(run / name, lambda file: file.write(weights))
    replace(run / CHECKPOINT, lambda file: torch.save(dict(state), file))


def read_checkpoint(run: Path, device: torch.device) -> dict[str, Any] | None:
    """The state that a run folder holds; None where it holds none. ModelError where it is damaged."""
    path = run / CHECKPOINT
    if not path.exists():
        return None
    try:
        answer: dict[str, Any] | None = torch.load(path, map_location=device, weights_only=True)
        return answer
    except Exception as error:  # of half a file torch says many things
        raise ModelError(f"{path}: damaged; remove it to start again ({str(error).splitlines()[0]})") from None


def replace(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Writes a file beside its place and moves it there when the disk has it all; OSError leaves the old one."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            try:
                write(file)
            except RuntimeError as error:  # torch's writer hides the disk's refusal in one
                raise OSError(str(error).splitlines()[0]) from error
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
