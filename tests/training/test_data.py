"""The photos and objects of a training: where they come from, what is left out and counted, how they are kept."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from instcolor.errors import BoxesError, InstcolorError
from instcolor.objects import DetectedObject, read_boxes
from instcolor.training import photos as photos_module
from instcolor.training.boxes import Annotations
from instcolor.training.photos import PhotoStore
from instcolor.training.prepare import find_objects
from instcolor.training.samples import trusted
from instcolor.training.scenes import scene
from support import trainings
from support.archives import packed
from support.fixtures import encoded, exif, image


def png(seed: int, size: tuple[int, int] = (60, 40)) -> bytes:
    return encoded(Image.fromarray(scene(seed, size)[0]), "PNG")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of classes as ImageNet and Places have it, with two photos of the same name and some that are no use."""
    files = {
        "abbey/1.png": png(1),
        "abbey/gray.jpg": encoded(image("L"), "JPEG"),
        "abbey/notes.txt": b"not a photo",
        "beach/1.png": png(2),
        "beach/deep/turned.jpg": encoded(Image.fromarray(scene(3, (60, 40))[0]), "JPEG", exif=exif(6)),
        "beach/torn.png": png(4)[:300],
        "beach/text.jpg": b"this is no photo",
    }
    for name, data in files.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "tree"


def state_of(folder: Path) -> dict[str, tuple[str, int]]:
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files}


# Places of photos


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_photos_come_from_trees_zips_and_shards_and_what_is_no_use_is_counted(
    tree: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tree if kind == "folder" else packed(tree, kind)
    before = state_of(tree.parent)
    store = PhotoStore.open([source], [], tree.parent / "cache")
    assert store.names == ["abbey/1.png", "beach/1.png", "beach/deep/turned.jpg"]
    assert capsys.readouterr().err == "3 photos; left out: 1 gray, 2 unreadable\n"
    assert np.array_equal(store[0], scene(1, (60, 40))[0])
    assert np.array_equal(store[1], scene(2, (60, 40))[0])
    assert store[2].shape == (60, 40, 3)  # upright
    after = state_of(tree.parent)
    assert {k: v for k, v in after.items() if "cache" not in k} == before  # the user's files are as they were


def test_photos_of_many_shards_have_names_of_their_own(tree: Path) -> None:
    for number in range(3):
        packed(tree, "tar").rename(tree.parent / f"shard-{number}.tar")
    store = PhotoStore.open(sorted(tree.parent.glob("shard-*.tar")), [], tree.parent / "cache")
    assert len(store) == 9
    assert len(set(store.names)) == 9  # names that come again have their shard in front


def test_a_source_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.rar").write_bytes(b"Rar!")
    with pytest.raises(InstcolorError, match=r"data\.rar: neither a folder"):
        PhotoStore.open([tmp_path / "data.rar"], [], tmp_path / "cache")


def test_a_source_without_a_color_photo_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "gray.jpg").write_bytes(encoded(image("L"), "JPEG"))
    with pytest.raises(InstcolorError, match="no color photo"):
        PhotoStore.open([tmp_path / "p"], [], tmp_path / "cache")


# The cache


def test_photos_are_decoded_once_and_again_when_one_changes_deep_inside(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tree.parent / "cache"
    first = PhotoStore.open([tree], [], cache)
    fills: list[int] = []
    fill = photos_module._fill

    def counted(*given: Any) -> None:
        fills.append(1)
        fill(*given)

    monkeypatch.setattr(photos_module, "_fill", counted)
    assert PhotoStore.open([tree], [], cache).names == first.names
    assert fills == []
    (tree / "beach" / "deep" / "turned.jpg").write_bytes(png(7))
    assert len(PhotoStore.open([tree], [], cache)) == 3
    assert fills == [1]
    (tree / "beach" / "deep" / "new.png").write_bytes(png(8))
    assert len(PhotoStore.open([tree], [], cache)) == 4


def test_large_photos_are_kept_small_and_small_ones_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "large.jpg").write_bytes(encoded(Image.fromarray(scene(1, (1200, 800))[0]), "JPEG", quality=95))
    (tmp_path / "p" / "small.png").write_bytes(png(2))
    store = PhotoStore.open([tmp_path / "p"], [], tmp_path / "cache", 100)
    assert [store[i].shape for i in range(2)] == [(100, 150, 3), (40, 60, 3)]
    expected = Image.fromarray(scene(1, (1200, 800))[0]).resize((150, 100), Image.Resampling.LANCZOS)
    assert np.abs(store[0].astype(int) - np.asarray(expected, int)).mean() < 3


