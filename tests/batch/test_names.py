"""Names of results: settled once, whatever was colored in earlier runs, and known again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from instcolor.batch import Names
from instcolor.batch.names import results
from instcolor.errors import FileError
from instcolor.photo import Mark, Photo
from instcolor.photo.made import digest_of, read_made
from instcolor.sources import FileItem, Item
from instcolor.sources.given import find
from support import fixtures
from support.command_line import JPEG, PNG, put


def color(names: Names, *items: Item) -> dict[str, str]:
    """What a run does: from each item that is not done yet to the name of its result, which is written."""
    made = {}
    for item in items:
        content = item.read()
        photo = Photo.open(content)
        out, done = names.claim(item, photo.suffix)
        assert out
        if not done:
            photo = photo.with_color(np.full((*photo.L.shape, 2), 9, np.float32))
            photo.save(out, mark=Mark(source=digest_of(content)), overwrite=names.overwrite)
            made[item.name] = out.name
    return made


@pytest.fixture
def album(tmp_path: Path) -> list[Item]:
    """Photos whose results could all be called alike, each with other pixels."""
    for number, name in enumerate(("A.JPG", "a.jpg", "a.png", "b.bmp", "b.jpg")):
        kind = "BMP" if name.endswith("bmp") else "JPEG"
        put(tmp_path / "album" / name, fixtures.encoded(fixtures.image("L", 40 + number, 30), kind))
    return [FileItem(tmp_path / "album", name) for name in ("A.JPG", "a.jpg", "a.png", "b.bmp", "b.jpg")]


def test_every_photo_is_colored_once_whatever_was_colored_before(tmp_path: Path, album: list[Item]) -> None:
    out = str(tmp_path / "out")
    for first in range(len(album)):
        folder = f"{out}-{first}"
        alone = color(Names([album[first]], folder), album[first])
        rest = color(Names(album, folder), *album)
        assert sorted([*alone, *rest]) == sorted(item.name for item in album), first
        for items in (album, album[::-1], album[2:], [album[1]]):
            assert color(Names(items, folder), *items) == {}
        headers = [read_made(path) for path in Path(folder).iterdir()]
        sizes = [made.size[0] for made in headers if made]
        assert sorted(sizes) == [40, 41, 42, 43, 44]  # all of them, none replaced


def test_photos_of_one_name_in_several_folders_are_not_taken_for_each_other(tmp_path: Path) -> None:
    one, two = put(tmp_path / "one" / "a.jpg"), put(tmp_path / "two" / "a.jpg", JPEG + b"-")
    items = [FileItem(path.parent, path.name) for path in (one, two)]
    out = str(tmp_path / "out")
    assert color(Names(items[:1], out), items[0]) == {"a.jpg": "a.jpg"}
    assert color(Names(items[1:], out), items[1]) == {"a.jpg": "a-color.jpg"}
    assert color(Names(items, out), *items) == {}


def test_overwrite_replaces_a_photos_own_result(tmp_path: Path, album: list[Item]) -> None:
    out = str(tmp_path / "out")
    names = color(Names(album, out), *album)
    for item in album:
        again = color(Names([item], out, overwrite=True), item)
        assert again == {item.name: names[item.name]}
    assert len(list((tmp_path / "out").iterdir())) == len(album)


def test_a_file_that_is_no_result_is_an_error_and_stays(tmp_path: Path) -> None:
    items = [FileItem(tmp_path, put(tmp_path / "a.jpg").name)]
    there = put(tmp_path / "out" / "a.jpg", b"precious")
    with pytest.raises(FileError, match="exists already"):
        Names(items, str(tmp_path / "out")).claim(items[0], ".jpg")
    assert there.read_bytes() == b"precious"
    assert Names(items, str(tmp_path / "out"), overwrite=True).claim(items[0], ".jpg") == (there, False)


def test_results_of_a_format_that_says_nothing_are_known_by_their_size(tmp_path: Path) -> None:
    items = [FileItem(tmp_path, put(tmp_path / "a.bmp", fixtures.encoded(fixtures.image("L"), "BMP")).name)]
    out = str(tmp_path / "out")
    assert color(Names(items, out), *items) == {"a.bmp": "a.bmp"}
    assert color(Names(items, out), *items) == {}
    put(tmp_path / "a.bmp", fixtures.encoded(fixtures.image("L", 20, 20), "BMP"))
    with pytest.raises(FileError, match="exists already"):
        Names(items, out).claim(items[0], ".bmp")


def test_a_result_whose_name_no_disk_takes_is_one_line(tmp_path: Path) -> None:
    name = "x" * 251 + ".jpg"
    items = [FileItem(tmp_path, put(tmp_path / name).name)]
    with pytest.raises(FileError, match="longer than 255 bytes") as error:
        Names(items, None).claim(items[0], ".jpg")
    assert len(str(error.value)) < 100
    assert color(Names(items, str(tmp_path / "out")), *items) == {name: name}


def test_results_beside_their_photos_are_not_photos_of_the_next_run(tmp_path: Path) -> None:
    results_of = {"a.jpg": ("a-color.jpg", "a-color-2.png"), "scan": ("scan-color.jpg",), "c.mpo": ("c-color.jpg",)}
    for name in (*results_of, *sum(results_of.values(), ()), "d-color.jpg"):
        put(tmp_path / name, PNG if name.endswith("png") else JPEG)
    found = find([str(tmp_path)], pytest.fail, results(None))
    assert [item.name for item in found.items] == ["a.jpg", "c.mpo", "d-color.jpg"]
    assert found.others == {"JPEG without a suffix": 1}
