"""Photo: written whole or not at all, and never over another file unless asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from instcolor.errors import PhotoError
from instcolor.photo import Photo
from instcolor.photo.formats import SUFFIXES
from support import fixtures
from support.photographs import colored


@pytest.mark.parametrize(("suffix", "format"), SUFFIXES.items())
def test_save_takes_the_format_from_the_suffix(tmp_path: Path, suffix: str, format: str) -> None:
    path = colored(Photo.open(fixtures.gray_scene())).save(tmp_path / f"photo{suffix.upper()}")
    with Image.open(path) as image:
        assert image.format == format
        assert image.size == (48, 32)
    assert os.listdir(tmp_path) == [path.name]


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"precious")
    photo = colored(Photo.open(fixtures.gray_scene()))
    with pytest.raises(PhotoError, match=r"photo\.png: exists already"):
        photo.save(path)
    assert path.read_bytes() == b"precious"
    photo.save(path, overwrite=True)
    assert path.read_bytes() == photo.encode("PNG")
    assert os.listdir(tmp_path) == ["photo.png"]


def test_a_file_that_appears_while_writing_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "photo.png"
    fsync = os.fsync

    def late(descriptor: int) -> None:
        path.write_bytes(b"precious")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", late)
    with pytest.raises(PhotoError, match="exists already"):
        colored(Photo.open(fixtures.gray_scene())).save(path)
    assert path.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["photo.png"]


@pytest.mark.parametrize("number", [1, 5, 18, 22, 38, 95, 524])
def test_a_file_system_without_hard_links_is_written_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def unsupported(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", unsupported)
    photo = colored(Photo.open(fixtures.gray_scene()))
    photo.save(tmp_path / "photo.bmp")
    assert os.listdir(tmp_path) == ["photo.bmp"]


@pytest.mark.parametrize("bytes_", [28, 200, 255])
def test_long_names_are_saved_too(tmp_path: Path, bytes_: int) -> None:
    path = tmp_path / ("ü" * ((bytes_ - 4) // 2) + "x" * (bytes_ % 2) + ".png")
    assert len(os.fsencode(path.name)) == bytes_
    assert colored(Photo.open(fixtures.gray_scene())).save(path) == path
    assert os.listdir(tmp_path) == [path.name]
    with pytest.raises(PhotoError, match="exists already"):
        colored(Photo.open(fixtures.gray_scene())).save(path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x" * 252 + ".png", "File name too long"), ("a\0.png", "null byte"), ("file/a.png", "Not a directory")],
    ids=["long", "null byte", "below a file"],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_name_that_no_disk_takes_is_a_photo_error(tmp_path: Path, name: str, reason: str, overwrite: bool) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PhotoError, match=reason) as error:
        colored(Photo.open(fixtures.gray_scene())).save(tmp_path / name, overwrite=overwrite)
    assert "\n" not in str(error.value)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_may_not_be_entered_is_a_photo_error(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.raises(PhotoError, match="Permission denied"):
        colored(Photo.open(fixtures.gray_scene())).save(tmp_path / "locked" / "a.png")


def test_new_files_have_the_usual_permissions(tmp_path: Path) -> None:
    path = colored(Photo.open(fixtures.gray_scene())).save(tmp_path / "photo.png")
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_no_such_folder_and_a_folder_in_the_way(tmp_path: Path) -> None:
    photo = colored(Photo.open(fixtures.gray_scene()))
    with pytest.raises(PhotoError, match="there is no folder"):
        photo.save(tmp_path / "none" / "photo.png")
    (tmp_path / "photo.png").mkdir()
    with pytest.raises(PhotoError, match=r"photo\.png: cannot be written \(Is a directory\)"):
        photo.save(tmp_path / "photo.png", overwrite=True)
    assert os.listdir(tmp_path) == ["photo.png"]


@pytest.mark.parametrize(("error", "reason"), [(28, "No space left"), (30, "Read-only"), (13, "Permission denied")])
def test_a_disk_that_refuses_leaves_no_debris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, reason: str
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "fsync", refuse)
    path = tmp_path / "photo.png"
    path.write_bytes(b"precious")
    with pytest.raises(PhotoError, match=rf"photo\.png: cannot be written \({reason}"):
        colored(Photo.open(fixtures.gray_scene())).save(path, overwrite=True)
    assert path.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["photo.png"]


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        colored(Photo.open(fixtures.gray_scene())).save(tmp_path / "photo.png")
    assert os.listdir(tmp_path) == []


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    program = """
import resource, sys
import numpy as np
from instcolor.errors import PhotoError
from instcolor.photo import Photo
photo = Photo.open(np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8))
photo = photo.with_color(np.zeros((200, 200, 2), np.float32))
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    photo.save(sys.argv[1])
except PhotoError as error:
    print(error)
"""
    path = tmp_path / "photo.png"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{path}: cannot be written (File too large)\n"
    assert os.listdir(tmp_path) == []
