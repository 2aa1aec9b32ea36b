"""Photo: it goes out as it came, in color."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from instcolor import limits
from instcolor.errors import PhotoError
from instcolor.photo import Photo
from support import fixtures
from support.photographs import ONE_STEP, colored, lab, reopened


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
        with pytest.raises(ValueError, match="no colors yet"):
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
