"""Photo: every kind of file comes in as upright lightness, goes out as it came, and fails in one line."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

import fixtures
from instcolor import limits
from instcolor.colorspace import srgb_to_lab
from instcolor.errors import PhotoError
from instcolor.photo import Photo
from instcolor.photo.formats import READERS, SUFFIXES

ONE_STEP = 100 / 255  # 1/255 of the range of L*


def lab(rgb8: np.ndarray) -> np.ndarray:
    return srgb_to_lab(rgb8.astype(np.float64) / 255)


def colored(photo: Photo, a: float = 12.0, b: float = 18.0) -> Photo:
    return photo.with_color(np.full((*photo.L.shape, 2), (a, b), np.float32))


def reopened(photo: Photo, format: str | None = None) -> Image.Image:
    image = Image.open(io.BytesIO(photo.encode(format)))
    image.load()
    return image


# ---- in ----


@pytest.mark.parametrize("name", sorted(fixtures.good_files()))
def test_every_good_file_is_read_as_lightness_of_its_size(photo_folder: Path, name: str) -> None:
    photo = Photo.open(photo_folder / name)
    turned = name[-5] in "5678" and name.startswith("orientation")
    assert photo.size == ((32, 48) if turned else (48, 32))
    assert photo.L.shape == photo.size[::-1]
    assert photo.L.dtype == np.float32
    assert 0 <= photo.L.min() < 35 < 90 < photo.L.max() <= 100.001
    assert photo.source.name == str(photo_folder / name)
    assert photo.source.notes == ()


def test_path_string_bytes_image_array_and_photo_give_the_same(photo_folder: Path) -> None:
    path = photo_folder / "rgba.png"
    expected = Photo.open(path)
    image = Image.open(path)
    for source in (str(path), path.read_bytes(), image, np.asarray(image)):
        photo = Photo.open(source)
        np.testing.assert_array_equal(photo.L, expected.L)
        np.testing.assert_array_equal(photo.alpha, expected.alpha)
    assert Photo.open(expected) is expected


def test_something_that_is_no_source_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="not int"):
        Photo.open(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", fixtures.MODES)
def test_lightness_is_that_of_the_colors_that_pillow_shows(mode: str) -> None:
    image = fixtures.image(mode)
    photo = Photo.open(image)
    assert photo.source.mode == mode
    if mode in ("I;16", "I"):
        shown = lab(np.asarray(image, np.float64)[..., None].repeat(3, -1) / 257)
    elif mode == "F":
        shown = lab(np.asarray(image)[..., None].repeat(3, -1) * 255)
    elif mode == "LAB":
        shown = lab(np.asarray(fixtures.image("RGB")))
    else:
        straight = {"La": "LA", "RGBa": "RGBA"}.get(mode, mode)
        shown = lab(np.asarray(image.convert(straight).convert("RGB")))
    tolerance = 1.0 if mode == "LAB" else 0.01  # LAB: 8-bit L*, made with another white
    np.testing.assert_allclose(photo.L, shown[..., 0], atol=tolerance)


@pytest.mark.parametrize("gammas", [(0.8, 0.95, 1.2), (2.0, 1.2, 0.7)], ids=["sepia", "cyanotype"])
def test_a_tint_reads_as_the_lightness_of_its_colors(gammas: tuple[float, float, float]) -> None:
    image = fixtures.toned(gammas)
    np.testing.assert_allclose(Photo.open(image).L, lab(np.asarray(image))[..., 0], atol=0.006)


def test_lightness_is_no_average_of_channels() -> None:
    """Pure blue: Pillow's grey of it has L* 10.3, what an eye sees has 32.3."""
    assert Photo.open(np.full((1, 1, 3), (0, 0, 255), np.uint8)).L[0, 0] == pytest.approx(32.3, abs=0.01)


def test_scans_of_twelve_bits_and_scans_that_count_from_white() -> None:
    twelve = Photo.open(fixtures.tiff(2, 1, 12, bytes([0xFF, 0xF0, 0x00])))
    np.testing.assert_allclose(twelve.L, [[100, 0]], atol=1e-3)
    inverted = Photo.open(fixtures.tiff(2, 1, 16, np.array([0, 65535], "<u2").tobytes(), photometric=0))
    np.testing.assert_allclose(inverted.L, [[100, 0]], atol=1e-3)


