"""The packaged networks beside the detector: outlines of objects, and faces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from instcolor import Colorizer, Photo
from instcolor.cli import app
from instcolor.detectors.packaged import load_faces, load_masks
from instcolor.models import registry
from instcolor.objects import DetectedObject, Mask, from_run_lengths, run_lengths
from support.places import EXAMPLES


def test_a_persons_outline_leaves_the_background_out() -> None:
    photo = Photo.open(EXAMPLES / "grace-hopper.jpg")
    found = Colorizer(detector="builtin").detect(photo)
    person = next(item for item in found if item.label == "person")
    assert person.mask
    x0, y0, x1, y1 = person.box
    plane = person.mask.over(person.box, (40, 40))
    assert plane[15:30, 15:25].min() > 0.8, "the middle of the person"
    assert plane[:6, :3].max() < 0.2, "a corner of the box"
    assert 0.4 < plane.mean() < 0.95


def test_faces_are_found_and_become_heads(tmp_path: Path) -> None:
    photo = Photo.open(EXAMPLES / "grace-hopper.jpg")
    (head,) = load_faces().detect(photo.L)
    assert head.label == "face"
    assert head.score > 0.6
    width, height = photo.size
    x0, y0, x1, y1 = head.box
    assert 0.1 < (x1 - x0) * (y1 - y0) / (width * height) < 0.6
    assert not load_faces().detect(np.full((200, 300), 50, np.float32))
    labels = {faces: [o.label for o in Colorizer(faces=faces).detect(photo)] for faces in (True, False)}
    assert "face" in labels[True]
    assert "face" not in labels[False]


def test_given_masks_stay_and_others_are_found() -> None:
    L = Photo.open(EXAMPLES / "cat.jpg").L
    height, width = L.shape
    box = (width * 0.1, height * 0.1, width * 0.9, height * 0.9)
    own = Mask(box, np.ones((4, 4), np.float32))
    given, missing = load_masks().outlined(L, [DetectedObject(box, "a", 1.0, own), DetectedObject(box, "b", 1.0)])
    assert given.mask is own
    assert missing.mask
    assert missing.mask.plane.shape == (64, 64)


def test_masks_are_printed_as_run_lengths_and_read_back(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["detect", str(EXAMPLES / "cat.jpg"), "--json", "--masks", "--jobs", "0"])
    assert found.exit_code == 0, found.output
    (photo,) = json.loads(found.stdout)["photos"]
    mask = photo["objects"][0]["mask"]
    with Image.open(EXAMPLES / "cat.jpg") as image:
        assert mask["size"] == [image.height, image.width]
    assert sum(mask["counts"]) == mask["size"][0] * mask["size"][1]
    boxes = tmp_path / "boxes.json"
    boxes.write_text(found.stdout)
    again = CliRunner().invoke(
        app,
        ["colorize", str(EXAMPLES / "cat.jpg"), "--boxes", str(boxes), "--out", str(tmp_path / "o.jpg"), "--jobs", "0"],
    )
    assert again.exit_code == 0, again.output


def test_run_lengths_go_down_the_columns_and_begin_with_what_is_not_the_object() -> None:
    plane = np.array([[0, 1], [1, 1]], np.float32)
    packed = run_lengths(Mask((0.0, 0.0, 2.0, 2.0), plane), (2, 2))
    assert packed == {"size": [2, 2], "counts": [1, 3]}
    read = from_run_lengths(packed, (2, 2))
    assert read
    np.testing.assert_array_equal(read.plane, plane)


def test_all_packaged_networks_are_whole_and_small() -> None:
    entries = [registry.find(name) for name in registry.names() if (registry.PACKAGED / name).is_dir()]
    for entry in entries:
        entry.verify()
        assert entry.card().startswith(f"# {entry.name}\n")
    assert sum(entry.size for entry in entries) < 48e6


def test_without_its_network_nothing_is_called_masked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from instcolor.errors import DetectorError

    monkeypatch.setattr(registry, "PACKAGED", tmp_path)
    monkeypatch.setenv("INSTCOLOR_MODELS", str(tmp_path / "none"))
    with pytest.raises(DetectorError, match="masks: no such model"):
        load_masks()
