"""What stands on a command line: files, folders, patterns, and names that nothing can be done with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from instcolor.sources.given import find
from support import fixtures
from support.command_line import JPEG, PNG, put


def names(*inputs: str) -> list[str]:
    return [item.label for item in find(inputs, pytest.fail).items]


def test_a_folder_with_brackets_in_its_name_is_meant_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("scans [1973]/a.jpg", "scans [1973]/b [x]/c.jpg", "scans 1/d.jpg", "e1.jpg"):
        put(name)
    assert names("scans [1973]/*.jpg") == ["scans [1973]/a.jpg"]
    assert names("scans [1973]/b [x]/*") == ["scans [1973]/b [x]/c.jpg"]
    assert names("scans [1973]/**/*.jpg") == ["scans [1973]/a.jpg", "scans [1973]/b [x]/c.jpg"]
    assert names("scans [12]/*.jpg") == ["scans 1/d.jpg"]  # no folder of that name
    assert names("e[1].jpg") == ["e1.jpg"]


def test_names_that_cannot_be_looked_at_are_left_to_whoever_opens_them(tmp_path: Path) -> None:
    good = str(put(tmp_path / "good.jpg"))
    odd = ["y" * 300 + ".jpg", "a\0.jpg", str(tmp_path / "good.jpg" / "below.jpg")]
    found = find([*odd, good], pytest.fail).items
    assert [item.label for item in found[-1:]] == [good]
    assert len(found) == 4
    assert [item.start(4) for item in found] == [b"", b"", b"", JPEG[:4]]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_may_not_be_entered_costs_what_is_in_it(tmp_path: Path) -> None:
    put(tmp_path / "locked" / "a.jpg").parent.chmod(0)
    try:
        assert len(find([str(tmp_path / "locked" / "a.jpg"), str(put(tmp_path / "b.jpg"))], pytest.fail).items) == 2
    finally:
        (tmp_path / "locked").chmod(0o700)


def test_what_is_left_out_because_of_its_kind_is_counted_by_kind(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.MPO", "c.jp2", "d.dng", "e.DNG", "note.txt", ".hidden.dng", "below/.cache/f.dng"):
        put(tmp_path / name)
    put(tmp_path / "scan", PNG)
    put(tmp_path / "odd", b"text")
    put(tmp_path / "still.gif", fixtures.encoded(fixtures.image("P"), "GIF"))
    found = find([str(tmp_path)], pytest.fail)
    assert {item.name for item in found.items} >= {"a.jpg", "b.MPO"}
    left = {kind: count for kind, count in found.others.items() if kind != "JP2"}  # it may be read one day
    assert left.pop("DNG", 2) == 2
    assert left == {"TXT": 1, "GIF": 1, "PNG without a suffix": 1, "file without a suffix": 1}
