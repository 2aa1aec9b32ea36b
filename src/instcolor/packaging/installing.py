"""Somebody else's files to a model of the registry: checkpoints are exported, ONNX files are taken as they are."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError
from ..inputs import Canvas
from ..models import registry
from ..runtime.external import ExternalNetwork
from .facts import checksum, checksums, write_facts
from .imported import Imported
from .importing import check_name, import_checkpoint, unfinished_folder

SIDE = 256  # that the published networks were trained at
MULTIPLE = 8
EXTERNAL = ("side", "summary", "license", "multiple")  # beside "network", what the facts of an ONNX file may say
LICENSE = "see its origin"
CARDS = {
    "siggraph17": "Real-Time User-Guided Image Colorization with Learned Deep Priors (Zhang et al., SIGGRAPH 2017)",
    "eccv16": "Colorful Image Colorization (Zhang et al., ECCV 2016)",
    "instcolorization": "Instance-aware Image Colorization (Su et al., CVPR 2020)",
}


def install(
    files: Sequence[Path], *, folder: Path, name: str | None = None, mask_center: float | None = None
) -> registry.ModelEntry:
    """Makes a model of checkpoints, or of an ONNX file and the TOML that tells of it; `folder`/`name`, all or nothing.

    Of checkpoints see `importing.import_checkpoint`. The TOML has `side`, may have `summary`, `license`, `multiple`,
    and in its table `network` what `runtime.external.Facts` names. Raises ModelError.
    """
    kinds = sorted(path.suffix.lower() for path in files)
    if ".onnx" in kinds or ".toml" in kinds:
        if kinds != [".onnx", ".toml"]:
            raise ModelError("an ONNX file goes with the one TOML that tells of it, and with nothing else")
        if mask_center is not None:
            raise ModelError("an ONNX file has no mask center")
        graph, facts = sorted(files, key=lambda path: path.suffix.lower())
        called = graph.stem.lower() if name is None else name
        return _whole(folder, called, lambda place: _external(graph, facts, place / called))
    return _whole(folder, name, lambda place: _checkpoint(files, place, name, mask_center))


def _whole(folder: Path, name: str | None, make: Callable[[Path], Path]) -> registry.ModelEntry:
    """Has a model made in a hidden folder, then gives it its place."""
    check_name(name)
    if name in registry.names():
        raise ModelError(f"{name}: there is a model of this name; choose another with --name")
    unfinished = unfinished_folder(folder)
    try:
        made = make(unfinished)
        if made.name in registry.names():
            raise ModelError(f"{made.name}: there is a model of this name; choose another with --name")
        made.rename(folder / made.name)
        return registry.find(made.name)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written to ({error.strerror or error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _checkpoint(files: Sequence[Path], place: Path, name: str | None, mask_center: float | None) -> Path:
    from ..networks.siggraph17_fusion import InstColorization
    from .loading import load_networks
    from .siggraph17 import export_instcolorization, export_network

    weights = import_checkpoint(files, folder=place, name=name, mask_center=mask_center)
    networks = load_networks(weights)
    if isinstance(networks, InstColorization):
        export_instcolorization(networks, weights.folder)
    else:
        export_network(networks, weights.folder / "photo.onnx")
    summary = f"{weights.kind}, imported from {', '.join(sorted(weights.origin))}"
    _describe(weights.folder, weights.kind, summary, _card(weights))
    return weights.folder


def _external(graph: Path, facts: Path, place: Path) -> Path:
    try:
        told: dict[str, Any] = tomllib.loads(facts.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{facts}: not the facts of a network ({str(error).splitlines()[0]})") from error
    network = told.pop("network", {})
    unknown = sorted(set(told) - set(EXTERNAL))
    if unknown:
        raise ModelError(
            f"{facts}: {unknown[0]} is no fact of a network; known are {', '.join(EXTERNAL)} and [network]"
        )
    if "side" not in told:
        raise ModelError(f"{facts}: side is missing (pixels of the square that the network takes)")
    if not all(type(told.get(key, 1)) is int and told.get(key, 1) > 0 for key in ("side", "multiple")):
        raise ModelError(f"{facts}: side and multiple are not positive whole numbers")
    if not isinstance(network, dict):
        raise ModelError(f"{facts}: network is not a table")
    _try(graph, network, told["side"])
    origin = checksum(graph)
    place.mkdir()
    shutil.copyfile(graph, place / "photo.onnx")
    summary = told.pop("summary", f"imported from {graph.name}")
    card = f"# {place.name}\n\n{summary}\n\nTaken as it is from `{graph.name}` (sha256 {origin}).\n"
    _describe(place, "external", summary, card, {"multiple": 1, **told}, network)
    return place


def _try(graph: Path, network: Mapping[str, Any], side: int) -> None:
    """Colors a gray square. Raises ModelError where that fails, or gives what are no colors."""
    square = Canvas(*(np.full((1, c, side, side), v, np.float32) for c, v in ((1, 50), (2, 0), (1, 0))))
    if not np.isfinite(ExternalNetwork(graph, network)(square).ab).all():
        raise ModelError(f"{graph}: its answer is not finite")


def _describe(
    place: Path,
    kind: str,
    summary: str,
    card: str,
    facts: Mapping[str, Any] | None = None,
    network: Mapping[str, Any] | None = None,
) -> None:
    """Writes model.toml and card.md beside the ONNX files."""
    sizes = {"side": SIDE, "multiple": MULTIPLE, "license": LICENSE} | dict(facts or {})
    told = {"name": place.name, "kind": kind, "summary": summary, **sizes, "instance_size": sizes["side"]}
    sums = checksums(place / file for file in registry.KINDS[kind])
    write_facts(place / registry.FACTS, told | {"sha256": sums, "network": network or {}})
    (place / "card.md").write_text(card, encoding="utf-8")


def _card(weights: Imported) -> str:
    lines = [f"# {weights.name}", "", f"Weights of: {CARDS[weights.kind]}.", "", "Imported from:", ""]
    lines += [f"- `{file}`, sha256 {digest}" for file, digest in sorted(weights.origin.items())]
    lines += [
        "",
        f"Mask center {weights.mask_center}. The license is that of the origin; this package does not know it.",
    ]
    return "\n".join(lines) + "\n"
