"""16 bits a channel in, 16 bits out: what Pillow reads and writes of it, and what it does not."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import TiffImageFile

from instcolor.colorspace import srgb_to_lab
from instcolor.photo import Mark, Photo
from instcolor.photo import values as deep_values
from instcolor.photo.xmp import SOURCE_TYPE
from support import fixtures
from support.photographs import opened
from support.tagged_photos import ADOBE, IPTC, colored, description, exif, profile, tags

tifffile = pytest.importorskip("tifffile", reason="tifffile, which comes with scikit-image, is missing")


def noise(channels: int, height: int = 21, width: int = 34) -> np.ndarray:
    """(h, w, channels) 16-bit values, every bit of which counts."""
    return np.random.default_rng(channels).integers(0, 65536, (height, width, channels)).astype(np.uint16)


def png(values: np.ndarray, extra: bytes = b"", interlaced: bool = False) -> bytes:
    """A PNG file of (h, w, 2 to 4) values with a filter of its own in every row (ISO/IEC 15948, section 9)."""
    height, width, channels = values.shape
    parts = [values[y0::dy, x0::dx] for y0, x0, dy, dx in ADAM7] if interlaced else [values]
    rows = b"".join(filtered(part) for part in parts if part.size)
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, int(interlaced))
    chunks = fixtures.chunk(b"IHDR", header) + extra + fixtures.chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunks + fixtures.chunk(b"IEND", b"")


ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def filtered(values: np.ndarray) -> bytes:
    channels = values.shape[2]
    rows = values.astype(">u2").reshape(len(values), -1).view(np.uint8).astype(int)
    step, above, result = 2 * channels, np.zeros(rows.shape[1], int), b""
    for number, row in enumerate(rows):
        left, corner = (np.concatenate([np.zeros(step, int), line[:-step]]) for line in (row, above))
        guess = left + above - corner
        far = np.abs([guess - left, guess - above, guess - corner])
        paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], above, corner))
        change = row - (0, left, above, (left + above) // 2, paeth)[number % 5]
        result += bytes([number % 5]) + change.astype(np.uint8).tobytes()
        above = row
    return result


def lightness(values: np.ndarray) -> np.ndarray:
    L: np.ndarray = srgb_to_lab(values[..., :3] / 65535.0)[..., 0]
    return L


def assert_every_bit(photo: Photo, values: np.ndarray) -> None:
    """A step of the lowest bit is 0.0005 L* at least, an eighth bit 0.2."""
    assert photo.source.bits == 16
    assert photo.source.notes == ()
    np.testing.assert_allclose(photo.L, lightness(values), atol=1e-4)
    if values.shape[2] == 4:
        np.testing.assert_array_equal(photo.alpha, values[..., 3])


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_colors_of_a_png_are_read_with_every_bit(channels: int, interlaced: bool) -> None:
    values = noise(channels)
    assert_every_bit(Photo.open(png(values, interlaced=interlaced)), values)


def test_gray_and_alpha_of_a_png_are_read_with_every_bit() -> None:
    values = noise(2)
    photo = Photo.open(png(values))
    np.testing.assert_allclose(photo.L, lightness(values[..., :1].repeat(3, -1)), atol=1e-4)
    np.testing.assert_array_equal(photo.alpha, values[..., 1])
    assert photo.source.notes == ()


def test_the_transparent_color_of_a_png_is_that_color_only() -> None:
    values = noise(3)
    values[3, 4], values[3, 5] = (1000, 2000, 3000), (1000, 2000, 3001)
    photo = Photo.open(png(values, fixtures.chunk(b"tRNS", struct.pack(">3H", 1000, 2000, 3000))))
    assert photo.alpha is not None
    assert photo.alpha[3, 4] == 0
    assert (photo.alpha == 65535).sum() == photo.alpha.size - 1


LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "big-endian": {"byteorder": ">"},
    "tiles": {"tile": (16, 16)},
    "deflate": {"compression": "zlib"},
    "deflate-big-endian": {"compression": "zlib", "byteorder": ">"},
    "predictor": {"compression": "zlib", "predictor": 2},
    "bigtiff": {"bigtiff": True},
    "planes": {"planarconfig": "separate"},
    "planes-big-endian": {"planarconfig": "separate", "byteorder": ">"},
}


def tiff(values: np.ndarray, **layout: Any) -> bytes:
    stream = io.BytesIO()
    data = np.moveaxis(values, -1, 0) if "planarconfig" in layout else values
    extra = ["unassalpha"] if values.shape[2] == 4 else None
    tifffile.imwrite(stream, data, photometric="rgb", extrasamples=extra, metadata=None, **layout)
    return stream.getvalue()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_colors_of_a_tiff_are_read_with_every_bit(layout: dict[str, Any], channels: int) -> None:
    values = noise(channels)
    assert_every_bit(Photo.open(tiff(values, **layout)), values)


def test_what_is_read_with_8_bits_says_so() -> None:
    values = noise(3)
    packed_planes = Photo.open(tiff(values, planarconfig="separate", compression="zlib"))
    opened_before = Photo.open(Image.open(io.BytesIO(png(values))))
    for photo in (packed_planes, opened_before):
        assert photo.source.bits == 16
        assert "16 bits" in photo.source.notes[0]
        np.testing.assert_allclose(photo.L, lightness((values >> 8) * 257.0), atol=0.01)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_a_profile_gives_16_bit_values_their_lightness(format: str) -> None:
    values = noise(3)
    if format == "PNG":
        block = b"p\0\0" + zlib.compress(ADOBE)
        photo = Photo.open(png(values, fixtures.chunk(b"iCCP", block)))
    else:
        photo = Photo.open(tiff(values, iccprofile=ADOBE))
    light = (values / 65535.0) ** (563 / 256) @ (0.31111, 0.62567, 0.06322)
    expected = 116 * np.cbrt(light) - 16
    np.testing.assert_allclose(photo.L[light > 0.01], expected[light > 0.01], atol=0.01)
    assert photo.source.bits == 16


@pytest.mark.parametrize("source", ["PNG", "TIFF"])
def test_a_16_bit_color_scan_comes_home_with_its_lightness(source: str) -> None:
    values = noise(4) // 4 + 24_000
    data = png(values) if source == "PNG" else tiff(values)
    result = colored(data, (2, 2)).encode("PNG")
    read = deep_png(result)
    np.testing.assert_allclose(lightness(read), lightness(values), atol=0.003)
    np.testing.assert_array_equal(read[..., 3], values[..., 3])


def deep_png(data: bytes) -> np.ndarray:
    """(h, w, channels) of a PNG with 16 bits a channel, read without Pillow, which drops half of them."""
    place, packed = 8, b""
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + size]
        assert struct.unpack_from(">I", data, place + 8 + size)[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, bits, color = struct.unpack_from(">IIBB", body)
            assert bits == 16
        packed += body if kind == b"IDAT" else b""
        place += 12 + size
    channels = {2: 3, 6: 4}[color]
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 2).all()
    return np.cumsum(rows[:, 1:], 0, dtype=np.uint8).view(">u2").reshape(height, width, channels)


def ramp() -> np.ndarray:
    """16-bit grays of which 256 levels could tell only a few apart."""
    return np.tile(np.linspace(30_000, 31_000, 600).astype(np.uint16), (40, 1))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bits_in_16_bits_out(format: str) -> None:
    data = fixtures.encoded(Image.fromarray(ramp()), format)
    result = colored(data, (10, 0)).encode(mark=Mark(model="lite"))
    image = opened(result)
    assert image.size == (600, 40)
    assert description(image).get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE
    if format == "PNG":
        values = deep_png(result)
        assert len(np.unique(values[..., 1])) > 300
        lab = srgb_to_lab(values[0] / 65535.0)
        original = srgb_to_lab(np.stack([ramp()[0] / 65535.0] * 3, -1))
        assert np.abs(lab[:, 0] - original[:, 0]).max() < 0.01
        assert np.abs(lab[:, 1] - 10).max() < 0.05
    else:
        assert isinstance(image, TiffImageFile)
        assert image.tag_v2[258] == (16, 16, 16)
        eight = np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(srgb_to_lab(eight / 255.0)[..., 1] - 10).max() < 1


def test_16_bit_tiff_holds_every_bit() -> None:
    photo = colored(fixtures.encoded(Image.fromarray(ramp()), "TIFF", dpi=(300, 300)), (10, 0))
    data = photo.encode()
    read = tifffile.imread(io.BytesIO(data))
    np.testing.assert_array_equal(read, deep_png(photo.encode("PNG")))
    assert [round(v) for v in opened(data).info["dpi"]] == [300, 300]


def test_16_bits_keep_exif_in_png_and_tiff() -> None:
    block = exif(6)
    for format in ("PNG", "TIFF"):
        given = tags(block) if format == "TIFF" else block.tobytes()
        image = opened(colored(fixtures.encoded(Image.fromarray(ramp()), format, exif=given)).encode())
        assert image.size == (40, 600)
        assert image.getexif()[ExifTags.Base.Make] == "Leitz"
        inner = image.getexif().get_ifd(ExifTags.IFD.Exif)
        assert inner[ExifTags.Base.DateTimeOriginal] == "1936:07:12 10:00:00"
        assert not image.getexif().get_ifd(ExifTags.IFD.GPSInfo)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_the_corner_mark_costs_no_bits(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = Image.fromarray(np.tile(ramp(), (6, 1)))
    photo = colored(fixtures.encoded(wide, format), (10, 0))
    read = deep_png if format == "PNG" else (lambda data: tifffile.imread(io.BytesIO(data)))
    plain, marked = (read(photo.encode(mark=Mark(corner=corner))) for corner in (False, True))
    changed = (plain != marked).any(-1)
    assert changed[220:, 520:].mean() > 0.1
    assert not changed[:200].any()
    assert not changed[:, :480].any()
    assert marked.max() > 55_000  # the letters
    monkeypatch.setattr(deep_values, "DEEP_STRIP_PIXELS", 600 * 7)
    np.testing.assert_array_equal(read(photo.encode(mark=Mark(corner=True))), marked)


def test_16_bits_in_a_profile() -> None:
    photo = colored(fixtures.encoded(Image.fromarray(ramp()), "PNG", icc_profile=profile("GRAY", 2.2)), (5, 5))
    assert np.abs(np.diff(photo.L[0])).max() < 0.05
    assert photo.source.bits == 16


def test_sixteen_bits_stay_sixteen_bits() -> None:
    ramp = np.arange(30_000, 30_256, dtype=np.uint16).reshape(1, 256)  # a single step of 8 bits
    for source in (
        ramp,
        fixtures.encoded(Image.fromarray(ramp), "PNG"),
        fixtures.encoded(Image.fromarray(ramp), "TIFF"),
    ):
        photo = Photo.open(source)
        assert photo.source.bits == 16
        assert (np.diff(photo.L[0]) > 0).all()


def test_sixteen_bit_colors_keep_their_precision_in_arrays() -> None:
    ramp = np.arange(30_000, 30_256, dtype=np.uint16).reshape(1, 256, 1).repeat(3, -1)
    assert (np.diff(Photo.open(ramp).L[0, ::8]) > 0).all()
