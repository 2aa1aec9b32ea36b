"""Imported weights as a color model, to be evaluated beside ours."""

from __future__ import annotations

from pathlib import Path

from ..networks.siggraph17_fusion import InstColorization
from ..torch_models.imported import ThreeNetworks, WholePhoto
from .export_siggraph17 import load_networks
from .importing import read_weights


def load_imported(folder: Path) -> WholePhoto | ThreeNetworks:
    """The networks of a folder of imported weights. Raises ModelError."""
    networks = load_networks(read_weights(folder))
    return ThreeNetworks(networks) if isinstance(networks, InstColorization) else WholePhoto(networks)