def test_numbers_without_a_declared_white_are_stretched_with_a_note() -> None:
    photo = Photo.open(np.array([[-3.0, 0.5, 7e6, np.nan]]))
    assert photo.L.min() < 1
    assert photo.L.max() == pytest.approx(100, abs=1e-3)
    assert "no declared white" in photo.source.notes[0]
    assert Photo.open(np.array([[0.0, 1.0]])).source.notes == ()
    assert np.isfinite(Photo.open(np.array([[-1e308, 1e308, np.inf, -np.inf, np.nan]])).L).all()
    assert np.isfinite(Photo.open(np.full((2, 2), np.nan)).L).all()
    np.testing.assert_array_equal(Photo.open(np.array([[0, 255]])).L, Photo.open(np.array([[False, True]])).L)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0, 3), (3, 4, 5), (5,), (2, 3, 4, 3)])
def test_arrays_of_a_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(PhotoError, match="<array>: "):
        Photo.open(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("format", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})],
)
def test_orientation_is_applied_as_pillow_does(orientation: int, format: str, options: dict) -> None:
    data = fixtures.encoded(fixtures.image("RGB"), format, exif=fixtures.exif(orientation), **options)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    photo = Photo.open(data)
    assert photo.size == upright.size
    np.testing.assert_allclose(photo.L, lab(np.asarray(upright))[..., 0], atol=0.006)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_alpha_turns_with_the_photo_and_the_tag_does_not_come_out_again(orientation: int) -> None:
    data = fixtures.encoded(fixtures.image("RGBA"), "PNG", exif=fixtures.exif(orientation))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    photo = Photo.open(data)
    np.testing.assert_array_equal(photo.alpha, np.asarray(upright)[..., 3])
    result = reopened(colored(photo))
    assert result.size == upright.size
    assert fixtures.ORIENTATION_TAG not in result.getexif()


def test_damaged_exif_costs_the_orientation_only(monkeypatch: pytest.MonkeyPatch) -> None:
    block = fixtures.exif(6)
    for cut in (8, 12, 20):
        assert Photo.open(fixtures.encoded(fixtures.image("L"), "JPEG", exif=block[:cut])).size == (48, 32)

    def broken(self: Image.Image) -> Image.Exif:
        raise ZeroDivisionError

    monkeypatch.setattr(Image.Image, "getexif", broken)
    photo = Photo.open(fixtures.encoded(fixtures.image("L"), "BMP"))
    assert photo.source.notes == ("has damaged metadata, which is left out",)


def test_a_scan_with_lost_lines_is_read_with_a_note_and_nothing_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    data = fixtures.encoded(fixtures.image("1", 200, 150), "TIFF", compression="group4")
    photo = Photo.open(fixtures.flipped(data, 300, 4))
    assert photo.size == (200, 150)
    assert photo.source.notes == ("is damaged, parts of the picture may be missing",)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_of_pages_and_frames_the_first_is_read_and_that_is_said(format: str) -> None:
    first, second = Image.new("RGB", (5, 4), "white"), Image.new("RGB", (5, 4), "black")
    photo = Photo.open(fixtures.encoded(first, format, save_all=True, append_images=[second]))
    assert photo.L.min() > 99
    assert "only the first" in photo.source.notes[0]


def test_transparent_value_of_a_gray_png_of_any_depth_becomes_alpha() -> None:
    value = int(fixtures.gray_scene()[0, 0])
    photo = Photo.open(fixtures.good_files()["gray-transparent.png"])
    np.testing.assert_array_equal(photo.alpha, np.where(fixtures.gray_scene() == value, 0, 255))
    extra = fixtures.chunk(b"tRNS", b"\x03\xe8")
    rows = b"\0" + np.array([1000, 2000], ">u2").tobytes()
    np.testing.assert_array_equal(Photo.open(fixtures.png(2, 1, 16, 0, rows, extra)).alpha, [[0, 255]])


