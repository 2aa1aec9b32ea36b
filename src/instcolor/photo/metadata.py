"""What files say about their photos: EXIF, XMP, IPTC, resolution. Read, cleaned, marked, written again.

Kept is what tells of the photo; what the colouring has made untrue is dropped (orientation) or made anew (thumbnail).
Dropped, unless it is asked for, is where the photo was taken. Every result says in XMP that it was made with a trained
algorithm.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from xml.parsers import expat

from PIL import ExifTags, Image

from .. import __version__
from .iptc import read_iptc
from .thumbnails import has_thumbnail

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
MAX_XMP = 1 << 20  # bytes that are parsed
MAX_DEPTH = 40  # of elements in XMP; the deepest real ones have about 12
MAX_SEGMENT = 65_000  # bytes of EXIF or XMP that JPEG holds, rounded down
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": RDF,
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "instcolor": "urn:instcolor:1.0/",
}
IPTC = "{" + NAMESPACES["Iptc4xmpExt"] + "}"
EXIF = "{" + NAMESPACES["exif"] + "}"
UNTRUE = ("{" + NAMESPACES["tiff"] + "}Orientation", "{" + NAMESPACES["xmp"] + "}Thumbnails")
SOURCE = "{" + NAMESPACES["instcolor"] + "}source"
INNER = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)  # directories inside the first one
# Tags of the first directory that tell of the photo; the others tell how the file was laid out.
KEPT = frozenset(
    {
        *(269, 270, 271, 272, 285, 305, 306, 315, 316),  # names, camera, software, date, artist
        *(282, 283, 296),  # resolution
        *(18246, 18249, 33432, 40091, 40092, 40093, 40094, 40095),  # rating, copyright, Windows' texts
        *INNER,
    }
)
Block = TypeVar("Block")
for _prefix, _uri in NAMESPACES.items():
    ElementTree.register_namespace(_prefix, _uri)


@dataclass(frozen=True)
class Mark:
    """What a result says about itself."""

    model: str = ""
    """The network's name."""
    corner: bool = False
    """Asks for a mark that can be seen."""
    weights: str = ""
    """Which weights the network has: their files and the first digits of their sha256."""
    source: str = ""
    """`made.digest_of` the photo, by which a result is known again."""


@dataclass(frozen=True)
class Metadata:
    """The blocks of a file as they came, EXIF without what is never kept."""

    exif: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    iptc: bytes = b""
    thumbnail: bool = False
    """Whether EXIF had a small picture."""


def read_metadata(image: Image.Image, complaints: list) -> Metadata:
    """The metadata of an opened image; damaged blocks are left out and named in `complaints`."""

    def sound(name: str, read: Callable[[Image.Image], Block], otherwise: Block) -> Block:
        try:
            return read(image)
        except Exception:  # damaged blocks raise nearly any
            complaints.append(name)
            return otherwise

    return Metadata(
        sound("EXIF", _exif, b""),
        sound("XMP", _xmp, b""),
        sound("resolution", _dpi, None),
        sound("IPTC", read_iptc, b""),
        sound("thumbnail", has_thumbnail, False),
    )


def _exif(image: Image.Image) -> bytes:
    own, exif = image.getexif(), Image.Exif()  # a copy, because the image may be the caller's
    block = image.info.get("exif")
    if isinstance(block, bytes):
        exif.load(block)
    else:
        for tag in KEPT.intersection(own):
            exif[tag] = own.get_ifd(tag) if tag in INNER else own[tag]
    for tag in [tag for tag in exif if tag not in KEPT]:
        del exif[tag]
    return exif.tobytes() if len(exif) else b""


def _xmp(image: Image.Image) -> bytes:
    xmp = image.info.get("xmp", b"")
    block = xmp.encode() if isinstance(xmp, str) else xmp if isinstance(xmp, bytes) else b""
    if block.strip(b"\0") and _tree(block) is None:
        raise ValueError("not XMP")
    return block


