"""The page from the paper to the code: every file that it links exists, and holds what the link is called."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from support.places import ROOT

PAGES = ROOT / "docs"
LINK = re.compile(r"\[([^\]]+)\]\(([^)#]+)\)")
NAMED = sorted(
    {
        (name.strip("`"), path)
        for page in ("paper.md", "detectors.md")
        for name, path in LINK.findall((PAGES / page).read_text(encoding="utf-8"))
        if not path.startswith("https://")
    }
)


@cache
def defined(path: Path) -> set[str]:
    """Functions, classes and values of a module, and those of its classes as `Class.name`."""
    names = set()

    def collect(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(prefix + node.name)
            if isinstance(node, ast.ClassDef):
                collect(node.body, f"{prefix}{node.name}.")
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                collect(node.body, prefix)
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if isinstance(target, ast.Name):
                    names.add(prefix + target.id)
                elif isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                    names.add(prefix + target.attr)

    collect(ast.parse(path.read_text(encoding="utf-8")).body, "")
    return names


@pytest.mark.parametrize(("name", "path"), NAMED)
def test_what_the_page_links_exists(name: str, path: str) -> None:
    target = (PAGES / path).resolve()
    assert target.is_file(), f"{path} does not exist"
    if target.suffix == ".py":
        assert name in defined(target), f"{path} has no {name}"
    else:
        assert target.name == name.rpartition("/")[2]


def test_the_page_leads_to_every_part_of_the_paper() -> None:
    linked = {name for name, _ in NAMED}
    assert len(NAMED) > 80
    assert {"fuse", "Merger.merged", "MaskRcnn", "FullStage", "InstanceStage", "FusionStage", "SmoothL1"} <= linked
    assert {"psnr", "ssim", "ShiftTolerantLpips", "Siggraph17", "instance_features"} <= linked


def test_a_name_that_is_gone_would_be_noticed(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "LIMIT = 8\nclass A:\n    x: int = 1\n    def __init__(self):\n        self.y = 2\n    def f(self): pass\n"
    )
    assert defined(module) == {"LIMIT", "A", "A.x", "A.__init__", "A.y", "A.f"}
