"""Photos come home as they were: EXIF, XMP, profiles, 16 bits; and they say that they were coloured."""

from __future__ import annotations

import io
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

import fixtures
from instcolor import __version__
from instcolor.colorspace import srgb_to_lab
from instcolor.errors import PhotoError
from instcolor.photo import Mark, Photo, read_colors
from instcolor.photo.metadata import MAX_DEPTH, MAX_XMP, SOURCE_TYPE, Metadata, xmp_for
from instcolor.photo.profiles import parse

IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
DC = "{http://purl.org/dc/elements/1.1/}"
FORMATS = ["JPEG", "PNG", "WEBP", "TIFF"]
XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:my="urn:mine" exif:GPSLatitude="48,8N"
 tiff:Orientation="6" my:album="7">
<dc:creator><rdf:Seq><rdf:li>Great-aunt Martha</rdf:li></rdf:Seq></dc:creator>
<exif:GPSLongitude>11,34E</exif:GPSLongitude>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def exif(orientation: int = 1) -> Image.Exif:
    block = Image.Exif()
    block[ExifTags.Base.Make] = "Leitz"
    block[ExifTags.Base.Copyright] = "the family"
    block[ExifTags.Base.Orientation] = orientation
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "1936:07:12 10:00:00"
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] = 48
    block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = TiffImagePlugin.IFDRational(35, 10)
    block.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 8.0, 0.0)
    return block


def source(format: str, mode: str = "L", orientation: int = 1, **more: object) -> bytes:
    """A file of the scene with EXIF, and XMP where Pillow writes it."""
    if format in ("JPEG", "WEBP"):
        more["xmp"] = XMP
    block = exif(orientation)
    if format == "TIFF":
        block = tags(block)
        block[700] = XMP
    elif format == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        more["pnginfo"] = info
    return fixtures.encoded(fixtures.image(mode), format, exif=block if format == "TIFF" else block.tobytes(), **more)


def tags(block: Image.Exif) -> Image.Exif:
    """EXIF as Pillow puts it into TIFF: the inner directories are left out unless they have been read from bytes."""
    read = Image.Exif()
    read.load(block.tobytes())
    return read


def colored(data: bytes, ab: tuple[float, float] = (20, 30)) -> Photo:
    photo = Photo.open(data)
    return photo.with_color(np.tile(np.array(ab, np.float32), (*photo.L.shape, 1)))


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def description(image: Image.Image) -> ElementTree.Element:
    xmp = image.info["xmp"]
    text = xmp if isinstance(xmp, str) else xmp.decode()
    root = ElementTree.fromstring(text[text.index("<x:") : text.rindex(">", 0, text.index("<?xpacket end")) + 1])
    found = root.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert found is not None
    return found


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


def test_the_gray_thumbnail_is_left_out() -> None:
    thumbnail = fixtures.encoded(fixtures.image("L", 16, 12), "JPEG")
    block = exif().tobytes()
    first = struct.unpack_from("<I" if block[6:8] == b"II" else ">I", block, 10)[0]
    order = "<" if block[6:8] == b"II" else ">"
    (count,) = struct.unpack_from(order + "H", block, 6 + first)
    link = 6 + first + 2 + 12 * count
    place = len(block) - 6
    directory = struct.pack(order + "H", 2) + struct.pack(order + "HHII", 513, 4, 1, place + 30)
    directory += struct.pack(order + "HHII", 514, 4, 1, len(thumbnail)) + bytes(4)
    block = block[:link] + struct.pack(order + "I", place) + block[link + 4 :] + directory + thumbnail
    data = fixtures.encoded(fixtures.image("L"), "JPEG", exif=block)
    assert opened(data).getexif().get_ifd(ExifTags.IFD.IFD1)
    result = opened(colored(data).encode())
    assert result.getexif()[ExifTags.Base.Make] == "Leitz"
    assert not result.getexif().get_ifd(ExifTags.IFD.IFD1)


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
    packet = xmp_for(Metadata(xmp=xmp), Mark())
    assert SOURCE_TYPE.encode() in packet
    assert len(packet) < 1500
    assert b"passwd" not in packet


