"""Evaluation: the command, its files and its page."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from instcolor.cli import app
from instcolor.errors import InstcolorError
from instcolor.evaluation.color import evenness, outputs
from instcolor.evaluation.color.command import Request, run
from instcolor.evaluation.color.methods import FULL, FUSED, GRAY
from instcolor.evaluation.color.protocol import Protocol
from instcolor.packaging import loading
from instcolor.torch_models.imported import ThreeNetworks
from support import evaluations, stand_in


@pytest.fixture
def request_for(folder: Path, boxes: Path, weights: str, tmp_path: Path) -> Callable[..., Request]:
    def make(**options: Any) -> Request:
        usual: dict[str, Any] = {
            "data": folder,
            "boxes": boxes,
            "weights": (weights,),
            "size": "64",
            "limit": 2,
            "styles": ("natural",),
        }
        return Request(**usual | {"out": tmp_path / "out"} | options)

    return make


def test_command_prints_its_protocol_and_writes_its_files(
    request_for: Callable[..., Request], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(request_for()) == []
    printed = capsys.readouterr().out
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == set(outputs.NAMES)
    assert printed == (out / "results.md").read_text()
    assert "64 x 64" in printed
    assert "LPIPS is missing" in printed
    assert "FID is missing" in printed
    results = json.loads((out / "results.json").read_text())
    assert results["protocol"] == Protocol(side=64).lines()
    assert [row["method"] for row in results["rows"]] == [GRAY, FULL, FUSED, "box paste"]
    assert set(results["rows"][2]["psnr"]) == {"mean", "low", "high"}
    with (out / "results.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 4
    means = [float(line["psnr"]) for line in lines if line["method"] == FUSED]
    assert np.mean(means) == pytest.approx(results["rows"][2]["psnr"]["mean"], abs=1e-3)
    with (out / "objects.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2 * 4 * 2


class Page(HTMLParser):
    """What a page holds: pictures, boxes, photos, and everything that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.metrics: list[dict[str, float]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.loads += [str(given[name]) for name in ("src", "href", "data", "action") if name in given]
        if "data-metrics" in given:
            self.metrics.append(json.loads(str(given["data-metrics"])))


def test_gallery_holds_all_that_it_shows(request_for: Callable[..., Request], tmp_path: Path) -> None:
    run(request_for())
    text = (tmp_path / "out" / outputs.GALLERY).read_text()
    page = Page(text)
    assert page.tags.count("article") == 2
    assert page.tags.count("rect") == 2 * 2  # both objects of both photos
    assert page.tags.count("link") == page.tags.count("iframe") == 0
    assert len(page.loads) == 2 * 4  # gray, ours, full image, truth
    assert all(source.startswith("data:image/webp;base64,") for source in page.loads)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert {"psnr", "over_gray", "over_full", "delta_e2000"} <= set(page.metrics[0])
    assert not re.search(r"<!--[A-Z_]+-->|/\*[A-Z_]+\*/", text)


def test_gallery_escapes_names(request_for: Callable[..., Request], folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").rename(folder / "a&<script>'\".png")
    run(request_for(boxes=None, limit=None))
    page = Page((tmp_path / "out" / outputs.GALLERY).read_text())
    assert page.tags.count("script") == 1


def test_command_replaces_no_results_unasked(request_for: Callable[..., Request], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.csv").write_text("mine")
    with pytest.raises(InstcolorError, match=r"results\.csv: exists already"):
        run(request_for())
    assert (tmp_path / "out" / "results.csv").read_text() == "mine"
    run(request_for(overwrite=True))
    assert (tmp_path / "out" / "results.csv").read_text() != "mine"


def test_command_measures_ablations_and_a_learned_distance(
    request_for: Callable[..., Request], lpips_weights: Path, mean_color: Path, tmp_path: Path
) -> None:
    run(request_for(ablations=True, hints=True, lpips=str(lpips_weights), inception=mean_color))
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert {"fused at encoder taps", "fused at decoder taps", "fused, 8 random boxes", "fused, hinted"} <= {
        r["method"] for r in rows
    }
    assert all(row["lpips"]["mean"] > 0 for row in rows)
    assert all(row["fid"] >= 0 for row in rows)


def test_command_fuses_nothing_without_objects(request_for: Callable[..., Request], tmp_path: Path) -> None:
    run(request_for(detector="none"))
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert [row["method"] for row in rows] == [GRAY, FULL]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"size": "huge"}, "huge: size is neither"),
        ({"size": "8"}, "8: size is neither"),
        ({"styles": ("loud",)}, "loud: no such style"),
        ({"weights": ("missing.safetensors",)}, "missing.safetensors: not readable"),
        ({"imported": (Path("none-such"),)}, r"none-such.*cannot be read|not the facts of imported weights"),
        ({"weights": (), "models": ("none-such",)}, "none-such: no such model"),
        ({"lpips": "none.safetensors"}, "none.safetensors: not readable weights"),
        ({"detector": "none-such"}, "none-such: no such detector"),
    ],
)
def test_command_refuses_in_one_line(options: dict[str, Any], reason: str, request_for: Callable[..., Request]) -> None:
    with pytest.raises(InstcolorError, match=reason):
        run(request_for(**options))


