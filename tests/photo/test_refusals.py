"""Photo: what is damaged, forbidden or too large fails in one line."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from instcolor import limits
from instcolor.errors import PhotoError
from instcolor.photo import Photo
from instcolor.photo.formats import READERS, SUFFIXES
from support import fixtures
from support.photographs import colored
from support.places import DATA

HEIC = DATA / "photos" / "scene.heic"


def test_heic_is_read_upright_and_comes_home_as_jpeg(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif", reason="pi-heif is not installed")
    photo = Photo.open(HEIC)
    assert photo.size == (64, 96)  # the file says that its 96 x 64 pixels lie on the side
    expected = Photo.open(Image.fromarray(fixtures.scene(96, 64)).rotate(-90, expand=True)).L
    assert np.abs(photo.L - expected).mean() < 3
    assert photo.suffix == ".jpg"
    assert "comes home as JPEG" in photo.source.notes[0]
    image = Image.open(io.BytesIO(photo.with_color(np.zeros((96, 64, 2))).encode()))
    assert image.format == "JPEG"
    assert image.getexif()[ExifTags.Base.Make] == "Leitz"
    with pytest.raises(PhotoError, match="the limit is"):
        Photo.open(HEIC, max_pixels=64 * 96 - 1)
    for cut in (0.3, 0.6, 0.95):
        with pytest.raises(PhotoError):
            Photo.open(HEIC.read_bytes()[: int(HEIC.stat().st_size * cut)])


def test_without_its_extra_heic_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif.as_plugin", None)
    with pytest.raises(PhotoError, match=r"scene.heic: HEIC files need .* 'instcolor\[heic\]'$"):
        Photo.open(HEIC)


@pytest.mark.parametrize("name", sorted(fixtures.bad_files()))
def test_bad_files_are_refused_in_one_line_with_name_and_reason(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data, reason = fixtures.bad_files()[name]
    (tmp_path / name).write_bytes(data)
    for source, called in ((tmp_path / name, str(tmp_path / name)), (data, "<bytes>")):
        with pytest.raises(PhotoError) as caught:
            Photo.open(source)
        message = str(caught.value)
        assert message.startswith(f"{called}: ")
        assert reason in message
        assert "\n" not in message
    assert capfd.readouterr() == ("", "")


def test_missing_directory_pipe_and_null_byte(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"none\.jpg: no such file"):
        Photo.open(tmp_path / "none.jpg")
    with pytest.raises(PhotoError, match="is a directory"):
        Photo.open(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="not a regular file"):
        Photo.open(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="null"):
        Photo.open("a\0b.jpg")


def test_a_name_that_would_spoil_the_message_is_shown_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a\nb\x1b[31m\udcff.jpg"
    path.write_bytes(b"")
    photo = colored(Photo.open(fixtures.gray_scene()))
    for act in (lambda: Photo.open(path), lambda: photo.save(path)):
        with pytest.raises(PhotoError, match=r"a\\nb\\x1b\[31m\\udcff\.jpg'?: ") as caught:
            act()
        assert str(caught.value).isprintable()


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(fixtures.encoded(fixtures.image("L"), "PNG"))

    def refuse(self: Path, *args: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PhotoError, match=r"secret\.png: no permission"):
        Photo.open(path)


def test_pixel_limit_one_below_at_and_one_above() -> None:
    data = fixtures.encoded(fixtures.image("L", 40, 25), "PNG")
    for source in (data, Image.open(io.BytesIO(data)), np.zeros((25, 40), np.uint8)):
        assert Photo.open(source, max_pixels=1001).size == (40, 25)
        assert Photo.open(source, max_pixels=1000).size == (40, 25)
        with pytest.raises(PhotoError, match="40 x 25 pixels are 0.0 megapixels, the limit is 0.0"):
            Photo.open(source, max_pixels=999)


def test_our_limit_holds_instead_of_pillows_and_pillow_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for format in ("PNG", "TIFF", "WEBP", "JPEG", "BMP"):
        assert Photo.open(fixtures.encoded(fixtures.image("RGB", 40, 25), format)).size == (40, 25)
    assert Image.MAX_IMAGE_PIXELS == 100
    assert limits.MAX_PIXELS == limits.MAX_PIXELS_CLI == 100_000_000


def test_only_the_allowed_decoders_see_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **options: object) -> None:
        raise AssertionError("Image.open asks every decoder that it knows")

    monkeypatch.setattr(Image, "open", forbidden)
    for data in fixtures.good_files().values():
        Photo.open(data)
    assert set(SUFFIXES.values()) == set(READERS) == {"JPEG", "PNG", "TIFF", "WEBP", "BMP"}


def test_memory_that_runs_out_is_a_photo_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(self: Image.Image) -> None:
        raise MemoryError

    data = fixtures.encoded(fixtures.image("L"), "BMP")
    monkeypatch.setattr(Image.Image, "load", exhausted)
    with pytest.raises(PhotoError, match="not enough memory"):
        Photo.open(data)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(fixtures.good_files())),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    cut=st.floats(0.1, 1),
)
def test_damage_anywhere_gives_a_photo_or_a_photo_error(name: str, places: list[tuple[float, int]], cut: float) -> None:
    data = bytearray(fixtures.good_files()[name])
    for where, value in places:
        data[int(where * len(data))] = value
    try:
        photo = Photo.open(bytes(data[: int(cut * len(data))]), max_pixels=4_000_000)
    except PhotoError:
        return
    assert np.isfinite(photo.L).all()