def test_a_jpeg_with_further_pictures_is_a_jpeg_from_bytes_and_from_pillow() -> None:
    data = fixtures.encoded(fixtures.image("RGB"), "MPO", save_all=True, append_images=[fixtures.image("RGB")])
    for source in (data, Image.open(io.BytesIO(data))):
        assert Photo.open(source).format == "JPEG"


# ---- refused ----


HEIC = Path(__file__).parent / "data" / "photos" / "scene.heic"


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


# ---- out ----


@settings(max_examples=80, deadline=None)
@given(
    mode=st.sampled_from(fixtures.MODES),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    a=st.floats(-20, 20),
    b=st.floats(-20, 20),
    format=st.sampled_from([None, "PNG", "TIFF", "BMP"]),
)
def test_any_mode_and_size_comes_out_with_its_size_lightness_and_alpha(
    mode: str, width: int, height: int, a: float, b: float, format: str | None
) -> None:
    photo = Photo.open(fixtures.image(mode, width, height))
    result = reopened(colored(photo, a, b), format)
    assert result.size == photo.size == (width, height)
    assert result.mode == ("RGB" if photo.alpha is None or format == "BMP" else "RGBA")
    opaque = np.ones_like(photo.L, bool)
    if photo.alpha is not None:
        if format == "BMP":
            opaque = photo.alpha == 255
        else:
            np.testing.assert_array_equal(np.asarray(result)[..., 3], photo.alpha)
    L = lab(np.asarray(result)[..., :3])[..., 0]
    assert np.abs(L - photo.L)[opaque].max(initial=0) <= ONE_STEP


def test_colors_come_out_where_they_are_in_gamut() -> None:
    photo = colored(Photo.open(np.full((5, 7), 128, np.uint8)), 20, -30)
    np.testing.assert_allclose(lab(photo.rgb())[..., 1:], np.broadcast_to((20.0, -30.0), (5, 7, 2)), atol=0.7)
    np.testing.assert_array_equal(np.asarray(photo.image()), photo.rgb())


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (65_535, 1), (1, 65_535), (65_535, 3)])
def test_extreme_sizes(size: tuple[int, int]) -> None:
    photo = Photo.open(fixtures.encoded(Image.new("L", size, 90), "PNG"))
    assert photo.size == size
    assert reopened(colored(photo)).size == size


@pytest.mark.parametrize(("format", "side"), limits.MAX_SIDE.items())
def test_sides_that_a_format_cannot_hold_are_refused(format: str, side: int) -> None:
    assert reopened(colored(Photo.open(np.zeros((1, side), np.uint8))), format).size == (side, 1)
    with pytest.raises(PhotoError, match=f"at most {side} pixels a side, not {side + 1}"):
        colored(Photo.open(np.zeros((1, side + 1), np.uint8))).encode(format)


@pytest.mark.parametrize("name", sorted(fixtures.good_files()))
def test_a_file_goes_out_in_the_format_it_came_in(name: str) -> None:
    photo = Photo.open(fixtures.good_files()[name])
    result = reopened(colored(photo))
    assert result.format == photo.format == photo.source.format
    assert photo.suffix[1:3] == name.rpartition(".")[2][:2]
    assert result.mode in ("RGB", "RGBA")
    assert (result.mode == "RGBA") == (photo.alpha is not None)
    tolerance = 12 if result.format in ("JPEG", "WEBP") else ONE_STEP
    L = lab(np.asarray(result)[..., :3])[..., 0]
    assert np.abs(L - photo.L).max() < tolerance


def test_without_a_source_format_or_where_it_cannot_hold_alpha_it_is_png() -> None:
    assert Photo.open(fixtures.gray_scene()).format == "PNG"
    jpeg = Photo.open(fixtures.good_files()["gray.jpg"])
    assert jpeg.format == "JPEG"
    assert Photo(jpeg.L, jpeg.source, alpha=fixtures.opacity()).format == "PNG"


def test_transparent_parts_are_white_in_a_jpeg() -> None:
    photo = colored(Photo.open(np.dstack([fixtures.gray_scene(), fixtures.gray_scene() * 0])))
    assert np.asarray(reopened(photo, "jpeg")).min() > 253