def source_in(image: Image.Image) -> str:
    """The `Mark.source` of an opened result; "" where it has none."""
    root = _tree(_xmp(image))
    marks = () if root is None else (element.get(SOURCE, "") for element in root.iter(f"{{{RDF}}}Description"))
    return next(filter(None, marks), "")


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    dpi = image.info.get("dpi")
    fine = isinstance(dpi, tuple) and len(dpi) == 2 and all(1 < float(v) < 1e5 for v in dpi)  # 1: none stated
    return (float(dpi[0]), float(dpi[1])) if dpi and fine else None


def exif_for(metadata: Metadata, size: tuple[int, int], *, keep_gps: bool = False) -> Image.Exif:
    """The EXIF of a result of `size` (width, height); empty where there is none or it cannot be read."""
    exif = Image.Exif()
    if not metadata.exif:
        return exif
    try:
        exif.load(metadata.exif)
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        for tag, value in zip((ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight), size, strict=True):
            if tag in inner:
                inner[tag] = value
        if not keep_gps and ExifTags.IFD.GPSInfo in exif:
            del exif[ExifTags.IFD.GPSInfo]
        exif.tobytes()
    except Exception:
        return Image.Exif()
    return exif


def xmp_for(metadata: Metadata, mark: Mark, *, keep_gps: bool = False, most: int | None = None) -> bytes:
    """The XMP packet of a result: the source's, cleaned, with the mark; the mark alone where that is over `most`."""
    packet = _packet(_tree(metadata.xmp) or _empty(), mark, keep_gps)
    return packet if most is None or len(packet) <= most else _packet(_empty(), mark, keep_gps)


def _packet(root: ElementTree.Element, mark: Mark, keep_gps: bool) -> bytes:
    rdf = root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
    if rdf is None:
        return _packet(_empty(), mark, keep_gps)
    _clean(rdf, keep_gps)
    description = next(iter(rdf.findall(f"{{{RDF}}}Description")), None)
    if description is None:
        description = ElementTree.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    description.set(f"{IPTC}DigitalSourceType", SOURCE_TYPE)
    description.set(f"{IPTC}AISystemUsed", f"instcolor ({mark.model})" if mark.model else "instcolor")
    version = f"{__version__}, weights {mark.weights}" if mark.weights else __version__
    description.set(f"{IPTC}AISystemVersionUsed", version)
    if mark.source:
        description.set(SOURCE, mark.source)
    text = ElementTree.tostring(root, "unicode")
    begin, end = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="w"?>'
    return f"{begin}\n{text}\n{end}".encode()


def _clean(element: ElementTree.Element, keep_gps: bool) -> None:
    """Takes out what is untrue now, what is private, and older statements of what the mark says."""

    def unwanted(name: str) -> bool:
        said_anew = name.startswith((f"{IPTC}DigitalSourceType", f"{IPTC}AISystem"))
        return name in (*UNTRUE, SOURCE) or said_anew or (name.startswith(f"{EXIF}GPS") and not keep_gps)

    for name in [name for name in element.attrib if unwanted(name)]:
        del element.attrib[name]
    for child in list(element):
        if unwanted(child.tag):
            element.remove(child)
        else:
            _clean(child, keep_gps)


def _empty() -> ElementTree.Element:
    root = ElementTree.Element(f"{{{NAMESPACES['x']}}}xmpmeta")
    ElementTree.SubElement(root, f"{{{RDF}}}RDF")
    return root


def _tree(xmp: bytes) -> ElementTree.Element | None:
    """XMP parsed without document types and entities, to a bounded depth; None where that is not possible."""
    xmp = xmp.rstrip(b"\0")
    if not xmp or len(xmp) > MAX_XMP:
        return None
    builder = ElementTree.TreeBuilder()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("too deep")
        builder.start(_clark(name), {_clark(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_clark(name))

    def refuse(*_: Any) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(xmp, True)
        return builder.close()
    except (expat.ExpatError, ValueError, AssertionError):
        return None


def _clark(name: str) -> str:
    """expat's "uri}name" as ElementTree writes it."""
    return "{" + name if "}" in name else name
