"""The models at hand: one folder each, with a TOML of facts, a card in Markdown and the ONNX files."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError

PACKAGED = Path(__file__).parent
DEFAULT = "lite"


@dataclass(frozen=True)
class ModelEntry:
    """A model's facts as its `model.toml` states them."""

    name: str
    folder: Path
    summary: str
    license: str
    side: int  # working side of the whole photo: its area is about side x side
    instance_size: int  # side of the objects' crops
    multiple: int
    sha256: dict[str, str]  # of each file

    @property
    def card(self) -> Path:
        return self.folder / "card.md"

    @property
    def size(self) -> int:
        """Bytes of the files together."""
        return sum((self.folder / file).stat().st_size for file in self.sha256)

    def verify(self) -> None:
        """Raises ModelError where a file is missing or is not the one that the TOML names."""
        for file, expected in self.sha256.items():
            path = self.folder / file
            if not path.is_file():
                raise ModelError(f"{path}: model file is missing")
            with path.open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != expected:
                    raise ModelError(f"{path}: model file is damaged (its sha256 is not the expected one)")


def models(folder: Path = PACKAGED) -> Iterator[ModelEntry]:
    """Every model that the folder holds, by name."""
    for path in sorted(folder.glob("*/model.toml")):
        yield _read(path)


def find(name: str = DEFAULT, folder: Path = PACKAGED) -> ModelEntry:
    """The model of that name, from the table and never as a path; ModelError where there is none."""
    known = {entry.name: entry for entry in models(folder)}
    if name not in known:
        raise ModelError(f"{name}: no such model; known are {', '.join(known) or 'none'}")
    return known[name]


def _read(path: Path) -> ModelEntry:
    try:
        facts: dict[str, Any] = tomllib.loads(path.read_text())
        return ModelEntry(folder=path.parent, **facts)
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise ModelError(f"{path}: not a model's facts ({str(error).splitlines()[0]})") from None
