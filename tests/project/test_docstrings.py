"""What is public in the package says what it is: shapes, units, errors and sources stand in docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from support.places import ROOT

MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "src" / "instcolor").rglob("*.py"))
}
CLASSES = {
    node.name: node for module in MODULES.values() for node in ast.walk(module) if isinstance(node, ast.ClassDef)
}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(parent: ast.Module | ast.ClassDef) -> list[Definition]:
    """What is defined in a module or a class, under conditions too; of a property and its setter the property."""
    nodes = [n for node in parent.body for n in (ast.walk(node) if isinstance(node, ast.If | ast.Try) else (node,))]
    found = [node for node in nodes if isinstance(node, Definition)]
    return [n for n in found if not any(ast.unparse(d).endswith((".setter", "overload")) for d in n.decorator_list)]


def bases(of: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in of.bases]


def above(of: ast.ClassDef) -> Iterator[ast.ClassDef]:
    """The classes of ours that a class is made of, itself first."""
    yield of
    for base in bases(of):
        if base != "Protocol" and base in CLASSES and CLASSES[base] is not of:
            yield from above(CLASSES[base])


def members(of: ast.ClassDef) -> set[str]:
    """Names of methods and declared attributes."""
    return {
        node.name if isinstance(node, Definition) else ast.unparse(node.target)
        for part in above(of)
        for node in part.body
        if isinstance(node, Definition | ast.AnnAssign)
    }


PROTOCOLS = [node for node in CLASSES.values() if "Protocol" in bases(node) and definitions(node)]


def silent(place: str, parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    """The public definitions without a docstring. A method has that of the one that it overrides or fulfills."""
    told = set[str]()
    if isinstance(parent, ast.ClassDef):
        kinds = [*above(parent), *(p for p in PROTOCOLS if p is not parent and members(p) <= members(parent))]
        told = {node.name for kind in kinds for node in definitions(kind) if ast.get_docstring(node)}
    for node in definitions(parent):
        if not node.name.startswith("_"):
            if not ast.get_docstring(node) and node.name not in told:
                yield f"{place}:{node.lineno}: {node.name}"
            if isinstance(node, ast.ClassDef):
                yield from silent(place, node)


def test_everything_public_has_a_docstring() -> None:
    assert "src/instcolor/colorizer.py" in MODULES or "src/instcolor/colorizer/__init__.py" in MODULES
    without = [place for place, module in MODULES.items() if not ast.get_docstring(module)]
    without += [fault for place, module in MODULES.items() for fault in silent(place, module)]
    assert not without, "\n".join(without)
