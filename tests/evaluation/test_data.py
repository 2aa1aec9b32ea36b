"""Evaluation: photos of folders, zip files and COCO annotations, and their objects."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from instcolor.errors import InstcolorError, PhotoError
from instcolor.evaluation.color.methods import (
    GRAY,
    Method,
)
from instcolor.evaluation.color.run import Data, evaluate
from instcolor.evaluation.data import spread
from instcolor.evaluation.photos import find_photos
from instcolor.objects import DetectedObject, PhotoObjects, read_boxes, to_coco
from support import fixtures
from support.evaluations import CAT, SMALL, TINY, save


def test_a_folder_is_read_with_its_subfolders_in_order(folder: Path) -> None:
    photos = find_photos(folder)
    assert [Path(photo.name).as_posix() for photo in photos] == ["a.png", "b.png", "more/c.png"]
    np.testing.assert_array_equal(photos[0].read(), fixtures.scene(72, 48, seed=1))


def test_a_zip_file_holds_the_same_photos(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    photos = find_photos(tmp_path / "data.zip")
    assert [photo.name for photo in photos] == ["a.png", "b.png", "more/c.png"]
    np.testing.assert_array_equal(photos[2].read(), fixtures.scene(72, 48, seed=2))


@pytest.mark.parametrize("where", ["annotations", "val2017", "images/val2017"])
def test_coco_annotations_find_their_photos(where: str, tmp_path: Path) -> None:
    save(tmp_path / where / "a.png", fixtures.scene(72, 48))
    listed = tmp_path / "annotations" / "instances_val2017.json"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text(json.dumps(to_coco([PhotoObjects("a.png", (72, 48), (CAT,))])))
    (photo,) = find_photos(listed)
    assert photo.read().shape == (48, 72, 3)


def test_photos_are_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(fixtures.scene(72, 48)).save(path, exif=fixtures.exif(6))
    assert find_photos(tmp_path)[0].read().shape == (72, 48, 3)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing", None, "no such file"),
        ("a.txt", b"text", "neither a folder"),
        ("a.json", b"{", "no COCO annotations"),
        ("b.json", b'{"images": [{"file_name": "x.jpg"}]}', "photo x.jpg is not beside it"),
    ],
)
def test_what_is_no_data_is_one_line(name: str, content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InstcolorError, match=reason) as error:
        find_photos(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InstcolorError, match="no photos"):
        find_photos(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no photo", fixtures.encoded(fixtures.image("RGB"), "PNG")[:-60]])
def test_a_photo_that_cannot_be_read_names_itself(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(PhotoError, match=r"^bad\.png: cannot be read") as error:
        find_photos(tmp_path)[0].read()
    assert "\n" not in str(error.value)


def test_one_bad_photo_never_stops_the_others(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"no photo")
    evaluation = evaluate(Data(find_photos(folder)), [Method(GRAY)], SMALL)
    assert len(evaluation.pictures) == 3
    (failure,) = evaluation.failures
    assert failure.startswith("bad.png")


def test_photos_are_all_bad(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no photo")
    with pytest.raises(InstcolorError, match="bad.png"):
        evaluate(Data(find_photos(tmp_path)), [Method(GRAY)], SMALL)


def test_boxes_are_matched_by_stem_and_a_detector_is_asked(folder: Path, boxes: Path) -> None:
    class Finds:
        def detect(self, L: NDArray[np.float32]) -> list[DetectedObject]:
            assert L.shape == (48, 72)
            return [TINY]

    data = Data(find_photos(folder), read_boxes(boxes), Finds()).only({"a.png"})
    (case,) = data.cases(SMALL, [])
    assert [item.label for item in case.objects] == ["cat", "ball"]
    assert case.chosen == (TINY,)


def test_a_limit_takes_photos_from_everywhere() -> None:
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread(range(10), 20) == list(range(10))
    assert spread(range(3), None) == [0, 1, 2]
