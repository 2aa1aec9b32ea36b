"""Imported weights on the disk: a folder with one safetensors file a part, and a TOML of facts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..errors import ModelError
from .facts import checksum, write_facts

FACTS = "weights.toml"
KINDS = {  # kind of a model -> its parts, each in a file of its own
    "siggraph17": ("full",),
    "eccv16": ("full",),
    "instcolorization": ("full", "instance", "fusion"),
}
MASK_CENTERS = (0.0, 0.5)


@dataclass(frozen=True)
class Imported:
    """The facts of imported weights."""

    name: str
    kind: str  # one of KINDS
    folder: Path
    mask_center: float  # what was taken from the hint mask when the weights were trained
    sha256: dict[str, str]  # of each file
    origin: dict[str, str]  # file that was imported -> its sha256

    def path(self, part: str) -> Path:
        """The file of a part (`full`, `instance`, `fusion`)."""
        return self.folder / f"{part}.safetensors"

    def write(self, folder: Path) -> None:
        """Writes the facts into a folder."""
        tables = {"sha256": dict(sorted(self.sha256.items())), "origin": dict(sorted(self.origin.items()))}
        write_facts(folder / FACTS, {"name": self.name, "kind": self.kind, "mask_center": self.mask_center} | tables)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The facts in a folder. Raises ModelError: missing, senseless, or a file of weights is not the one named."""
        path = folder / FACTS
        try:
            facts: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            weights = cls(folder=folder, **facts)
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{path}: not the facts of imported weights ({str(error).splitlines()[0]})") from error
        if weights.kind not in KINDS or weights.mask_center not in MASK_CENTERS:
            raise ModelError(f"{path}: unknown kind or mask center")
        for part in KINDS[weights.kind]:
            file = weights.path(part)
            if checksum(file) != weights.sha256.get(file.name):
                raise ModelError(f"{file}: damaged (its sha256 is not the one in {FACTS})")
        return weights
