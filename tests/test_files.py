"""Files of any kind: whole or not at all; what the disk refuses is a FileError of one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from instcolor.errors import FileError, PhotoError
from instcolor.files import make_folder, shown, write_whole


def test_a_table_that_cannot_be_written_is_no_error_about_a_photo(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"results\.csv: cannot be written, there is no folder") as caught:
        write_whole(tmp_path / "none" / "results.csv", b"a,b\n")
    assert not isinstance(caught.value, PhotoError)


@pytest.mark.parametrize("number", [1, 5, 18, 22, 31, 38, 95, 524])
def test_any_number_may_say_that_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", unsupported)
    path = tmp_path / "table.csv"
    write_whole(path, b"first")
    with pytest.raises(FileError, match="exists already"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(FileError, match=r"taken.below: the folder cannot be made \(Not a directory\)"):
        make_folder(tmp_path / "taken" / "below")


def test_names_are_shown_on_one_line() -> None:
    assert shown(Path("Großmutter.jpg")) == "Großmutter.jpg"
    assert shown(Path("two\nlines.jpg")) == "'two\\nlines.jpg'"
