"""A stand-in of `comfy_api.latest`: what the V3 schema documents of nodes, their inputs and outputs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any


class Part:
    """An input or output: its kind and what was said of it."""

    def __init__(self, kind: str, id: str = "", **told: Any):
        self.kind, self.id, self.told = kind, id, told


def _kind(name: str) -> SimpleNamespace:
    def given(id: str, **told: Any) -> Part:
        return Part(name, id, **told)

    def made(**told: Any) -> Part:
        return Part(name, **told)

    return SimpleNamespace(Input=given, Output=made)


class Schema:
    def __init__(self, *, node_id: str, display_name: str, category: str, inputs: list[Part], outputs: list[Part]):
        self.node_id, self.display_name, self.category = node_id, display_name, category
        self.inputs, self.outputs = inputs, outputs


class NodeOutput(tuple[Any, ...]):
    def __new__(cls, *values: Any) -> NodeOutput:
        return super().__new__(cls, values)


def _module() -> ModuleType:
    latest = ModuleType("comfy_api.latest")
    kinds = {name: _kind(name) for name in ("Image", "Mask", "String", "Int", "Float", "Combo")}
    node = type("ComfyNode", (), {})
    io = SimpleNamespace(ComfyNode=node, Schema=Schema, NodeOutput=NodeOutput, Custom=_kind, **kinds)
    vars(latest).update(io=io, ComfyExtension=type("ComfyExtension", (), {}))
    return latest


@contextmanager
def stand_in() -> Iterator[None]:
    """`from comfy_api.latest import ComfyExtension, io` finds the stand-in."""
    names = ("comfy_api", "comfy_api.latest")
    before = {name: sys.modules.get(name) for name in names}
    sys.modules.update({"comfy_api": ModuleType("comfy_api"), "comfy_api.latest": _module()})
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