def test_imported_networks_are_fused_where_they_can_be(
    request_for: Callable[..., Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Three(stand_in.FineModel, ThreeNetworks):
        def __init__(self) -> None:
            stand_in.FineModel.__init__(self)

    for model, expected in ((Three(), [GRAY, FULL, FUSED]), (stand_in.FineModel(), [GRAY, FULL])):
        monkeypatch.setattr(loading, "load_imported", lambda _, found=model: found)
        run(request_for(weights=(), imported=(tmp_path / "paper",), overwrite=True))
        rows = json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
        assert [row["method"] for row in rows] == expected
        assert rows[-1]["model"] == "paper"


def test_two_models_of_one_name_are_refused(request_for: Callable[..., Request], weights: str) -> None:
    with pytest.raises(InstcolorError, match="two models of one name"):
        run(request_for(weights=(weights, weights)))


def test_command_line_measures_a_model_of_the_registry_and_tells_of_bad_photos(
    folder: Path, boxes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.write_model(tmp_path / "models")
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "models"))
    (folder / "bad.png").write_bytes(b"no photo")
    arguments = ["evaluate", str(folder), "--model", stand_in.NAME, "--boxes", str(boxes), "--size", "own"]
    result = CliRunner().invoke(app, [*arguments, "--style", "faithful"])
    assert result.exit_code == 1
    assert "error: bad.png: cannot be read" in result.stderr
    assert re.search(r"^\| fused, faithful \| \d+\.\d\d ", result.stdout, re.MULTILINE)
    assert "## Objects by share of the photo" in result.stdout
    assert CliRunner().invoke(app, [*arguments, "--size", "x"]).exit_code == 1


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The tables of the command line, by the stand-in."""
    stand_in.write_model(tmp_path / "models")
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "models"))

    def run(*arguments: object) -> str:
        usual = ("evaluate", *arguments, "--model", stand_in.NAME, "--size", "64", "--style", "faithful", "--no-masks")
        result = CliRunner().invoke(app, [str(part) for part in usual])
        assert result.exit_code == 0, result.stderr
        return result.stdout

    return run


def test_masks_of_a_folder_are_found_by_the_photos_names(
    folder: Path, boxes: Path, tmp_path: Path, measured: Callable[..., str]
) -> None:
    mask = np.zeros((48, 72), np.uint8)
    mask[:, :40] = 170
    evaluations.save(tmp_path / "masks" / "b.png", mask)
    told = measured(folder, "--boxes", boxes, "--masks", tmp_path / "masks")
    assert "## Pictures (3 photos)" in told
    assert "## Inside true outlines (1 photos, skin is marked on 1)" in told
    assert "## Inside true outlines" not in measured(
        folder, "--boxes", boxes, "--masks", tmp_path / "masks", "--only", "a*"
    )


def test_photos_without_color_are_measured_by_what_needs_none(
    folder: Path, boxes: Path, measured: Callable[..., str]
) -> None:
    told = measured(folder, "--boxes", boxes, "--no-truth", "--out", folder.parent / "out")
    assert "## Edges of boxes" in told
    assert "PSNR |" not in told
    with (folder.parent / "out" / "edges.csv").open(newline="") as file:
        edges = list(csv.DictReader(file))
    assert {edge["side"] for edge in edges} == {"left", "right", "top", "bottom"}
    assert {edge["photo"] for edge in edges} == {"a.png", "b.png", "more/c.png"}
    page = Page((folder.parent / "out" / outputs.GALLERY).read_text())
    assert page.tags.count("article") == 3
    assert "psnr" not in page.metrics[0]


def test_the_table_says_where_regions_cannot_be_found(
    folder: Path, measured: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "spread of the truth's" in measured(folder, "--detector", "none")
    monkeypatch.setattr(evenness, "POSSIBLE", False)
    told = measured(folder, "--detector", "none")
    assert "spread of the truth's" not in told
    assert "pip install instcolor[evaluate]" in told
