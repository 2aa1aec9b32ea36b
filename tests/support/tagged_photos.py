"""What the tests of metadata share: photos with EXIF, XMP and color profiles, and how they come back."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree

from PIL import ExifTags, Image, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from instcolor.photo import Photo
from support import fixtures, photographs

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
    return photographs.colored(Photo.open(data), *ab)


def description(image: Image.Image) -> ElementTree.Element:
    xmp = image.info["xmp"]
    text = xmp if isinstance(xmp, str) else xmp.decode()
    root = ElementTree.fromstring(text[text.index("<x:") : text.rindex(">", 0, text.index("<?xpacket end")) + 1])
    found = root.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert found is not None
    return found


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