def test_kept_as_jpeg_photos_take_less_room_and_look_the_same(tmp_path: Path) -> None:
    folder = trainings.write_photos(tmp_path / "p", 4)
    raw = PhotoStore.open([folder], [], tmp_path / "cache")
    small = PhotoStore.open([folder], [], tmp_path / "cache", kept_as="jpeg")
    assert small.pixels.size < raw.pixels.size / 2
    assert small[3].shape == raw[3].shape
    assert np.abs(small[3].astype(int) - raw[3]).mean() < 3


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_a_cache_that_cannot_be_written_is_an_error_in_one_line(tree: Path) -> None:
    (tree.parent / "cache").mkdir(mode=0o500)
    with pytest.raises(InstcolorError, match="cannot be kept there"):
        PhotoStore.open([tree], [], tree.parent / "cache")


def test_a_full_disk_leaves_no_half_cache(tree: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(InstcolorError, match="cannot be kept there"):
            PhotoStore.open([tree], [], tree.parent / "cache")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tree.parent / "cache").iterdir()) == []
    assert len(PhotoStore.open([tree], [], tree.parent / "cache")) == 3


# Objects


def coco(tmp_path: Path, annotations: list[Any], **image_entry: object) -> Path:
    entry = {"id": 1, "file_name": "1.png", "width": 60, "height": 40, **image_entry}
    path = tmp_path / "instances.json"
    categories = [{"id": 18, "name": "dog"}]
    path.write_text(json.dumps({"images": [entry], "annotations": annotations, "categories": categories}))
    return path


def test_coco_annotations_are_read_and_what_is_odd_in_them_is_left_out_and_counted(tmp_path: Path) -> None:
    good = {"image_id": 1, "bbox": [10, 5, 30, 20], "category_id": 18}
    odd = [
        {**good, "iscrowd": 1},
        {**good, "bbox": [3, 3, 0, 10]},  # as COCO itself has some
        {**good, "bbox": [3, 3, float("nan"), 10]},
        {**good, "bbox": [1, 2, 3]},
        {**good, "image_id": 9},
        "text",
    ]
    found = Annotations(coco(tmp_path, [good, *odd, {**good, "score": 0.5, "category_id": 999}]))
    rows = found.rows("some/where/1.png", (120, 80), (60, 40))
    dog = 16  # of the 80 classes
    assert rows.tolist() == [[20, 10, 80, 50, 1, dog], [20, 10, 80, 50, 0.5, -1]]
    assert found.left_out == {"crowds": 1, "malformed": 5}
    assert found.rows("2.png", (120, 80), (60, 40)).shape == (0, 6)


def test_boxes_of_a_photo_that_was_turned_since_are_left_out(tmp_path: Path) -> None:
    found = Annotations(coco(tmp_path, [{"image_id": 1, "bbox": [10, 5, 30, 20]}]))
    assert len(found.rows("1.png", (40, 60), (40, 60))) == 0
    assert found.left_out == {"of photos of another shape": 1}


def test_photos_of_one_name_are_told_apart_by_their_folders(tree: Path) -> None:
    listed = [
        {"file": f"{place}/1.png", "size": [60, 40], "objects": [{"box": [x, 0, x + 20, 20], "label": "dog"}]}
        for place, x in (("abbey", 5), ("beach", 15))
    ]
    boxes = tree.parent / "boxes.json"
    boxes.write_text(json.dumps({"photos": listed}))
    store = PhotoStore.open([tree], [boxes], tree.parent / "cache")
    assert [rows[:, 0].tolist() for rows in store.boxes] == [[5], [15], []]


