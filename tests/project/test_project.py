"""The house itself: commands, examples, public names, and the one-way order of the rooms."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import instcolor
from support.places import EXAMPLES as PHOTOS
from support.places import ROOT, SOURCE

MODULES = sorted(SOURCE.rglob("*.py"))
PUBLIC = [
    "BoxesError",
    "Colorizer",
    "DetectedObject",
    "Detector",
    "DetectorError",
    "Hints",
    "InstcolorError",
    "Look",
    "ModelError",
    "Photo",
    "PhotoError",
    "load_detector",
    "read_boxes",
]
WORKSHOPS = ("networks", "torch_models", "packaging", "training", "evaluation")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fenced(text: str, language: str) -> list[str]:
    """The lines inside the ``` blocks of a language."""
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)).splitlines()


# Commands


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_on_a_page_is_a_target(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", read(page), re.MULTILINE))
    commands = {first or second for first, second in named}
    assert commands
    assert commands <= targets


def test_ci_lints_before_it_tests_and_can_be_run() -> None:
    lines = read(".ci/run").splitlines()
    assert lines.index("make lint") < lines.index("make test")
    assert "set -euo pipefail" in lines
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.fixture
def recipe() -> Callable[..., str]:
    """What make would run for its arguments."""
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    def dry_run(*arguments: str) -> str:
        command = ["make", "--dry-run", "--directory", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    return dry_run


def test_make_colorize_finds_the_objects_of_the_examples_by_itself(recipe: Callable[..., str]) -> None:
    commands = recipe("colorize")
    assert "instcolor colorize examples/photos --overwrite" in commands
    assert "--boxes" not in commands
    assert "--detector" not in commands
    assert '--out "colorized"' in commands
    assert "torch" not in commands


def test_make_colorize_takes_folders_with_spaces(recipe: Callable[..., str]) -> None:
    commands = recipe("colorize", "PHOTOS=my album", "OUT=in color")
    assert 'instcolor colorize "my album" --out "in color"' in commands
    assert "--overwrite" not in commands


def test_make_test_passes_its_arguments_to_pytest(recipe: Callable[..., str]) -> None:
    assert "python -m pytest -k boxes" in recipe("test", "PYTEST_ARGS=-k boxes")


def test_makefile_runs_only_files_that_exist() -> None:
    for path in re.findall(r"(?:benchmarks|tools)/\w+\.py", read("Makefile")):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_page_that_is_linked_exists(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", read(page)):
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_every_test_that_the_threat_table_names_exists() -> None:
    threats = read("SECURITY.md").split("## Files of others")[0]
    rows = [line for line in threats.splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        named = re.findall(r"`((?:\w+/)*test_\w+\.py)::(test_\w+)`", row)
        assert named, row
        for file, test in named:
            assert f"def {test}(" in read(f"tests/{file}"), f"{file}::{test}"


# Examples


def sources() -> dict[str, str]:
    """From the file name of a photo to its row in SOURCES.md."""
    rows = re.findall(r"^\| `([^`]+\.jpg)` (\|.*)$", (PHOTOS / "SOURCES.md").read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows)


def test_every_example_is_listed_with_a_free_license_and_nothing_else_is() -> None:
    rows = sources()
    assert set(rows) == {path.name for path in PHOTOS.glob("*.jpg")}
    for name, row in rows.items():
        license = row.split("|")[3]
        assert "CC0" in license or "public domain" in license, name


def test_examples_stay_small() -> None:
    assert sum(path.stat().st_size for path in PHOTOS.iterdir()) < 3_000_000


@pytest.mark.parametrize("path", sorted(PHOTOS.glob("*.jpg")), ids=lambda path: path.stem)
def test_examples_hold_no_color_but_the_tint_of_old_paper(path: Path) -> None:
    with Image.open(path) as image:
        tinted = "*tinted*" in sources()[path.name]
        assert image.mode == ("RGB" if tinted else "L")
        luma, *chroma = np.moveaxis(np.asarray(image.convert("YCbCr")).astype(float), 2, 0)
    # One tint: pixels as bright as each other have the same hue, give or take the JPEG.
    for plane in chroma:
        bands = (plane[(luma >= low) & (luma < low + 16)] for low in range(0, 256, 16))
        assert max(band.std() for band in bands if band.size > 500) < 4


def test_example_boxes_fit_their_photos() -> None:
    photos = json.loads((PHOTOS / "boxes.json").read_text(encoding="utf-8"))["photos"]
    assert {photo["file"] for photo in photos} == {path.name for path in PHOTOS.glob("*.jpg")}
    for photo in photos:
        with Image.open(PHOTOS / photo["file"]) as image:
            assert list(image.size) == photo["size"]
        width, height = photo["size"]
        for found in photo["objects"]:
            x0, y0, x1, y1 = found["box"]
            assert 0 <= x0 < x1 <= width, photo["file"]
            assert 0 <= y0 < y1 <= height, photo["file"]
            assert 0 < found["score"] <= 1
            assert found["label"]


# The package


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after the code."""
    listing = f"{code}\nimport sys\nprint(*sorted(name for name in sys.modules if '.' not in name))"
    result = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def on_the_way() -> list[str]:
    """The modules that a photograph may pass, as `colorspace` or `photo.decoding`."""
    names = [module_name(path) for path in MODULES]
    return [name for name in names if not any((name + ".").startswith(shop + ".") for shop in (*WORKSHOPS, "__init__"))]


def test_public_names_are_these_and_can_be_had() -> None:
    assert sorted(instcolor.__all__) == PUBLIC
    assert all(hasattr(instcolor, name) for name in PUBLIC)


@pytest.mark.parametrize("module", ["instcolor", "instcolor.cli"])
def test_import_is_light(module: str) -> None:
    assert not loaded_by(f"import {module}") & {"torch", "onnxruntime", "onnx", "PIL", "skimage"}


def test_nothing_on_the_photographs_way_loads_torch() -> None:
    lines = [f"import instcolor.{name}" for name in on_the_way() if not name.endswith("__main__")]
    assert not loaded_by("\n".join(lines)) & {"torch", "onnx", "skimage", "yaml", "safetensors"}


def test_version_is_the_packages() -> None:
    assert instcolor.__version__ == importlib.metadata.version("instcolor")


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_module_opens_a_pickle(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not imported_by(tree, ()) & {"pickle", "joblib", "dill", "shelve", "marshal"}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if ast.unparse(call.func) == "torch.load":
            assert "weights_only=True" in ast.unparse(call)
        if ast.unparse(call.func) == "np.load":
            assert "allow_pickle=True" not in ast.unparse(call)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


# The order of the rooms


@cache
def allowed_imports() -> dict[str, set[str]]:
    """From each room to all rooms that it may import, near and far, read from docs/architecture.md."""
    right_of: dict[str, set[str]] = {}
    for line in fenced(read("docs/architecture.md"), "rooms"):
        groups = [[room.strip() for room in group.split(",")] for group in line.split("▶")]
        for left, right in pairwise(groups):
            for room, neighbor in product(left, right):
                right_of.setdefault(room, set()).add(neighbor)
                right_of.setdefault(neighbor, set())

    for _ in right_of:  # as many rounds as rooms reach everything, and end even if there is a circle
        for room, others in right_of.items():
            right_of[room] = others.union(*(right_of[other] for other in others))
    return right_of


def room_of(module: str, rooms: set[str]) -> str | None:
    """The most particular room that a module belongs to; None for the package's own face."""
    if module in ("", "__init__", "__main__"):
        return None
    fitting = [room for room in rooms if (module + ".").startswith(room + ".")]
    assert fitting, f"{module} has no place in docs/architecture.md"
    return max(fitting, key=len)


def imported_by(tree: ast.Module, package: tuple[str, ...]) -> set[str]:
    """The full names that a file of a package imports anywhere, inside functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join((*base, *filter(None, [node.module])))
            found |= {start} | {f"{start}.{alias.name}" for alias in node.names}
    return found


def imported_rooms(path: Path) -> set[str]:
    """The names inside this package that a file imports, as `photo.decoding.decode`."""
    package = ("instcolor", *path.relative_to(SOURCE).parent.parts)
    names = imported_by(ast.parse(path.read_text(encoding="utf-8")), package)
    return {name.removeprefix("instcolor.") for name in names if name.startswith("instcolor.")}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_rooms_import_only_what_stands_to_their_right(path: Path) -> None:
    allowed = allowed_imports()
    own = room_of(module_name(path), set(allowed))
    if own is None:
        return
    for name in imported_rooms(path):
        if name.startswith("__"):  # instcolor.__version__
            continue
        other = room_of(name, set(allowed))
        assert other == own or other in allowed[own], f"{own} imports {name}"


def test_networks_know_nothing_that_opens_a_file_or_fails() -> None:
    """Numbers alone: a definition can be read, moved and used by itself."""
    rooms = {name.split(".")[0] for path in (SOURCE / "networks").glob("*.py") for name in imported_rooms(path)}
    assert rooms == {"networks", "inputs", "bins", "colorspace"}


def test_the_order_has_no_circle() -> None:
    assert all(room not in others for room, others in allowed_imports().items())


# Words

BRITISH = re.compile(
    r"colour|grey(?!scale images)|\bcentre|behaviour|favour|licence|neighbour|honour|catalogue|cancelled|\blabelled\b"
    r"|artefact|(?:normal|initial|optim|recogn|organ|summar|serial|quant|minim|maxim|util)is(?:e|ed|es|er|ing|ation)\b",
    re.IGNORECASE,
)
WRITTEN = (".py", ".md", ".js", ".html", ".css", ".toml", ".yaml", ".yml", ".sh", ".lua")


def written_files() -> list[Path]:
    """Everything in the project that is written by hand."""
    skipped = {"node_modules", "site", "build", "dist", "demo"}
    paths = [path for path in ROOT.rglob("*") if path.suffix in WRITTEN and path.is_file()]
    return [
        path
        for path in paths
        if not any(part in skipped or part.startswith(".") for part in path.relative_to(ROOT).parts[:-1])
    ]


def test_spelling_is_american() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word[0]}"
        for path in written_files()
        if path.name != "test_project.py"
        for word in BRITISH.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_imports_inside_the_package_are_relative() -> None:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] == "instcolor" for name in names), path


def test_no_test_imports_from_another() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not node.level, path
                assert not (node.module or "").startswith(("tests", "test_", "conftest")), path
