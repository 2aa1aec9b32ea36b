"""Reading of pickled checkpoints by strangers: tensors only, bounded, checked; nothing in them is run."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..limits import MAX_CHECKPOINT_BYTES
from .layouts import check_shapes, kind_of, standard_name

if TYPE_CHECKING:
    from torch import Tensor

PARTS = {"image_model.": "full", "instance_model.": "instance", "fusion_model.": "fusion"}
"""Prefixes of the three networks in mmagic's single file, and the parts they play."""


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Float tensors of a checkpoint, by their names in the file; a `state_dict` inside is unwrapped.

    Raises ModelError for anything that is not plain tensors, whatever it would have done when opened.
    """
    import torch

    _check_unpacked_size(path)
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file may raise anything
        reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        raise ModelError(f"{path}: refused, not a checkpoint of plain tensors ({reason})") from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not content:
        raise ModelError(f"{path}: holds no parameters")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise ModelError(f"{path}: {str(key)[:120]!r} is not a tensor")
    return content


def parts_of(parameters: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The three networks of a file that has them under prefixes, by part; of any other file one, under ""."""
    found: dict[str, dict[str, Tensor]] = {}
    for key, value in parameters.items():
        prefix = next((p for p in PARTS if key.startswith(p)), "")
        found.setdefault(PARTS.get(prefix, ""), {})[key.removeprefix(prefix)] = value
    return found


def checked(parameters: dict[str, Tensor], source: str) -> tuple[str, dict[str, Tensor]]:
    """The kind of a network and its parameters: standard names, float32, contiguous.

    Raises ModelError where names or shapes differ from the kind's, two names are one, or a value is not finite.
    """
    standard: dict[str, Tensor] = {}
    for key, value in parameters.items():
        name = standard_name(key)
        if name in standard:
            raise ModelError(f"{source}: {name} is there twice")
        if name is not None:
            standard[name] = value
    kind = kind_of(standard)
    if kind is None:
        raise ModelError(f"{source}: not a network that is known here (siggraph17, eccv16, or fusion of siggraph17)")
    check_shapes({name: tuple(value.shape) for name, value in standard.items()}, kind, source)
    for name, value in standard.items():  # shapes are right by now, so nothing here can grow
        if not value.is_floating_point():
            raise ModelError(f"{source}: {name} holds {str(value.dtype).removeprefix('torch.')}, not floats")
        standard[name] = value = value.float().contiguous()
        if not value.isfinite().all():
            raise ModelError(f"{source}: {name} holds values that are not finite")
    return kind, standard


def _check_unpacked_size(path: Path) -> None:
    """A zip file may unpack to far more than it weighs."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ModelError(f"{path}: damaged archive ({error})") from error
    if size > MAX_CHECKPOINT_BYTES:
        raise ModelError(f"{path}: unpacks to more than {MAX_CHECKPOINT_BYTES} bytes")