def test_tiny_and_doubtful_boxes_are_counted_and_nothing_is_learned_from_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "1.png").write_bytes(png(1))
    sizes = [(20, 20, 0.9), (11.9, 30, 0.9), (12, 12, 0.9), (20, 20, 0.34)]
    annotations = [{"image_id": 1, "bbox": [1, 1, w, h], "score": score} for w, h, score in sizes]
    store = PhotoStore.open([tmp_path / "p"], [coco(tmp_path, annotations)], tmp_path / "cache")
    assert len(trusted(store)[0]) == 2
    said = capsys.readouterr().err
    assert "2 objects on 1 photos to learn from; left out: 1 under a score of 0.35, 1 under 12 pixels" in said


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe", "not JSON"), (b"{}", "neither"), (b'{"images": [{"id": 1}], "annotations": []}', "file_name")],
)
def test_an_annotation_file_of_another_kind_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(BoxesError, match=reason) as caught:
        Annotations(tmp_path / "a.json")
    assert "\n" not in str(caught.value)
    assert "a.json" in str(caught.value)


# Finding objects once


class Finder:
    """Finds the brightest half; fails on the photo and stops at the call that it is told to."""

    def __init__(self, fails_at: int = -1, stops_at: int = -1) -> None:
        self.calls, self.fails_at, self.stops_at = 0, fails_at, stops_at

    def __call__(self, L: np.ndarray) -> list[DetectedObject]:
        self.calls += 1
        if self.calls == self.stops_at:
            raise KeyboardInterrupt
        if self.calls == self.fails_at:
            raise RuntimeError("no memory on the device")
        return [DetectedObject((0.0, 0.0, L.shape[1] / 2, float(L.shape[0])), "dog", 0.5)]


def test_objects_are_found_once_and_read_as_boxes(tree: Path) -> None:
    out = tree.parent / "found" / "boxes.json"
    found = find_objects([tree], Finder(fails_at=2), out, {"detector": "a"})
    assert (found.photos, found.objects) == (2, 2)
    assert found.left_out == {"gray": 1, "unreadable": 2, "the detector failed on": 1}
    boxes = read_boxes(out)
    assert list(boxes) == ["abbey/1.png", "beach/deep/turned.jpg"]
    assert boxes["beach/deep/turned.jpg"].size == (40, 60)  # upright
    assert [p.name for p in out.parent.iterdir()] == ["boxes.json"]
    store = PhotoStore.open([tree], [out], tree.parent / "cache")
    assert [rows.shape for rows in store.boxes] == [(1, 6), (0, 6), (1, 6)]


def test_a_stopped_search_goes_on_where_it_was(tree: Path) -> None:
    out = tree.parent / "boxes.json"
    with pytest.raises(KeyboardInterrupt):
        find_objects([tree], Finder(stops_at=3), out, {"detector": "a"})
    assert not out.exists()
    journal = out.with_name("boxes.json.part")
    journal.write_text(journal.read_text() + '{"file": "beach/de')  # a line torn by the kill
    rest = Finder()
    found = find_objects([tree], rest, out, {"detector": "a"})
    assert rest.calls == 1
    assert found.photos == 3
    assert not journal.exists()


def test_another_detector_starts_the_search_again(tree: Path) -> None:
    out = tree.parent / "boxes.json"
    with pytest.raises(KeyboardInterrupt):
        find_objects([tree], Finder(stops_at=3), out, {"detector": "a"})
    again = Finder()
    find_objects([tree], again, out, {"detector": "b"})
    assert again.calls == 3


def test_generated_scenes_are_the_same_every_time() -> None:
    first, again = scene(5), scene(5)
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]
    assert not np.array_equal(first[0], scene(6)[0])
