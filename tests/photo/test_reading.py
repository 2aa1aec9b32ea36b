"""Photo: every kind of file comes in as upright lightness, in many threads and little memory."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from instcolor.errors import PhotoError
from instcolor.photo import Photo
from support import fixtures
from support.photographs import colored, lab, reopened


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
    """Pure blue: Pillow's gray of it has L* 10.3, what an eye sees has 32.3."""
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
def test_orientation_is_applied_as_pillow_does(orientation: int, format: str, options: dict[str, Any]) -> None:
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
