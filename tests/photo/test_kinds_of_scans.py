"""Kinds of files that scanners, cameras and other programs write: read as they are meant, or refused with a reason."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import TiffImageFile
from typer.testing import CliRunner

from instcolor import Photo
from instcolor.cli import app
from support.tagged_photos import ADOBE, profile

GRAY = profile("GRAY", 1.8)
RAMP = np.tile(np.linspace(20, 235, 64).astype(np.uint8), (48, 1))


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def colored(data: bytes, format: str | None = None) -> bytes:
    photo = Photo.open(data)
    return photo.with_color(np.full((*photo.L.shape, 2), (12, 18), np.float32)).encode(format)


def exif_with_place() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = "Plate 17"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 0.0)
    exif.get_ifd(0x8769)[0x9003] = "1923:05:01 10:00:00"
    return exif


# EXIF


@pytest.mark.parametrize("bits", [8, 16])
def test_exif_with_directories_goes_into_a_compressed_tiff_and_out_of_it(bits: int) -> None:
    gray = Image.fromarray(RAMP if bits == 8 else RAMP.astype(np.uint16) * 257)
    first = colored(saved(gray, "JPEG" if bits == 8 else "PNG", exif=exif_with_place()), "TIFF")
    for result in (first, colored(first)):
        with Image.open(io.BytesIO(result)) as image:
            assert image.info["compression"] != "raw"
            assert image.getexif()[0x010E] == "Plate 17"
            assert image.getexif().get_ifd(0x8769)[0x9003] == "1923:05:01 10:00:00"
            assert not image.getexif().get_ifd(0x8825)  # the place is kept only when asked for


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("text", ["Großmutter".encode(), "Großmutter".encode("latin-1"), b"\x82\xa0\x82\xa2"])
def test_text_beyond_ascii_in_exif_comes_through_byte_for_byte(format: str, text: bytes) -> None:
    exif = Image.Exif()
    exif[0x013B] = "?" * len(text)
    block = exif.tobytes().replace(b"?" * len(text), text)
    result = colored(saved(Image.fromarray(RAMP), "JPEG", exif=block), format)
    assert text in result


# TIFF


def tiff(pages: Sequence[tuple[NDArray[Any], dict[int, tuple[int, int, bytes]]]], suffix: str = "") -> bytes:
    """A TIFF file by hand: (h, w) or (h, w, n) arrays, and further tags as number -> type, count, value bytes."""
    parts, offsets = [b"II*\0\0\0\0\0"], []
    for pixels, more in pages:
        depth = 1 if pixels.ndim == 2 else pixels.shape[2]
        kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
        start = sum(map(len, parts))
        parts.append(pixels.tobytes())
        extra = start + len(parts[-1])
        shorts = struct.pack(f"<{depth}H", *[pixels.dtype.itemsize * 8] * depth)
        kinds = struct.pack(f"<{depth}H", *[kind] * depth)
        tail = b""

        def place(value: bytes, extra: int = extra) -> bytes:
            nonlocal tail
            if len(value) <= 4:
                return value.ljust(4, b"\0")
            tail += value + b"\0" * (len(value) % 2)
            return struct.pack("<I", extra + len(tail) - len(value) - len(value) % 2)

        tags = {
            254: (4, 1, struct.pack("<I", 0)),
            256: (4, 1, struct.pack("<I", pixels.shape[1])),
            257: (4, 1, struct.pack("<I", pixels.shape[0])),
            258: (3, depth, shorts),
            259: (3, 1, struct.pack("<H", 1)),
            262: (3, 1, struct.pack("<H", 1)),
            273: (4, 1, struct.pack("<I", start)),
            277: (3, 1, struct.pack("<H", depth)),
            278: (4, 1, struct.pack("<I", pixels.shape[0])),
            279: (4, 1, struct.pack("<I", pixels.nbytes)),
            339: (3, depth, kinds),
        } | more
        entries = [struct.pack("<HHI", number, t, n) + place(value) for number, (t, n, value) in sorted(tags.items())]
        parts.append(tail)
        offsets.append(sum(map(len, parts)))
        parts.append(struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0")
    data = bytearray(b"".join(parts))
    struct.pack_into("<I", data, 4, offsets[0])
    for place_, following in zip(offsets, offsets[1:], strict=False):
        (count,) = struct.unpack_from("<H", data, place_)
        struct.pack_into("<I", data, place_ + 2 + 12 * count, following)
    return bytes(data)


def long(value: int) -> tuple[int, int, bytes]:
    return 4, 1, struct.pack("<I", value)


@pytest.mark.parametrize("what", [1, 4], ids=["reduced", "mask"])
def test_a_preview_or_a_mask_on_the_first_page_is_never_colored_in_the_photos_place(what: int) -> None:
    small = np.full((12, 16), 255, np.uint8)
    photo = Photo.open(tiff([(small, {254: long(what)}), (RAMP, {})]))
    assert photo.size == (64, 48)
    assert np.ptp(photo.L) > 50


@pytest.mark.parametrize("name", ["raw.dng", "raw.tif"])
def test_of_camera_raw_the_preview_is_never_colored_in_silence(name: str, tmp_path: Path) -> None:
    preview = np.full((12, 16), 128, np.uint8)
    mosaic = (RAMP.astype(np.uint16) * 16, {254: long(0), 262: (3, 1, struct.pack("<H", 32803))})
    version = {254: long(1), 50706: (1, 4, bytes([1, 4, 0, 0]))}
    (tmp_path / name).write_bytes(tiff([(preview, version), mosaic]))
    assert Photo.open(tmp_path / name).size == (64, 48)


@pytest.mark.parametrize("kind", [np.uint32, np.float16, np.float32, np.float64, np.uint16])
def test_any_kind_of_sample_is_read_as_lightness(kind: Any) -> None:
    top = np.iinfo(kind).max if np.dtype(kind).kind == "u" else 1.0
    pixels = (RAMP.astype(np.float64) / 255 * top).astype(kind)
    photo = Photo.open(tiff([(pixels, {})]))
    expected = Photo.open(RAMP).L
    assert np.corrcoef(photo.L.ravel(), expected.ravel())[0, 1] > 0.99
    assert (np.diff(photo.L[0]) >= 0).all()
    if np.dtype(kind).kind == "u":
        np.testing.assert_allclose(photo.L, expected, atol=0.6)


def test_a_tiff_of_many_pages_becomes_one_of_as_many_and_pages_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "book.tif").write_bytes(tiff([(RAMP, {}), (RAMP[::-1].copy(), {}), (255 - RAMP, {})]))
    arguments = ["colorize", str(tmp_path / "book.tif"), "--detector", "none", "--jobs", "0", "--json", "--out"]
    whole = CliRunner().invoke(app, [*arguments, str(tmp_path / "all.tif")])
    assert whole.exit_code == 0, whole.output
    (told,) = json.loads(whole.stdout)["photos"]
    assert [page["page"] for page in told["pages"]] == [1, 2, 3]
    with Image.open(tmp_path / "all.tif") as image:
        assert isinstance(image, TiffImageFile)
        assert image.n_frames == 3
        image.seek(2)
        assert image.mode == "RGB"
    some = CliRunner().invoke(app, [*arguments, str(tmp_path / "some.tif"), "--pages", "1,3"])
    assert some.exit_code == 0, some.output
    with Image.open(tmp_path / "some.tif") as image:
        assert isinstance(image, TiffImageFile)
        assert image.n_frames == 2
    none = CliRunner().invoke(app, [*arguments, str(tmp_path / "none.tif"), "--pages", "7"])
    assert none.exit_code == 1
    assert "book.tif" in none.stderr


# PNG


def with_chunk(data: bytes, name: bytes, content: bytes, *, broken: bool = False) -> bytes:
    """A PNG file with one more chunk after its header; with a wrong checksum when `broken`."""
    check = zlib.crc32(name + content) ^ (1 if broken else 0)
    return data[:33] + struct.pack(">I", len(content)) + name + content + struct.pack(">I", check) + data[33:]


PNG = saved(Image.fromarray(RAMP), "PNG")


@pytest.mark.parametrize(
    "damaged",
    [
        with_chunk(PNG, b"tEXt", b"Title\0Aunt", broken=True),
        with_chunk(PNG, b"iCCP", b"name\0\0" + zlib.compress(b"no profile"), broken=True),
        with_chunk(PNG, b"pHYs", b"\0\0"),
        with_chunk(PNG, b"gAMA", b"\0"),
        with_chunk(PNG, b"tIME", b"\0\0\0"),
        with_chunk(PNG, b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 3_000_000)),
        with_chunk(PNG, b"tEXt", b"Comment\0" + b"x" * 2_000_000),
        with_chunk(PNG, b"eXIf", b"MM"),
    ],
    ids=["text", "profile", "resolution", "gamma", "time", "packed text", "long text", "exif"],
)
def test_damage_beside_a_pngs_pixels_costs_no_pixel(damaged: bytes) -> None:
    photo = Photo.open(damaged)
    np.testing.assert_allclose(photo.L, Photo.open(PNG).L, atol=0.01)
    assert Photo.open(colored(damaged)).size == (64, 48)


def test_the_gamma_of_a_png_counts_for_its_lightness() -> None:
    middle = saved(Image.new("L", (16, 16), 128), "PNG")
    linear = with_chunk(middle, b"gAMA", struct.pack(">I", 100_000))
    assert Photo.open(middle).L.mean() == pytest.approx(53.6, abs=0.5)
    assert Photo.open(linear).L.mean() == pytest.approx(76.2, abs=0.7)  # half of the light
    assert Photo.open(colored(linear)).L.mean() == pytest.approx(76.2, abs=1.0)


def test_the_primaries_of_a_png_count_for_the_lightness_of_its_colors() -> None:
    tinted = saved(Image.new("RGB", (16, 16), (60, 160, 60)), "PNG")
    adobe = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)  # white, red, green, blue
    chunk = struct.pack(">8I", *(round(value * 100_000) for value in adobe))
    wide = with_chunk(with_chunk(tinted, b"cHRM", chunk), b"gAMA", struct.pack(">I", 45_455))
    assert Photo.open(tinted).L.mean() == pytest.approx(58.7, abs=0.5)
    assert Photo.open(wide).L.mean() == pytest.approx(56.0, abs=0.5)
    assert Photo.open(colored(wide)).L.mean() == pytest.approx(Photo.open(wide).L.mean(), abs=1.0)


# What is said beside the pixels


def test_iptc_goes_into_a_png_and_out_of_it() -> None:
    caption = b"\x1c\x02\x78\x00\x0din the garden"
    tags = Image.Exif()
    tags[33723] = caption
    png = colored(saved(Image.fromarray(RAMP), "TIFF", exif=tags), "PNG")
    assert Photo.open(png).source.metadata.iptc == caption
    with Image.open(io.BytesIO(colored(png, "TIFF"))) as image:
        assert image.tag_v2[33723] == caption  # type: ignore[attr-defined]


@pytest.mark.parametrize(("mode", "icc", "said"), [("L", b"", 1), ("L", GRAY, 1), ("RGB", ADOBE, 65535)])
def test_the_color_space_in_exif_fits_the_profile(mode: str, icc: bytes, said: int) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 2  # neither sRGB nor uncalibrated: what some cameras write
    photo = saved(Image.fromarray(RAMP).convert(mode), "JPEG", exif=exif, icc_profile=icc)
    with Image.open(io.BytesIO(colored(photo))) as image:
        assert image.getexif().get_ifd(0x8769)[0xA001] == said
        assert image.info.get("icc_profile", b"") == (icc if said == 65535 else b"")


def test_texts_comments_and_resolution_are_kept() -> None:
    texts = PngImagePlugin.PngInfo()
    for name in ("Title", "Author", "Description", "Copyright"):
        texts.add_itxt(name, f"{name} of Großmutter")
    with Image.open(io.BytesIO(colored(saved(Image.fromarray(RAMP), "PNG", pnginfo=texts)))) as image:
        for name in ("Title", "Author", "Description", "Copyright"):
            assert image.info[name] == f"{name} of Großmutter"
    with Image.open(io.BytesIO(colored(saved(Image.fromarray(RAMP), "JPEG", comment=b"Plate 17")))) as image:
        assert image.info["comment"] == b"Plate 17"
    with Image.open(io.BytesIO(colored(saved(Image.fromarray(RAMP), "BMP", dpi=(600, 600))))) as image:
        assert image.info["dpi"] == pytest.approx((600, 600), abs=0.5)


def test_xmp_that_is_untrue_afterwards_is_corrected_or_gone() -> None:
    said = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:ColorMode="1"
        xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:SamplesPerPixel="1" photoshop:ICCProfile="Dot Gain 20%"
        xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:ConvertToGrayscale="True"
        xmlns:note="http://ns.adobe.com/xmp/note/" note:HasExtendedXMP="0123456789ABCDEF0123456789ABCDEF"
        xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="attic"/></rdf:RDF></x:xmpmeta>"""
    result = colored(saved(Image.fromarray(RAMP), "JPEG", xmp=said))
    assert b"attic" in result
    for untrue in (
        b'ColorMode="1"',
        b"Dot Gain",
        b'SamplesPerPixel="1"',
        b'ConvertToGrayscale="True"',
        b"HasExtendedXMP",
    ):
        assert untrue not in result, untrue


# Other files


def test_a_jpeg_that_lacks_nothing_but_its_end_is_read_with_a_note() -> None:
    whole = saved(Image.fromarray(RAMP), "JPEG", quality=90)
    photo = Photo.open(whole[:-2])
    np.testing.assert_array_equal(photo.L, Photo.open(whole).L)
    assert photo.source.notes


def test_jpeg_2000_is_read_and_comes_home_as_another_format() -> None:
    data = saved(Image.fromarray(RAMP), "JPEG2000")
    np.testing.assert_allclose(Photo.open(data).L, Photo.open(RAMP).L, atol=1.0)
    with Image.open(io.BytesIO(colored(data))) as image:
        assert image.format in ("JPEG", "PNG")


def test_of_moving_pictures_the_first_is_colored_with_a_note() -> None:
    frames = [Image.fromarray(plane).convert("RGB") for plane in (RAMP, 255 - RAMP)]
    photo = Photo.open(saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    np.testing.assert_allclose(photo.L, Photo.open(RAMP).L, atol=1.0)
    assert photo.source.notes
