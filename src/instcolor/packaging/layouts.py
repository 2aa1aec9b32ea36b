"""What the parameters of others' checkpoints are called and how they are shaped; no torch.

Kinds of networks: `siggraph17`, `fusion` (a siggraph17 with the weight predictors of Su et al. 2020 beside it) and
`eccv16`. Shapes are those of torch: convolutions (out, in, k, k), transposed ones (in, out, k, k).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..errors import ModelError

Shape = tuple[int, ...]
Shapes = dict[str, Shape]

SINGLE = ("model8up", "model3short8", "model9up", "model2short9", "model10up", "model1short10", "model_class")
"""Layers that most files call `name.0` and one code base, which does not wrap single layers, calls `name`."""
UNUSED = ("weight_layerout.",)  # written by the authors' code and never read
COUNTER = ".num_batches_tracked"  # of BatchNorm; not in files of old versions of torch, of no use in any
LISTED = 3  # names of each sort that an error message lists


def _conv(name: str, *shape: int) -> Shapes:
    outputs = shape[1] if shape[2] == 4 else shape[0]  # only transposed convolutions have 4x4 kernels
    return {f"{name}.weight": shape, f"{name}.bias": (outputs,)}


def _block(name: str, c_in: int, c_out: int, count: int, *, first: int = 0) -> Shapes:
    """3x3 convolutions at every second place from `first`, then BatchNorm."""
    shapes: Shapes = {}
    for i in range(count):
        shapes |= _conv(f"{name}.{first + 2 * i}", c_out, c_in if i == 0 else c_out, 3, 3)
    norm = f"{name}.{first + 2 * count}"
    return shapes | {f"{norm}.{part}": (c_out,) for part in ("weight", "bias", "running_mean", "running_var")}


def _encoder(inputs: int) -> Shapes:
    shapes = _block("model1", inputs, 64, 2) | _block("model2", 64, 128, 2) | _block("model3", 128, 256, 3)
    for name, c_in in (("model4", 256), ("model5", 512), ("model6", 512), ("model7", 512)):
        shapes |= _block(name, c_in, 512, 3)
    return shapes


def _siggraph17() -> Shapes:
    return (
        _encoder(4)
        | _conv("model8up.0", 512, 256, 4, 4)
        | _conv("model3short8.0", 256, 256, 3, 3)
        | _block("model8", 256, 256, 2, first=1)
        | _conv("model9up.0", 256, 128, 4, 4)
        | _conv("model2short9.0", 128, 128, 3, 3)
        | _block("model9", 128, 128, 1, first=1)
        | _conv("model10up.0", 128, 128, 4, 4)
        | _conv("model1short10.0", 128, 64, 3, 3)
        | _conv("model10.1", 128, 128, 3, 3)
        | _conv("model_class.0", 529, 256, 1, 1)
        | _conv("model_out.0", 2, 128, 1, 1)
    )


def _predictors() -> Shapes:
    channels = {"": 64, "2": 128, "3": 256, "4": 512, "5": 512, "6": 512, "7": 512}
    channels |= {"8_1": 256, "8_2": 256, "9_1": 128, "9_2": 128, "10_1": 128, "10_2": 128}
    shapes: Shapes = {}
    for tap, c in channels.items():
        for stack in ("simple_instance_conv", "simple_bg_conv"):
            prefix = f"weight_layer{tap}.{stack}"
            shapes |= _conv(f"{prefix}.0", 16, c, 3, 3)
            shapes |= _conv(f"{prefix}.2", 16, 16, 3, 3)
            shapes |= _conv(f"{prefix}.4", 1, 16, 3, 3)
    return shapes


def _eccv16() -> Shapes:
    shapes = _encoder(1) | _conv("model8.0", 512, 256, 4, 4)
    shapes |= _conv("model8.2", 256, 256, 3, 3) | _conv("model8.4", 256, 256, 3, 3) | _conv("model8.6", 313, 256, 1, 1)
    return shapes | {"model_out.weight": (2, 313, 1, 1)}


LAYOUTS: dict[str, Shapes] = {
    "siggraph17": _siggraph17(),
    "fusion": _siggraph17() | _predictors(),
    "eccv16": _eccv16(),
}


def standard_name(key: str) -> str | None:
    """A parameter's name as `LAYOUTS` has it; None for what no network needs."""
    key = key.removeprefix("module.")  # of torch's DataParallel
    key = re.sub(rf"^({'|'.join(SINGLE)})\.(weight|bias)$", r"\1.0.\2", key)
    return None if key.endswith(COUNTER) or key.startswith(UNUSED) else key


def kind_of(keys: Iterable[str]) -> str | None:
    """What sort of network standard names belong to, by what only that sort has; None for none of these."""
    names = set(keys)
    if any(name.startswith("weight_layer") for name in names):
        return "fusion"
    if "model8.6.weight" in names:
        return "eccv16"
    return "siggraph17" if any(name.startswith("model8up.") for name in names) else None


def check_shapes(shapes: Mapping[str, Shape], kind: str, source: str) -> None:
    """Raises ModelError, with what differs, where names or shapes are not exactly those of the kind."""
    expected = LAYOUTS[kind]
    differing = [
        f"{key} is {_text(shapes[key])}, not {_text(expected[key])}"
        for key in expected
        if key in shapes and tuple(shapes[key]) != expected[key]
    ]
    parts = [
        _list("missing ", [key for key in expected if key not in shapes]),
        _list("unknown ", [key for key in shapes if key not in expected]),
        _list("", differing),
    ]
    if any(parts):
        raise ModelError(f"{source}: not the parameters of a {kind} network: {'; '.join(filter(None, parts))}")


def _text(shape: Shape) -> str:
    return "x".join(str(side) for side in shape) or "a single number"


def _list(title: str, items: list[str]) -> str:
    more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return title + ", ".join(repr(item)[1:-1][:120] for item in items[:LISTED]) + more if items else ""