@pytest.mark.parametrize("quality", [50, 80, 90, 95, 99])
def test_jpeg_quality_is_that_of_the_source_but_never_poor(quality: int) -> None:
    photo = Photo.open(fixtures.encoded(fixtures.image("L"), "JPEG", quality=quality))
    assert photo.source.save_options["quality"] == pytest.approx(max(75, quality), abs=1)
    assert photo.source.save_options["subsampling"] == ("4:4:4" if quality >= 90 else "4:2:0")


def test_lossless_stays_lossless() -> None:
    photo = colored(Photo.open(fixtures.good_files()["lossless.webp"]))
    np.testing.assert_array_equal(np.asarray(reopened(photo))[..., :3], photo.rgb())
    assert Photo.open(fixtures.good_files()["rgb.webp"]).source.save_options == {}
    extended = fixtures.encoded(fixtures.image("RGB"), "WEBP", lossless=True, exif=fixtures.exif(1))
    assert Photo.open(extended).source.save_options["lossless"] is True
    assert reopened(colored(Photo.open(fixtures.good_files()["cmyk.tif"]))).info["compression"] == "tiff_lzw"


def test_nothing_gray_is_ever_passed_off_as_a_result() -> None:
    photo = Photo.open(fixtures.gray_scene())
    for ask in (photo.rgb, photo.image, photo.encode):
        with pytest.raises(ValueError, match="no colours yet"):
            ask()
    with pytest.raises(ValueError, match="the photo needs"):
        photo.with_color(np.zeros((4, 4, 2), np.float32))


def test_with_color_keeps_the_rest() -> None:
    photo = Photo.open(fixtures.image("LA"))
    result = photo.with_color(np.zeros((32, 48, 2)), objects=[], confidence=np.ones((8, 12)))  # type: ignore[arg-type]
    assert result.L is photo.L
    assert result.alpha is photo.alpha
    assert result.source is photo.source
    assert result.ab is not None
    assert result.ab.dtype == np.float32
    assert result.objects == ()
    assert result.confidence is not None
    assert photo.ab is None


def test_unknown_format_and_suffix() -> None:
    photo = colored(Photo.open(fixtures.gray_scene()))
    with pytest.raises(PhotoError, match="cannot write GIF"):
        photo.encode("gif")
    for name in ("photo", "photo.gif", "photo.heic"):
        with pytest.raises(PhotoError, match="the suffix is none of"):
            photo.save(name)


# ---- on the disk ----


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


def test_a_file_system_without_hard_links_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*args: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unsupported)
    photo = colored(Photo.open(fixtures.gray_scene()))
    photo.save(tmp_path / "photo.bmp")
    assert os.listdir(tmp_path) == ["photo.bmp"]


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


# ---- the machine ----


def test_twelve_megapixels_stay_within_their_memory() -> None:
    program = """
import io, resource
import numpy as np
from PIL import Image
from instcolor.photo import Photo
stream = io.BytesIO()
Image.effect_noise((400, 300), 40).resize((4000, 3000)).convert("RGB").save(stream, "JPEG")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
photo = Photo.open(stream.getvalue())
photo.with_color(np.ones((3000, 4000, 2), np.float32)).encode()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 300


def test_photos_are_read_in_many_threads_at_once() -> None:
    names = sorted(fixtures.good_files())
    expected = [Photo.open(fixtures.good_files()[name]).L for name in names]
    barrier = threading.Barrier(4)

    def read_all(_: int) -> list[np.ndarray]:
        barrier.wait()
        return [Photo.open(fixtures.good_files()[name]).L for name in names]

    with ThreadPoolExecutor(4) as pool:
        for planes in pool.map(read_all, range(4)):
            for plane, right in zip(planes, expected, strict=True):
                np.testing.assert_array_equal(plane, right)


def test_a_huge_claim_costs_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in ("huge.png", "huge.tif", "huge.webp"):
        with pytest.raises(PhotoError):
            Photo.open(fixtures.bad_files()[name][0])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
