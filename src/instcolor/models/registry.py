"""The models at hand: one folder each, with a TOML of facts, a card in Markdown and the ONNX files.

A model is called as its folder. Folders are looked for in the package first, then where the user keeps more of them,
then in other installed packages: an entry point of the group `instcolor.models` names a function without arguments that
gives a folder of such folders. Of two of one name the first counts, so that nothing outside can pass for the package's.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..files import sha256_of

PACKAGED = Path(__file__).parent
DEFAULT = "lite"
DETECTOR, MASKS, FACES = "detector", "masks", "faces"  # what the package finds objects with, and their kinds
FINDERS = (DETECTOR, MASKS, FACES)
FACTS = "model.toml"
ENTRY_POINTS = "instcolor.models"
SHORT = 12  # digits of a sha256 that results carry
KINDS = {  # kind of a model -> its ONNX files, as `runtime.loading` opens them
    "lite": ("photo.onnx", "objects.onnx"),
    "instcolorization": ("full.onnx", "objects.onnx", "photo.onnx"),
    "siggraph17": ("photo.onnx",),
    "eccv16": ("photo.onnx",),
    "external": ("photo.onnx",),
    **{kind: (f"{kind}.onnx",) for kind in FINDERS},
}


@dataclass(frozen=True)
class ModelEntry:
    """A model's facts as its `model.toml` states them."""

    name: str
    folder: Path
    summary: str
    license: str
    side: int  # working side of the whole photo: its area is about side x side
    multiple: int
    sha256: dict[str, str]  # of each file
    instance_size: int = 0  # side of the objects' crops; only what colors nothing makes none
    kind: str = "lite"  # one of KINDS
    network: dict[str, Any] = field(default_factory=dict)  # what more its kind wants to know, see `runtime.loading`

    @property
    def is_finder(self) -> bool:
        """Whether it finds objects, or their outlines, and colors nothing."""
        return self.kind in FINDERS

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the ONNX files."""
        return KINDS[self.kind]

    @property
    def weights(self) -> str:
        """Which weights these are, in a few words: the files with the first digits of their sha256."""
        return " ".join(f"{file} {digest[:SHORT]}" for file, digest in sorted(self.sha256.items()))

    def card(self) -> str:
        """What there is to know about the model, in Markdown. Raises ModelError."""
        path = self.folder / "card.md"
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: cannot be read ({error})") from error

    @property
    def size(self) -> int:
        """Bytes of the files together. Raises ModelError where one is missing."""
        try:
            return sum((self.folder / file).stat().st_size for file in self.sha256)
        except OSError as error:
            raise ModelError(f"{error.filename}: model file is missing") from error

    def verify(self) -> None:
        """Raises ModelError where a file is missing or is not the one that the TOML names."""
        for file, expected in self.sha256.items():
            path = self.folder / file
            try:
                found = sha256_of(path)
            except FileNotFoundError as error:
                raise ModelError(f"{path}: model file is missing") from error
            except OSError as error:
                raise ModelError(f"{path}: model file cannot be read ({error.strerror or error})") from error
            if found != expected:
                raise ModelError(f"{path}: model file is damaged (its sha256 is not the expected one)")


def user_folder() -> Path:
    """Where the user's own models are: the environment's INSTCOLOR_MODELS, else a folder in the platform's cache."""
    if given := os.environ.get("INSTCOLOR_MODELS"):
        return Path(given)
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        cache = home / "Library" / "Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return cache / "instcolor" / "models"


def detectors_folder() -> Path:
    """Where downloaded detectors are, NAME.onnx each."""
    return user_folder() / "detectors"


def names() -> list[str]:
    """Names of all models at hand, damaged ones too. Raises ModelError."""
    return sorted({path.parent.name for path in _facts()})


def find(name: str = DEFAULT) -> ModelEntry:
    """The model of that name, never taken as a path. ModelError where there is none or its TOML is bad."""
    path = next((path for path in _facts() if path.parent.name == name), None)
    if path is None:
        raise ModelError(f"{name}: no such model; known are {', '.join(names()) or 'none'}")
    return _read(path)


def _facts() -> Iterator[Path]:
    """The TOML of every model, those that count first."""
    for folder in _folders():
        yield from folder.glob(f"*/{FACTS}")


def _folders() -> Iterator[Path]:
    """Where models lie, in the order in which they count. Raises ModelError where another package fails to say it."""
    yield PACKAGED
    yield user_folder()
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS):
        try:
            yield Path(point.load()())
        except Exception as error:  # whatever a stranger's package does
            raise ModelError(f"{point.value}: names no folder of models ({error})") from error


def _read(path: Path) -> ModelEntry:
    try:
        facts: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        entry = ModelEntry(folder=path.parent, **facts)
    except (OSError, ValueError, TypeError) as error:  # ValueError: no TOML, or no text at all
        raise ModelError(f"{path}: not a model's facts ({str(error).splitlines()[0]})") from error
    if entry.name != path.parent.name:
        raise ModelError(f"{path}: the model is called {entry.name!r}, its folder {path.parent.name!r}")
    if not isinstance(entry.kind, str) or entry.kind not in KINDS:
        raise ModelError(f"{path}: no model is of kind {entry.kind!r}; known are {', '.join(KINDS)}")
    numbers = (entry.side, entry.multiple, *(() if entry.is_finder else (entry.instance_size,)))
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ModelError(f"{path}: side, instance_size and multiple are not positive whole numbers")
    if not isinstance(entry.sha256, dict) or not set(entry.files) <= set(entry.sha256):
        raise ModelError(f"{path}: sha256 does not name {' and '.join(entry.files)}")
    if not isinstance(entry.network, dict):
        raise ModelError(f"{path}: network is not a table")
    return entry