@given(st.binary(max_size=200), st.integers(0, len(XMP)))
def test_damaged_xmp_never_stops_a_result(noise: bytes, place: int) -> None:
    packet = xmp_for(Metadata(xmp=XMP[:place] + noise + XMP[place + len(noise) :]), Mark())
    assert SOURCE_TYPE.encode() in packet
    assert b"GPS" not in packet or noise


def test_an_older_statement_is_replaced() -> None:
    once = xmp_for(Metadata(xmp=XMP), Mark(model="older"))
    twice = xmp_for(Metadata(xmp=once), Mark(model="newer"))
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


# 16 bits


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
    """16-bit greys of which 256 levels could tell only a few apart."""
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
        assert image.tag_v2[258] == (16, 16, 16)
        eight = np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(srgb_to_lab(eight / 255.0)[..., 1] - 10).max() < 1


def test_16_bit_tiff_holds_every_bit() -> None:
    skimage_io = pytest.importorskip("tifffile", reason="tifffile, which comes with scikit-image, is missing")
    photo = colored(fixtures.encoded(Image.fromarray(ramp()), "TIFF", dpi=(300, 300)), (10, 0))
    data = photo.encode()
    read = skimage_io.imread(io.BytesIO(data))
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


# profiles


def tag_xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


def profile(kind: str, gamma: float, primaries: tuple[tuple[float, ...], ...] = ()) -> bytes:
    """A small ICC profile: a power and, for RGB, three primaries as XYZ under D50."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"kTRC": curve} if kind == "GRAY" else {name: curve for name in (b"rTRC", b"gTRC", b"bTRC")}
    tags |= {name: tag_xyz(v) for name, v in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=bool(primaries))}
    tags[b"wtpt"] = tag_xyz((0.9642, 1.0, 0.8249))
    table, body, place = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data
    size = struct.pack(">I", place + len(body))
    head = size + bytes(4) + b"\x04\0\0\0" + b"mntr" + kind.ljust(4).encode() + b"XYZ " + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


ADOBE = profile(
    "RGB", 563 / 256, ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
)
P3 = profile("RGB", 2.2, ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def through_cms(image: Image.Image) -> np.ndarray:
    """sRGB of an image by Little CMS, with the profile that it carries."""
    own = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    converted = ImageCms.profileToProfile(image.convert("RGB"), own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return np.asarray(converted).astype(int)


@pytest.mark.parametrize("icc", [ADOBE, P3, SRGB], ids=["adobe", "p3", "srgb"])
@pytest.mark.parametrize("format", FORMATS)
def test_rgb_profiles_are_honoured_and_kept(icc: bytes, format: str) -> None:
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


def test_gray_profiles_are_honoured_and_not_written_into_color() -> None:
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


def test_16_bits_in_a_profile() -> None:
    photo = colored(fixtures.encoded(Image.fromarray(ramp()), "PNG", icc_profile=profile("GRAY", 2.2)), (5, 5))
    assert np.abs(np.diff(photo.L[0])).max() < 0.05
    assert photo.source.bits == 16


# references


def test_a_reference_is_read_small_and_in_color() -> None:
    lab = read_colors(fixtures.encoded(fixtures.image("RGB", 900, 600), "JPEG"))
    assert lab.shape == (171, 256, 3)
    with pytest.raises(PhotoError, match="no colors to lend"):
        read_colors(fixtures.encoded(fixtures.image("L"), "PNG"))
    with pytest.raises(PhotoError, match="not a photo"):
        read_colors(b"GIF89a..........")
    with pytest.raises(PhotoError, match="megapixels"):
        read_colors(fixtures.encoded(fixtures.image("RGB"), "PNG"), max_pixels=100)
