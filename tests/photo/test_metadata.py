"""Photos come home as they were: EXIF, XMP, profiles, 16 bits; and they say that they were colored."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, IptcImagePlugin
from PIL.TiffImagePlugin import TiffImageFile

from instcolor import __version__
from instcolor.colorspace import srgb_to_lab
from instcolor.errors import PhotoError
from instcolor.photo import Mark, Photo, read_colors
from instcolor.photo.iptc import MAX_BYTES, kept, segment
from instcolor.photo.metadata import Metadata
from instcolor.photo.profiles import parse
from instcolor.photo.thumbnails import with_thumbnail
from instcolor.photo.xmp import MAX_DEPTH, MAX_XMP, SOURCE_TYPE, xmp_for
from support import fixtures
from support.photographs import opened
from support.tagged_photos import (
    ADOBE,
    FORMATS,
    IPTC,
    P3,
    SRGB,
    XMP,
    colored,
    description,
    exif,
    profile,
    source,
)

# EXIF and XMP


@pytest.mark.parametrize("format", FORMATS)
def test_exif_and_xmp_are_kept_and_marked(format: str) -> None:
    image = opened(colored(source(format)).encode(mark=Mark(model="lite")))
    assert image.format == format
    block = image.getexif()
    assert block[ExifTags.Base.Make] == "Leitz"
    assert block[ExifTags.Base.Copyright] == "the family"
    inner = block.get_ifd(ExifTags.IFD.Exif)
    assert inner[ExifTags.Base.DateTimeOriginal] == "1936:07:12 10:00:00"
    assert float(inner[ExifTags.Base.FNumber]) == 3.5
    said = description(image)
    assert said.get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE
    assert said.get(f"{IPTC}AISystemUsed") == "instcolor (lite)"
    assert said.get(f"{IPTC}AISystemVersionUsed") == __version__
    assert said.get("{urn:mine}album") == "7"
    assert "Martha" in "".join(said.itertext())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("keep", [False, True])
def test_the_place_is_kept_only_when_asked(format: str, keep: bool) -> None:
    image = opened(colored(source(format)).encode(keep_gps=keep))
    assert bool(image.getexif().get_ifd(ExifTags.IFD.GPSInfo)) == keep
    said = description(image)
    assert ("{http://ns.adobe.com/exif/1.0/}GPSLatitude" in said.attrib) == keep
    assert (said.find("{http://ns.adobe.com/exif/1.0/}GPSLongitude") is not None) == keep


@pytest.mark.parametrize("format", FORMATS)
def test_orientation_and_size_are_said_of_the_upright_photo(format: str) -> None:
    image = opened(colored(source(format, orientation=6)).encode())
    assert image.size == (32, 48)
    assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    assert image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] == 32
    assert "{http://ns.adobe.com/tiff/1.0/}Orientation" not in description(image).attrib


THUMBNAIL = (ExifTags.Base.JpegIFOffset, ExifTags.Base.JpegIFByteCount)


def thumbnail_of(image: Image.Image) -> Image.Image | None:
    """The small picture in the EXIF of an opened image."""
    second = image.getexif().get_ifd(ExifTags.IFD.IFD1)
    if not second:
        return None
    start, size = (second[tag] for tag in THUMBNAIL)
    return opened(image.info["exif"].removeprefix(b"Exif\0\0")[start : start + size])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_the_gray_thumbnail_is_made_anew_in_color_and_upright(format: str, mode: str) -> None:
    if mode == "I;16" and format != "PNG":
        pytest.skip("holds 8 bits only")
    gray = fixtures.encoded(fixtures.image("L", 16, 12), "JPEG")
    block = with_thumbnail(exif(orientation=6).tobytes(), gray)
    data = fixtures.encoded(fixtures.image(mode, 400, 300), format, exif=block)
    before = thumbnail_of(opened(data))
    assert before is not None
    assert before.size == (16, 12)
    result = opened(colored(data).encode())
    assert result.getexif()[ExifTags.Base.Make] == "Leitz"
    after = thumbnail_of(result)
    assert after is not None
    assert after.format == "JPEG"
    assert after.size == (120, 160)
    small = np.asarray(result.convert("RGB").resize(after.size, Image.Resampling.BOX)).astype(int)
    assert np.abs(small - np.asarray(after).astype(int)).mean() < 8
    assert np.ptp(np.asarray(after).astype(int), axis=2).mean() > 20


def test_where_there_was_no_thumbnail_there_is_none() -> None:
    assert thumbnail_of(opened(colored(source("JPEG")).encode())) is None


def test_a_thumbnail_that_does_not_fit_is_left_out_before_the_rest() -> None:
    block = exif()
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"x" * 64_000
    gray = fixtures.encoded(fixtures.image("L", 16, 12), "JPEG")
    data = fixtures.encoded(fixtures.image("L", 400, 300), "PNG", exif=with_thumbnail(block.tobytes(), gray))
    photo = colored(data)
    assert thumbnail_of(opened(photo.encode("PNG"))) is not None
    jpeg = opened(photo.encode("JPEG"))
    assert thumbnail_of(jpeg) is None
    assert jpeg.getexif()[ExifTags.Base.Make] == "Leitz"


def test_the_callers_image_keeps_its_exif() -> None:
    image = opened(source("JPEG", orientation=6))
    Photo.open(image)
    assert image.getexif()[ExifTags.Base.Orientation] == 6


# IPTC


def data_set(number: int, value: bytes, record: int = 2) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(value)) + value


CAPTION = data_set(90, b"\x1b%G", 1) + data_set(80, "Großtante Martha".encode()) + data_set(120, b"in the garden")
PREVIEW = data_set(200, b"\0\x0b") + data_set(202, b"a gray picture")


def with_iptc(format: str, block: bytes, deep: bool = False) -> bytes:
    image = fixtures.image("I;16" if deep else "L")
    if format == "JPEG":
        return fixtures.encoded(image, "JPEG", extra=segment(block))
    tags = Image.Exif()
    tags[33723] = block
    return fixtures.encoded(image, "TIFF", exif=tags)


def iptc_of(image: Image.Image) -> bytes | None:
    if isinstance(image, TiffImageFile):
        block: bytes | None = image.tag_v2.get(33723)
    else:
        block = image.info.get("photoshop", {}).get(0x0404)
    return block


@pytest.mark.parametrize(("format", "deep"), [("JPEG", False), ("TIFF", False), ("TIFF", True)])
def test_iptc_is_kept_without_its_gray_preview(format: str, deep: bool) -> None:
    image = opened(colored(with_iptc(format, CAPTION + PREVIEW, deep)).encode())
    assert iptc_of(image) == CAPTION
    if format == "JPEG":
        assert description(image).get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE
        entries = IptcImagePlugin.getiptcinfo(image)
        assert entries
        assert entries[2, 120] == b"in the garden"


def test_iptc_that_counts_in_fours_as_many_scanners_write_it() -> None:
    block = CAPTION + bytes(-len(CAPTION) % 4)
    data = with_iptc("TIFF", block)
    place = data.index(struct.pack("<HHI", 33723, 7, len(block)))
    data = data[:place] + struct.pack("<HHI", 33723, 4, len(block) // 4) + data[place + 8 :]
    assert not Photo.open(data).source.notes
    assert Photo.open(data).source.metadata.iptc == CAPTION


@pytest.mark.parametrize(
    "block",
    [b"no data set", CAPTION[:-3], b"\x1d" + CAPTION[1:], b"\x1c\x02\x50\x80\x04\0\0\0\1x"],
    ids=["text", "cut", "marker", "extended"],
)
def test_damaged_iptc_is_left_out_and_said(block: bytes) -> None:
    photo = colored(with_iptc("JPEG", block))
    assert "damaged metadata" in photo.source.notes[0]
    assert iptc_of(opened(photo.encode())) is None


@pytest.mark.parametrize(("length", "fits"), [(MAX_BYTES, True), (MAX_BYTES + 1, False)])
def test_iptc_has_a_limit(length: int, fits: bool) -> None:
    half = MAX_BYTES // 2
    block = data_set(120, b"x" * (half - 5)) + data_set(120, b"x" * (length - half - 5))
    assert len(block) == length
    if fits:
        assert kept(block) == block
    else:
        with pytest.raises(ValueError, match="too long"):
            kept(block)


@given(st.binary(max_size=60))
def test_any_iptc_is_kept_or_refused(noise: bytes) -> None:
    with suppress(ValueError):
        assert len(kept(CAPTION + noise)) <= len(CAPTION) + len(noise)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_resolution_is_kept(format: str) -> None:
    data = fixtures.encoded(fixtures.image("L"), format, dpi=(600, 300))
    assert [round(v) for v in opened(colored(data).encode()).info["dpi"]] == [600, 300]


@pytest.mark.parametrize("format", FORMATS)
def test_photos_without_metadata_are_marked_too(format: str) -> None:
    image = opened(colored(fixtures.encoded(fixtures.image("L"), format)).encode())
    assert description(image).get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE
    assert not image.getexif().get(ExifTags.Base.Make)


def test_no_mark_where_none_is_wanted() -> None:
    assert "xmp" not in opened(colored(source("JPEG")).encode(mark=None)).info


def test_xmp_too_large_for_jpeg_leaves_the_mark() -> None:
    photo = colored(source("PNG"))
    large = XMP.replace(b"Martha", b"Martha" + b"x" * 70_000)
    photo = replace(photo, source=replace(photo.source, metadata=Metadata(xmp=large)))
    said = description(opened(photo.encode("JPEG")))
    assert said.get(f"{IPTC}DigitalSourceType") == SOURCE_TYPE
    assert "Martha" not in "".join(said.itertext())


HOSTILE = {
    "entities": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "external": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    "depth": b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
    "size": b"<a>" + b" " * MAX_XMP + b"</a>",
    "broken": b"<x:xmpmeta",
    "nothing": b"\0\0",
    "no rdf": b"<a/>",
}


@pytest.mark.parametrize("xmp", HOSTILE.values(), ids=HOSTILE)
def test_hostile_xmp_is_left_out(xmp: bytes) -> None:
    packet = xmp_for(xmp, Mark())
    assert SOURCE_TYPE.encode() in packet
    assert len(packet) < 1500
    assert b"passwd" not in packet


@given(st.binary(max_size=200), st.integers(0, len(XMP)))
def test_damaged_xmp_never_stops_a_result(noise: bytes, place: int) -> None:
    packet = xmp_for(XMP[:place] + noise + XMP[place + len(noise) :], Mark())
    assert SOURCE_TYPE.encode() in packet
    assert b"GPS" not in packet or noise


def test_damaged_xmp_is_said() -> None:
    assert Photo.open(fixtures.encoded(fixtures.image("L"), "JPEG", xmp=b"<broken")).source.notes


def test_an_older_statement_is_replaced() -> None:
    once = xmp_for(XMP, Mark(model="older"))
    twice = xmp_for(once, Mark(model="newer"))
    assert twice.count(b"DigitalSourceType") == 1
    assert b"older" not in twice


# the visible mark


def test_the_corner_mark_changes_the_corner_only() -> None:
    photo = colored(fixtures.encoded(fixtures.image("L", 400, 300), "PNG"))
    plain, marked = (np.asarray(opened(photo.encode(mark=Mark(corner=corner)))) for corner in (False, True))
    changed = (plain != marked).any(-1)
    assert changed[250:, 280:].mean() > 0.1
    assert not changed[:240].any()
    assert not changed[:, :250].any()


def test_tiny_photos_have_no_room_for_a_mark() -> None:
    photo = colored(fixtures.encoded(fixtures.image("L"), "PNG"))
    assert photo.encode(mark=Mark(corner=True)) == photo.encode()


# profiles


def through_cms(image: Image.Image) -> np.ndarray:
    """sRGB of an image by Little CMS, with the profile that it carries."""
    own = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    converted = ImageCms.profileToProfile(image.convert("RGB"), own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return np.asarray(converted).astype(int)


@pytest.mark.parametrize("icc", [ADOBE, P3, SRGB], ids=["adobe", "p3", "srgb"])
@pytest.mark.parametrize("format", FORMATS)
def test_rgb_profiles_are_honored_and_kept(icc: bytes, format: str) -> None:
    options = {"quality": 98, "subsampling": 0} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    data = fixtures.encoded(fixtures.image("RGB", 96, 64), format, icc_profile=icc, **options)
    expected = srgb_to_lab(through_cms(opened(data)) / 255.0)[..., 0]
    photo = colored(data, (15, 15))
    inside = np.abs(photo.L - expected)
    assert np.median(inside) < 0.6
    result = opened(photo.encode())
    assert result.info["icc_profile"] == icc
    seen = through_cms(result)
    wanted = photo.rgb().astype(int)
    assert np.median(np.abs(seen - wanted)) <= (3 if format == "JPEG" else 1)


@pytest.mark.parametrize("icc", [ADOBE, P3], ids=["adobe", "p3"])
def test_values_of_a_profile_differ_from_srgb(icc: bytes) -> None:
    photo = colored(fixtures.encoded(fixtures.image("RGB"), "PNG", icc_profile=icc), (50, 40))
    assert np.abs(np.asarray(opened(photo.encode())).astype(int) - photo.rgb()).mean() > 3


def test_gray_profiles_are_honored_and_not_written_into_color() -> None:
    ramp8 = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (8, 1)))
    photo = colored(fixtures.encoded(ramp8, "PNG", icc_profile=profile("GRAY", 1.8)))
    light = (np.arange(256) / 255) ** 1.8
    expected = np.where(light > 0.008856, 116 * np.cbrt(light) - 16, 903.3 * light)
    assert np.abs(photo.L[0] - expected).max() < 0.05
    assert "icc_profile" not in opened(photo.encode()).info


@pytest.mark.parametrize("cut", [10, 100, 130, 140, 200, 300])
def test_damaged_profiles_are_left_out_and_said_so(cut: int) -> None:
    photo = colored(fixtures.encoded(fixtures.image("RGB"), "PNG", icc_profile=ADOBE[:cut]))
    assert "icc_profile" not in opened(photo.encode()).info
    assert any("profile" in note for note in photo.source.notes)


@given(st.binary(max_size=64), st.integers(0, len(ADOBE)))
def test_any_profile_is_read_or_refused(noise: bytes, place: int) -> None:
    found = parse(ADOBE[:place] + noise + ADOBE[place + len(noise) :])
    if found is not None:
        L = found.lightness(np.arange(256, dtype=np.uint8).reshape(1, -1, 1).repeat(3, 2), 256)
        assert np.isfinite(L).all()


# references


def test_a_reference_is_upright() -> None:
    image = fixtures.image("RGB", 96, 64)
    lying = read_colors(fixtures.encoded(image.rotate(90, expand=True), "PNG", exif=exif(6).tobytes()))
    np.testing.assert_allclose(lying, read_colors(fixtures.encoded(image, "PNG")), atol=1e-4)


def test_a_reference_is_read_small_and_in_color() -> None:
    lab = read_colors(fixtures.encoded(fixtures.image("RGB", 900, 600), "JPEG"))
    assert lab.shape == (171, 256, 3)
    with pytest.raises(PhotoError, match="no colors to lend"):
        read_colors(fixtures.encoded(fixtures.image("L"), "PNG"))
    with pytest.raises(PhotoError, match="GIF files cannot be read"):
        read_colors(b"GIF89a..........")
    with pytest.raises(PhotoError, match="megapixels"):
        read_colors(fixtures.encoded(fixtures.image("RGB"), "PNG"), max_pixels=100)
