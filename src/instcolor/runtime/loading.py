"""A model's folder to the class that runs it, by the kind of the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .blending import BlendedModel, Network, Plane
from .external import ExternalNetwork
from .instcolorization import InstColorizationModel
from .model import PHOTO_INPUTS, Answer, ColorModel, Graph, OnnxModel, channels_last


def open_model(
    kind: str,
    folder: Path,
    *,
    side: int,
    instance_size: int,
    multiple: int,
    network: Mapping[str, Any] | None = None,
    threads: int | None = None,
) -> ColorModel:
    """The networks in a folder.

    `kind` is "lite" (photo.onnx and objects.onnx), "instcolorization" (full.onnx, objects.onnx, photo.onnx),
    "siggraph17" or "eccv16" (photo.onnx), or "external" (photo.onnx). `network` holds what more a kind wants to know:
    the `mode` of an instcolorization's fusion, what `external.Facts` names. Raises ModelError.
    """
    photo = folder / "photo.onnx"
    if kind == "lite":
        return OnnxModel(
            photo,
            folder / "objects.onnx",
            side=side,
            instance_size=instance_size,
            multiple=multiple,
            threads=threads,
        )
    if side % multiple or instance_size % multiple:
        raise ModelError(f"{folder}: side {side} or instance size {instance_size} is no multiple of {multiple}")
    if kind == "instcolorization":
        mode = (network or {}).get("mode", "reference")
        if mode not in ("masked", "reference"):
            raise ModelError(f"{folder}: mode is masked or reference, not {mode!r}")
        return InstColorizationModel(
            folder, side=side, instance_size=instance_size, multiple=multiple, mode=mode, threads=threads
        )
    if kind in ("siggraph17", "eccv16"):
        whole: Network = GraphNetwork(photo, threads)
    elif kind == "external":
        whole = ExternalNetwork(photo, network or {}, threads)
    else:
        raise ModelError(f"{folder}: no model is of kind {kind!r}")
    return BlendedModel(whole, side=side, instance_size=instance_size, multiple=multiple)


class GraphNetwork:
    """One graph with the inputs that `BlendedModel` has (L, or all three) and with ab and logits. Thread-safe."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._graph = Graph(path, threads, {"L"}, {"ab", "logits"})

    def __call__(self, L: Plane, hint_ab: Plane, hint_mask: Plane) -> Answer:
        planes = dict(zip(PHOTO_INPUTS, (L, hint_ab, hint_mask), strict=True))
        feeds = {name: plane for name, plane in planes.items() if name in self._graph.inputs}
        ab, logits = self._graph.run(["ab", "logits"], feeds)
        return Answer(channels_last(ab), channels_last(logits))
