"""Evaluation: true outlines out of folders and zip files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from instcolor.errors import InstcolorError
from instcolor.evaluation.data import photos_of
from instcolor.evaluation.masks import INSIDE, SKIN, TrueMasks
from support import fixtures
from support.evaluations import save

SIZE = (72, 48)


def values() -> NDArray[np.uint8]:
    """A person without marks, skin and hair, in columns."""
    return np.repeat(np.array([[0, 85, 170, 255]], np.uint8), 18, 1).repeat(48, 0)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Two photos, one of them with a mask beside it."""
    place = tmp_path / "people"
    place.mkdir()
    for name in ("a", "b"):
        Image.fromarray(fixtures.scene(*SIZE)).save(place / f"{name}.webp")
    Image.fromarray(values()).save(place / "a.png")
    return place


def test_masks_beside_photos_are_no_photos(people: Path) -> None:
    assert [photo.name for photo in photos_of(people, None, masks_beside=True)] == ["a.webp", "b.webp"]
    assert len(photos_of(people, None)) == 3
    masks = TrueMasks.opened(people)
    found = masks.for_photo("a.webp", SIZE)
    assert found is not None
    assert found[0, ::18].tolist() == [0, INSIDE, SKIN, INSIDE]
    assert masks.for_photo("b.webp", SIZE) is None


def test_masks_may_lie_in_a_zip_file_of_their_own(people: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        archive.write(people / "a.png", "deep/a.png")
    found = TrueMasks.opened(tmp_path / "masks.zip").for_photo("album/a.jpg", (36, 24))  # of another size: stretched
    assert found is not None
    assert found.shape == (24, 36)
    assert found[0, ::9].tolist() == [0, INSIDE, SKIN, INSIDE]


def test_everything_but_0_is_inside_and_only_gray_marks_skin(tmp_path: Path) -> None:
    black_and_white = Image.fromarray(values() > 100)
    palette = Image.fromarray((values() // 85 * 60).astype(np.uint8), "P")  # classes 0, 60, 120, 180
    palette.putpalette([0, 0, 0] * 256)
    for name, image in (("flat", black_and_white), ("classes", palette)):
        image.save(tmp_path / f"{name}.png")
    masks = TrueMasks.opened(tmp_path)
    flat, classes = (masks.for_photo(f"{name}.jpg", SIZE) for name in ("flat", "classes"))
    assert flat is not None
    assert classes is not None
    assert flat[0, ::18].tolist() == [0, 0, INSIDE, INSIDE]
    assert classes[0, ::18].tolist() == [0, INSIDE, INSIDE, INSIDE]


def test_what_is_no_mask_is_told_of_in_one_line(people: Path, tmp_path: Path) -> None:
    (people / "a.png").write_bytes(b"no picture")
    with pytest.raises(InstcolorError, match=r"a\.png: not a readable mask"):
        TrueMasks.opened(people).for_photo("a.webp", SIZE)
    (people / "a.png").unlink()
    with pytest.raises(InstcolorError, match="people: no masks in it"):
        TrueMasks.opened(people)
    with pytest.raises(InstcolorError, match="none: no such file"):
        TrueMasks.opened(tmp_path / "none")


def test_only_photos_whose_names_fit_are_measured(people: Path) -> None:
    save(people / "street_1.png", fixtures.scene(*SIZE))
    assert [photo.name for photo in photos_of(people, None, only="street_*")] == ["street_1.png"]
    with pytest.raises(InstcolorError, match="people: no photos in it whose names fit ship"):
        photos_of(people, None, only="ship_*")
