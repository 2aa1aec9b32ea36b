"""Imported weights as torch networks, and as a color model to be evaluated beside ours."""

from __future__ import annotations

from pathlib import Path

from ..networks.eccv16 import Eccv16
from ..networks.siggraph17 import Siggraph17
from ..networks.siggraph17_fusion import InstColorization, Mode
from ..torch_models.imported import ThreeNetworks, WholePhoto
from ..torch_models.weights import load_weights, read_weights
from .imported import Imported


def load_imported(folder: Path) -> WholePhoto | ThreeNetworks:
    """The networks of a folder of imported weights. Raises ModelError."""
    networks = load_networks(Imported.read(folder))
    return ThreeNetworks(networks) if isinstance(networks, InstColorization) else WholePhoto(networks)


def load_networks(weights: Imported, mode: Mode = "reference") -> Siggraph17 | Eccv16 | InstColorization:
    """The networks of imported weights, ready to color; `mode` is that of the fusion, if there is one.

    Raises ModelError where a file is damaged or another network's.
    """
    if weights.kind != "instcolorization":
        network = Eccv16() if weights.kind == "eccv16" else Siggraph17(weights.mask_center)
        load_weights(network, weights.path("full"))
        return network.eval()
    networks = InstColorization(mode, weights.mask_center)
    load_weights(networks.full, weights.path("full"))
    load_weights(networks.instance, weights.path("instance"))
    fusion = read_weights(weights.path("fusion"))
    predictors = {name: value for name, value in fusion.items() if name.startswith("weight_layer")}
    load_weights(networks.fusion, weights.path("fusion"), predictors)
    trunk = {name: value for name, value in fusion.items() if name not in predictors}
    load_weights(networks.trunk, weights.path("fusion"), trunk)
    return networks.eval()
