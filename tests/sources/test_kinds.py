"""Places that hold photos: folders, zip files, tar shards, COCO lists, and one of a kind of its own."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from instcolor.errors import InstcolorError, PhotoError
from instcolor.sources import BytesItem, Item, kinds, open_source, read_all
from instcolor.sources.kinds import expand
from support.archives import packed
from support.command_line import JPEG, PNG, put


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {"abbey/1.png": PNG, "beach/1.png": PNG + b"2", "beach/deep/2.jpg": JPEG, "notes.txt": b"-"}
    for name, data in files.items():
        put(tmp_path / "tree" / name, data)
    return tmp_path / "tree"


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_every_kind_gives_the_same_names_and_bytes_here_and_in_another_process(tree: Path, kind: str) -> None:
    source = open_source(tree if kind == "folder" else packed(tree, kind))
    items = list(source)
    assert [item.name for item in items] == ["abbey/1.png", "beach/1.png", "beach/deep/2.jpg"]
    assert [item.read() for item in items] == [PNG, PNG + b"2", JPEG]
    assert [item.start(4) for item in reversed(items)] == [JPEG[:4], PNG[:4], PNG[:4]]
    sent: list[Item] = pickle.loads(pickle.dumps(items))
    assert sent == items
    assert sent[1].read() == PNG + b"2"
    assert all(item.label.endswith(item.name) for item in items)


def test_a_coco_list_names_its_photos_in_order(tree: Path) -> None:
    images = [{"file_name": "beach/1.png"}, {"file_name": "abbey/1.png"}]
    listed = put(tree / "list.json", json.dumps({"images": images}).encode())
    read = [(item.name, item.read()) for item in open_source(listed)]
    assert read == [("abbey/1.png", PNG), ("beach/1.png", PNG + b"2")]


def test_a_pattern_stands_for_many_shards(tree: Path) -> None:
    for number in range(3):
        packed(tree, "tar").rename(tree.parent / f"shard-{number}.tar")
    found = expand([str(tree.parent / "shard-*.tar")])
    assert [path.name for path in found] == ["shard-0.tar", "shard-1.tar", "shard-2.tar"]
    assert len({name for name, _ in read_all(found)}) == 9  # names that come again have their shard in front
    with pytest.raises(InstcolorError, match="no such folder or file"):
        expand([str(tree / "*.tar")])


def test_what_a_torn_shard_still_has_is_read(tree: Path) -> None:
    shard = packed(tree, "tar")
    data = shard.read_bytes()
    shard.write_bytes(data[: data.index(b"beach/deep/2.jpg") + 600])
    read = list(read_all([shard]))
    assert read[0] == ("abbey/1.png", (tree / "abbey/1.png").read_bytes())
    assert read[-1] == ("photos.tar", None)


def test_a_photo_damaged_inside_a_zip_costs_that_photo_alone(tree: Path) -> None:
    archive = packed(tree, "zip")
    data = bytearray(archive.read_bytes())
    place = data.index((tree / "abbey/1.png").read_bytes()) + 100
    data[place : place + 4] = b"\0\0\0\0"
    archive.write_bytes(data)
    read = dict(read_all([archive]))
    assert read["abbey/1.png"] is None
    assert read["beach/1.png"] == (tree / "beach/1.png").read_bytes()


def test_a_photo_that_is_gone_is_an_error_that_names_it(tree: Path) -> None:
    items = list(open_source(tree))
    items[0].path.unlink()
    with pytest.raises(PhotoError, match=r"abbey/1\.png: cannot be read \(No such file"):
        items[0].read()
    assert items[0].start(4) == b""


def test_the_state_of_a_place_changes_with_its_photos_alone(tree: Path) -> None:
    before = open_source(tree).state()
    put(tree / "more notes.txt", b"-")
    assert open_source(tree).state() == before
    put(tree / "abbey" / "3.png", PNG)
    assert open_source(tree).state() != before


@dataclass(frozen=True)
class Shelf:
    """A source of another kind: photos that stand in its address."""

    address: str

    @classmethod
    def opened(cls, where: str | Path) -> Self | None:
        return cls(str(where)) if str(where).startswith("shelf:") else None

    def __iter__(self) -> Iterator[Item]:
        for name in sorted(self.address.removeprefix("shelf:").split(",")):
            yield BytesItem(name, Path(self.address) / name, f"{self.address}/{name}", PNG)

    def state(self) -> str:
        return self.address


def test_another_source_is_one_class_and_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InstcolorError, match="no such file"):
        open_source("shelf:b.png,a.png")
    monkeypatch.setattr(kinds, "KINDS", [*kinds.KINDS, Shelf])
    assert [item.name for item in open_source("shelf:b.png,a.png")] == ["a.png", "b.png"]
    assert dict(read_all(["shelf:a.png"])) == {"a.png": PNG}
