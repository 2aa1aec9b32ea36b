"""Figures of detectors: cases whose answers can be told by hand, and the command that prints and writes them."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from instcolor.cli import app
from instcolor.errors import InstcolorError
from instcolor.evaluation.detection.run import ANY_LABEL, BY_LABEL, evaluate_detectors, score
from instcolor.evaluation.photos import find_photos
from instcolor.objects import Boxes, DetectedObject, PhotoObjects
from support import graphs, stand_in

pytest.importorskip("pycocotools")


def thing(x: float = 0, y: float = 0, side: float = 40, score: float = 0.9, label: str = "dog") -> DetectedObject:
    return DetectedObject((x, y, x + side, y + side), label, score)


def test_finding_everything_and_nothing_else_is_perfect() -> None:
    photos = [[thing(), thing(100, label="cat")], [thing(50, 50)]]
    row = score(photos, photos)
    for name in ("AP", "AP50", "AP75", "AR8", "AR100", "recall of 8", "recall of 100"):
        assert row[name] == pytest.approx(1), name


def test_a_better_scored_mistake_halves_precision_and_a_missed_object_recall() -> None:
    truth = [[thing()], [thing()]]
    found = [[thing(score=0.6), thing(200, score=0.9)], []]
    row = score(truth, found)
    # the one hit comes second: precision 1/2 up to recall 1/2, which is 51 of COCO's 101 points
    assert row["AP50"] == pytest.approx(51 / 101 / 2, abs=1e-6)
    assert row["AP"] == pytest.approx(row["AP50"])
    assert row["recall of 8"] == row["AR8"] == pytest.approx(0.5)
    assert row["AR1"] == 0  # the best box of that photo is the mistake


def test_the_mean_over_overlaps_takes_the_place_of_a_box_into_account() -> None:
    half = DetectedObject((0, 0, 40, 40 * 0.62), "dog", 0.9)  # IoU 0.62: enough at 0.50, 0.55 and 0.60 of ten
    row = score([[thing()]], [[half]])
    assert (row["AP50"], row["AP75"], row["recall of 8"]) == pytest.approx((1, 0, 1))
    assert (row["AP"], row["AR8"]) == pytest.approx((0.3, 0.3))


def test_labels_count_only_where_they_are_asked_for() -> None:
    truth, found = [[thing(), thing(100, label="cat")]], [[thing(), thing(100, label="lion")]]
    assert score(truth, found)["recall of 8"] == pytest.approx(0.5)  # mean over dog and cat
    assert score(truth, found, by_label=False)["recall of 8"] == pytest.approx(1)


def test_findings_in_photos_without_objects_are_mistakes() -> None:
    truth: list[list[DetectedObject]] = [[thing()], []]
    assert score(truth, [[thing()], []])["AP"] == pytest.approx(1)
    assert score(truth, [[thing(score=0.5)], [thing(score=0.9)]])["AP"] == pytest.approx(0.5)


def test_nothing_found_is_zero_and_nothing_to_find_is_no_figure() -> None:
    assert score([[thing()]], [[]])["AP"] == 0
    assert set(score([[], []], [[thing()], []]).values()) == {None}
    assert set(score([[]], [[]]).values()) == {None}


def test_only_the_best_eight_of_a_photo_count_as_found_by_eight() -> None:
    many = [thing(x=50 * i, score=0.9 - i / 100) for i in range(10)]
    row = score([many], [many])
    assert (row["AR1"], row["recall of 8"], row["recall of 100"]) == pytest.approx((0.1, 0.8, 1))


def test_recall_by_size_uses_cocos_areas() -> None:
    truth = [[thing(side=20), thing(100, 100, side=200)]]
    row = score(truth, [[thing(side=20)]])
    assert row["recall of 8, small"] == pytest.approx(1)
    assert row["recall of 8, large"] == 0
    assert row["recall of 8, medium"] is None
    assert row["AP small"] == pytest.approx(1)


class Finder:
    """Finds the same everywhere."""

    def __init__(self, *objects: DetectedObject) -> None:
        self.objects = objects
        self.asked: list[np.ndarray] = []

    def detect(self, L: np.ndarray) -> list[DetectedObject]:
        self.asked.append(L)
        return list(self.objects)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three colored photos, one of them damaged; `a` has a dog in its brighter half, `b` nothing."""
    place = tmp_path / "photos"
    place.mkdir()
    for name in "ab":
        pixels = np.zeros((64, 64, 3), np.uint8)
        pixels[16:32, 32:48] = (255, 240, 200) if name == "a" else (0, 0, 90)
        Image.fromarray(pixels).save(place / f"{name}.png")
    (place / "bad.png").write_bytes(b"no photo")
    boxes = {"photos": [{"file": "a.png", "objects": [{"box": [32, 16, 48, 32], "label": "dog", "score": 0.8}]}]}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    return place


