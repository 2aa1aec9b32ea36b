"""Others' checkpoints to safetensors with a TOML of facts beside them.

Understood are: a single siggraph17 or eccv16 network; the three files of Su et al. 2020 (`latest_net_G.pth`,
`latest_net_GComp.pth`, `latest_net_GF.pth`); and the single file in which mmagic has those three.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ModelError
from .checkpoints import checked, parts_of, read_checkpoint
from .facts import checksum
from .imported import MASK_CENTERS, Imported

if TYPE_CHECKING:
    from torch import Tensor

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
INSTCOLORIZATION_CENTER = 0.5  # of all published weights with a fusion


class Known(NamedTuple):
    """A published file of a single siggraph17 or eccv16 network."""

    file: str
    sha256: str  # its first digits where the publisher tells them in the file's name, else ""
    mask_center: float


KNOWN = (
    Known("siggraph17-df00044c.pth", "df00044c", 0.0),  # richzhang/colorization, from Caffe
    Known("colorization_release_v2-9b330a0b.pth", "9b330a0b", 0.0),  # richzhang/colorization, eccv16: no hints
    Known("caffemodel.pth", "", 0.0),  # richzhang/colorization-pytorch, from Caffe
    Known("pytorch.pth", "", 0.5),  # the same, retrained
    Known("latest_net_G.pth", "", 0.5),  # as colorization-pytorch and Su et al. name what they train
    Known("latest_net_GComp.pth", "", 0.5),
)


def import_checkpoint(
    files: Iterable[Path], *, folder: Path, name: str | None = None, mask_center: float | None = None
) -> Imported:
    """Writes the networks of one or more checkpoints to `folder`/`name`, whole or not at all.

    `name` is the kind where none is given. `mask_center` (0 or 0.5) is needed for a siggraph17 file that is recognized
    neither by its name nor by its sha256; given, it counts. Raises ModelError for files that are not plain tensors,
    not exactly one of the networks understood here, or hold values that are not finite; for a part that is missing;
    and for a name that is taken.
    """
    paths = [Path(file) for file in files]
    if not paths:
        raise ModelError("no file to import")
    if mask_center is not None and mask_center not in MASK_CENTERS:
        raise ModelError(f"mask center is 0 or 0.5, not {mask_center}")
    check_name(name)
    origin = {path.name: checksum(path) for path in paths}
    unfinished = unfinished_folder(folder)
    try:
        kind, sha256 = _write_parts(paths, unfinished)
        center = mask_center if mask_center is not None else _mask_center(kind, paths[0], origin[paths[0].name])
        weights = Imported(name or kind, kind, folder / (name or kind), float(center), sha256, origin)
        weights.write(unfinished)
        if weights.folder.exists():
            raise ModelError(f"{weights.folder}: exists already; choose another name")
        unfinished.chmod(0o755)
        unfinished.rename(weights.folder)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written to ({error.strerror or error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return weights


def _write_parts(paths: Sequence[Path], folder: Path) -> tuple[str, dict[str, str]]:
    """One safetensors file a part, one network in memory at a time; the model's kind and the files' sha256."""
    from safetensors.torch import save_file

    found: dict[str, str] = {}  # part -> kind of its network
    sha256 = {}
    for path in paths:
        for part, kind, parameters in _networks(path, alone=len(paths) == 1):
            file = folder / f"{part}.safetensors"
            if part in found:
                raise ModelError(f"{path}: a second {part} network")
            save_file(parameters, file)
            found[part], sha256[file.name] = kind, checksum(file)
    if set(found) == {"full"}:
        return found["full"], sha256
    wanted = {"full": "siggraph17", "instance": "siggraph17", "fusion": "fusion"}
    for part, kind in wanted.items():
        if part not in found:
            raise ModelError(f"{paths[0]}: the {part} network is missing; the three of Su et al. belong together")
        if found[part] != kind:
            raise ModelError(f"{paths[0]}: the {part} network is of kind {found[part]}, not {kind}")
    return "instcolorization", sha256


def _networks(path: Path, *, alone: bool) -> Iterator[tuple[str, str, dict[str, Tensor]]]:
    """Part, kind and parameters of each network in a file."""
    for part, parameters in parts_of(read_checkpoint(path)).items():
        kind, parameters = checked(parameters, f"{path} ({part})" if part else str(path))
        yield part or _part_by_name(path, kind, alone), kind, parameters


def _part_by_name(path: Path, kind: str, alone: bool) -> str:
    """Instance and full-image network differ in their values alone, so the authors' file names must tell."""
    if kind == "fusion":
        return "fusion"
    if alone or path.stem.endswith("GComp"):
        return "full"
    if path.stem.endswith("G"):
        return "instance"
    raise ModelError(f"{path}: full-image or instance network? Its name must end in GComp or G, as published")


def _mask_center(kind: str, path: Path, sha256: str) -> float:
    if kind == "instcolorization":
        return INSTCOLORIZATION_CENTER
    for known in KNOWN:
        if known.sha256 and sha256.startswith(known.sha256):
            return known.mask_center
        if path.name == known.file:
            if not sha256.startswith(known.sha256):
                raise ModelError(f"{path}: damaged or another file (sha256 {sha256[:8]}..., not {known.sha256}...)")
            return known.mask_center
    if kind == "eccv16":
        return 0.0  # takes no hints
    raise ModelError(f"{path}: not a file that is known here: give its mask center, 0 (from Caffe) or 0.5 (retrained)")


def check_name(name: str | None) -> None:
    """Raises ModelError for a name that no model can have."""
    if name is not None and not NAME.fullmatch(name):
        raise ModelError(f"{name!r}: not a model's name (lower-case letters, digits, '.', '_', '-')")


def unfinished_folder(folder: Path) -> Path:
    """A new folder inside `folder` for what is not yet whole. Raises ModelError where that cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".import-", dir=folder))
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written to ({error.strerror or error})") from error
