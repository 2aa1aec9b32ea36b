"""What the parameters of others' checkpoints are called and how they are shaped.

Kinds of networks: `siggraph17`, `fusion` (a siggraph17 with the weight predictors of Su et al. 2020 beside it) and
`eccv16`. Shapes are those of torch: convolutions (out, in, k, k), transposed ones (in, out, k, k).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from ..errors import ModelError

Shape = tuple[int, ...]
Shapes = dict[str, Shape]

SINGLE = ("model8up", "model3short8", "model9up", "model2short9", "model10up", "model1short10", "model_class")
"""Layers that most files call `name.0` and one code base, which does not wrap single layers, calls `name`."""
UNUSED = ("weight_layerout.",)  # written by the authors' code and never read
COUNTER = ".num_batches_tracked"  # of BatchNorm; not in files of old versions of torch, of no use in any
LISTED = 3  # names of each sort that an error message lists


@cache
def layout(kind: str) -> Shapes:
    """Name and shape of every parameter of a kind of network, as its definition has them, without step counters."""
    import torch

    from ..networks.eccv16 import Eccv16
    from ..networks.siggraph17 import Siggraph17
    from ..networks.siggraph17_fusion import Siggraph17Fusion

    definitions = {"siggraph17": (Siggraph17,), "fusion": (Siggraph17, Siggraph17Fusion), "eccv16": (Eccv16,)}
    with torch.device("meta"):  # shapes without memory
        states = [definition().state_dict() for definition in definitions[kind]]
    return {key: tuple(v.shape) for state in states for key, v in state.items() if not key.endswith(COUNTER)}


def standard_name(key: str) -> str | None:
    """A parameter's name as `layout` has it; None for what no network needs."""
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
    expected = layout(kind)
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