def test_detectors_see_lightness_and_what_is_unsure_needs_not_be_found(folder: Path) -> None:
    boxes = Boxes("x", [PhotoObjects("a.png", None, (thing(32, 16, 16, 0.8), thing(0, 0, 9, 0.1)))])
    finder = Finder(thing(32, 16, 16, 0.7))
    watched: list[int] = []
    evaluation = evaluate_detectors(find_photos(folder), boxes, {"own": finder}, lambda: watched.append(1))
    assert [plane.shape for plane in finder.asked] == [(64, 64)] * 2
    assert len(watched) == 2
    assert [line.split(":")[0] for line in evaluation.failures] == ["bad.png"]
    named, placed = evaluation.rows
    assert (named["match"], placed["match"]) == (BY_LABEL, ANY_LABEL)
    assert named["photos"] == 2
    assert named["boxes"] == 1
    assert (named["recall of 8"], placed["recall of 8"]) == pytest.approx((1, 1))


def test_what_repeats_a_better_finding_is_no_mistake_where_labels_do_not_count(folder: Path) -> None:
    photos = [photo for photo in find_photos(folder) if photo.name == "a.png"]
    boxes = Boxes("x", [PhotoObjects("a.png", None, (thing(32, 16, 16), thing(0, 40, 16)))])
    finder = Finder(thing(32, 16, 16, 0.9, "cat"), thing(32, 16, 16, 0.8), thing(0, 40, 16, 0.7))
    named, placed = evaluate_detectors(photos, boxes, {"own": finder}).rows
    assert (named["AP"], placed["AP"]) == pytest.approx((1, 1))


def test_photos_that_cannot_be_used_at_all_are_an_error(folder: Path) -> None:
    photos = [photo for photo in find_photos(folder) if photo.name == "bad.png"]
    with pytest.raises(InstcolorError, match=r"bad\.png"):
        evaluate_detectors(photos, Boxes("x", []), {"own": Finder()})


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def test_the_command_measures_several_detectors_and_writes_tables(folder: Path, tmp_path: Path) -> None:
    detectors = [graphs.builtin(tmp_path / "one.onnx"), graphs.nanodet(tmp_path / "two.onnx")]
    named = [word for path in detectors for word in ("--detector", path)]
    out = tmp_path / "out"
    given = (folder, "--detection", "--boxes", tmp_path / "boxes.json", *named, "--out", out)
    code, printed, errors = run(*given)
    assert code == 1
    assert errors.startswith("error: bad.png: cannot be read")
    assert "## Precision (2 photos, 1 boxes)" in printed
    assert printed == (out / "results.md").read_text()
    rows = json.loads((out / "results.json").read_text())["rows"]
    assert [Path(row["detector"]).stem for row in rows] == ["one", "one", "two", "two"]
    assert all(row["recall of 8"] == 1 for row in rows)
    with (out / "results.csv").open() as stream:
        assert [row["match"] for row in csv.DictReader(stream)] == [row["match"] for row in rows]
    code, _, errors = run(*given)
    assert (code, "exists already" in errors) == (1, True)


def test_the_command_takes_boxes_from_coco_annotations(folder: Path, tmp_path: Path) -> None:
    (folder / "bad.png").unlink()
    annotation = {"id": 1, "image_id": 7, "category_id": 18, "bbox": [32, 16, 16, 16], "area": 256, "iscrowd": 0}
    images = [{"id": 7, "file_name": "a.png", "width": 64, "height": 64}, {"id": 8, "file_name": "b.png"}]
    coco = folder / "instances.json"
    coco.write_text(json.dumps({"images": images, "annotations": [annotation]}))
    code, printed, _ = run(coco, "--detection", "--detector", graphs.builtin(tmp_path / "x.onnx"))
    assert code == 0
    assert "(2 photos, 1 boxes)" in printed


@pytest.mark.parametrize(
    ("options", "reason"),
    [((), "--boxes"), (("--boxes", "boxes.json", "--detector", "none"), "none: finds nothing")],
)
def test_what_cannot_be_measured_is_one_line(
    folder: Path, options: tuple[str, ...], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    code, printed, errors = run(folder, "--detection", *options)
    assert (code, printed, len(errors.splitlines())) == (1, "", 1)
    assert reason in errors


def test_colors_are_measured_with_the_packages_detector_where_nothing_is_annotated(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.write_model(tmp_path / "models")
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "models"))
    (folder / "bad.png").unlink()
    arguments = (folder, "--model", stand_in.NAME, "--style", "faithful", "--size", "64", "--threads", "1")
    code, printed, _ = run(*arguments)
    assert (code, "| fused, faithful |" in printed) == (0, True)
    code, printed, _ = run(*arguments, "--detector", "none")
    assert (code, "| fused, faithful |" in printed) == (0, False)


def test_several_detectors_are_for_detection_only(folder: Path) -> None:
    assert run(folder, "--detector", "x.onnx", "--detector", "y.onnx")[0] == 2


def test_without_pycocotools_one_line_says_what_to_install(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    detector = graphs.builtin(tmp_path / "x.onnx")
    code, _, errors = run(folder, "--detection", "--boxes", tmp_path / "boxes.json", "--detector", detector)
    assert code == 1
    assert "pip install instcolor[evaluate]" in errors
