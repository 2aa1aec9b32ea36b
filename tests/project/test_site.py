"""The docs' site (mkdocs.yml, tools/site.py), and the lines that the docs offer to other programs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from PIL import Image

from support.places import EXAMPLES, ROOT, SOURCE

DOCS = ROOT / "docs"
PHOTO = EXAMPLES / "cameraman.jpg"


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = spec_from_file_location("site_hooks", ROOT / "tools" / "site.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(site: ModuleType, markdown: str, name: str = "page.md") -> str:
    page = SimpleNamespace(file=SimpleNamespace(src_uri=name))
    answer: str = site.on_page_markdown(markdown, page, SimpleNamespace(repo_url="https://host/owner/project"))
    return answer


def test_links_out_of_the_docs_lead_to_files_of_the_repository(site: ModuleType) -> None:
    for path in DOCS.glob("*.md"):
        assert "](../" not in shown(site, path.read_text(), path.name)
    assert shown(site, "[c](../NOTICE#x)") == "[c](https://host/owner/project/blob/main/NOTICE#x)"
    with pytest.raises(ValueError, match=r"page\.md: no such file: none\.py"):
        shown(site, "[c](../none.py)")


def test_every_command_is_in_the_reference(site: ModuleType) -> None:
    page = shown(site, (DOCS / "command-line.md").read_text())
    for command in ("colorize", "detect", "evaluate", "models import", "plugin install", "serve", "train"):
        assert f"## instcolor {command}\n\n```text\nUsage: instcolor {command} " in page


def lines(section: str, language: str) -> str:
    """The code of a section of the page for other programs."""
    page = (DOCS / "other-programs.md").read_text()
    found = re.search(rf"^## {section}.*?^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found, section
    return found[1]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A search path whose first `instcolor` is this one."""
    command = tmp_path / "bin" / "instcolor"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m instcolor "$@"\n')
    command.chmod(0o755)
    shutil.copy(PHOTO, tmp_path / "old photo.jpg")
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HOME": str(tmp_path), "PYTHONPATH": str(SOURCE.parent)}


@pytest.mark.parametrize(("section", "result"), [("digiKam", "out.jpg"), ("Nautilus", "old photo-color.jpg")])
def test_shell_lines_for_other_programs_color_a_photo(
    section: str, result: str, environment: dict[str, str], tmp_path: Path
) -> None:
    script = "\n".join(line for line in lines(section, "sh").splitlines() if not line.startswith("#!"))
    files = {"INPUT": "old photo.jpg", "OUTPUT": "out.jpg"}
    subprocess.run(["sh", "-c", script, "sh", "old photo.jpg"], cwd=tmp_path, env=environment | files, check=True)
    with Image.open(tmp_path / result) as colored, Image.open(PHOTO) as photo:
        assert colored.mode == "RGB"
        assert colored.size == photo.size


def test_darktables_storage_colors_what_is_exported(environment: dict[str, str], tmp_path: Path) -> None:
    lua = shutil.which("lua") or pytest.skip("Lua is not installed")
    program = f"""
        local kept
        package.preload["darktable"] = function()
          return {{print = error, register_storage = function(_, _, store) kept = store end}}
        end
        load([==[{lines("darktable", "lua")}]==])()
        kept(nil, {{path = "{tmp_path}", filename = "raw.dng"}}, nil, "{tmp_path}/old photo.jpg")
    """
    subprocess.run([lua, "-"], input=program, text=True, env=environment, check=True)
    assert (tmp_path / "colored" / "old photo.jpg").exists()
