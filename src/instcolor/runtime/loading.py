"""A model's folder to the class that runs it, by the kind of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..inputs import Canvas, Sizes
from .blending import BlendedModel, Network
from .external import ExternalNetwork
from .instcolorization import InstColorizationModel
from .model import Answer, ColorModel, Graph, OnnxModel, Plane


def open_model(
    kind: str,
    folder: Path,
    sizes: Sizes,
    *,
    network: Mapping[str, Any] | None = None,
    threads: int | None = None,
) -> ColorModel:
    """The networks in a folder.

    `kind` is "lite" (photo.onnx and objects.onnx), "instcolorization" (full.onnx, objects.onnx, photo.onnx),
    "siggraph17" or "eccv16" (photo.onnx), or "external" (photo.onnx). Of `sizes` side, instance size and multiple
    count; the kind says whether photos are squashed and what crops show. `network` holds what more a kind wants to
    know: the `mode` of an instcolorization's fusion, what `external.Facts` names. Raises ModelError.
    """
    photo = folder / "photo.onnx"
    if kind == "lite":
        return OnnxModel(photo, folder / "objects.onnx", sizes, threads=threads)
    if sizes.side % sizes.multiple or sizes.instance_size % sizes.multiple:
        named = f"side {sizes.side} or instance size {sizes.instance_size}"
        raise ModelError(f"{folder}: {named} is no multiple of {sizes.multiple}")
    if kind == "instcolorization":
        mode = (network or {}).get("mode", "reference")
        if mode not in ("masked", "reference"):
            raise ModelError(f"{folder}: mode is masked or reference, not {mode!r}")
        return InstColorizationModel(folder, sizes, mode=mode, threads=threads)
    if kind in ("siggraph17", "eccv16"):
        whole: Network = GraphNetwork(photo, threads)
    elif kind == "external":
        whole = ExternalNetwork(photo, network or {}, threads)
    else:
        raise ModelError(f"{folder}: no model is of kind {kind!r}")
    return BlendedModel(whole, replace(sizes, squash=True))


class GraphNetwork:
    """One graph that takes L, or all of a `Canvas`, and gives ab and logits. Thread-safe."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._graph = Graph(path, threads, {"L"}, {"ab", "logits"})

    def __call__(self, picture: Canvas[Plane]) -> Answer:
        return self._graph.answer(picture._asdict())
