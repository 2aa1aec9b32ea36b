"""The page on extending, followed to the letter: its code in a package of its own, its line in that package's facts."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from instcolor import Colorizer
from instcolor.sources import kinds
from support import trainings
from support.detecting import loaded
from support.packages import install
from support.places import EXAMPLES, ROOT

PHOTO = EXAMPLES / "cat.jpg"
Follow = Callable[[str], dict[str, type]]


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follow]:
    """Does what a section says, in a package called `mine`; gives the section's classes by name."""

    def follow(title: str) -> dict[str, type]:
        page = (ROOT / "docs" / "extending.md").read_text()
        section = page.split(f"## {title}\n")[1].split("\n## ")[0]
        (code,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        registered = "".join(re.findall(r"^```toml\n(.*?)^```", section, re.MULTILINE | re.DOTALL))
        points = registered.replace('project.entry-points."', "").replace('"]', "]").replace('"', "")
        install(tmp_path / "packages", monkeypatch, "mine", code, points)
        classes: dict[str, type] = vars(import_module("mine"))
        return classes

    yield follow
    sys.modules.pop("mine", None)


def test_another_loss_trains_a_network(follow: Follow, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from instcolor.training.loop import train

    follow("Another loss")
    photos = trainings.write_photos(tmp_path / "photos")
    settings = {"loss": {"name": "charbonnier", "epsilon": 2.0}}
    assert train(trainings.small(photos, tmp_path, "full", settings)).exists()


def test_another_backbone_goes_through_all_three_stages(follow: Follow, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    from instcolor.training.loop import train

    follow("Another backbone")
    photos = trainings.write_photos(tmp_path / "photos")
    network = {"network": {"name": "plain"}}
    full, instance, fusion = (
        load_file(train(trainings.small(photos, tmp_path, stage, network))) for stage in ("full", "instance", "fusion")
    )
    assert (
        full.keys()
        == instance.keys()
        == {f"{part}.{kind}" for part in ("first", "ab", "bins") for kind in ("weight", "bias")}
    )
    assert torch.equal(full["first.weight"], instance["first.weight"]), "what is frozen stays"
    assert not torch.equal(full["ab.weight"], instance["ab.weight"])
    assert fusion


def test_another_detector_finds_what_is_colored(follow: Follow) -> None:
    mine = follow("Another detector")
    detector = loaded("brightest", threshold=0.3)
    assert isinstance(detector, mine["Brightest"])
    found = Colorizer(detector=detector).detect(PHOTO)
    assert [item.label for item in found] == ["light"]
    L = np.zeros((4, 10), np.float32)
    L[:, 6] = 50
    assert detector.detect(L)[0].box == (5, 0, 10, 4)


def test_another_source_lists_photos(follow: Follow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = follow("Another source")
    (tmp_path / "old.jpg").write_bytes(PHOTO.read_bytes())
    (tmp_path / "some.list").write_text("old.jpg\n")
    monkeypatch.setattr(kinds, "KINDS", [mine["ListFile"], *kinds.KINDS])
    assert dict(kinds.read_all([tmp_path / "some.list"])) == {"old.jpg": PHOTO.read_bytes()}
