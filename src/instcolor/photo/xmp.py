"""XMP: parsed with care, cleaned of what is untrue of a result, marked, and written again (ISO 16684-1)."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from PIL import Image

from .. import __version__

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
MAX_XMP = 1 << 20  # bytes that are parsed
MAX_DEPTH = 40  # of elements; the deepest real ones have about 12
NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "GImage": "http://ns.google.com/photos/1.0/image/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "instcolor": "urn:instcolor:1.0/",
}
RDF, IPTC, DC, EXIF, TIFF, XMP, NOTE, PHOTOSHOP, CRS, CAMERA = (
    "{" + NAMESPACES[prefix] + "}"
    for prefix in ("rdf", "Iptc4xmpExt", "dc", "exif", "tiff", "xmp", "xmpNote", "photoshop", "crs", "GCamera")
)
COLOR_MODE, RGB_MODE = f"{PHOTOSHOP}ColorMode", "3"
PROFILE_NAME = f"{PHOTOSHOP}ICCProfile"
FORMAT = f"{DC}format"
SOURCE = "{" + NAMESPACES["instcolor"] + "}source"
# How the pixels of the file lay, in which way they were gray, and what stood behind them and is gone
UNTRUE = frozenset(
    {f"{XMP}Thumbnails", f"{NOTE}HasExtendedXMP", f"{CRS}ConvertToGrayscale", f"{CRS}Treatment", f"{CRS}Look"}
    | {
        TIFF + name
        for name in (
            *("Orientation", "ImageWidth", "ImageLength", "BitsPerSample", "SamplesPerPixel", "Compression"),
            *("PhotometricInterpretation", "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning"),
            *("YCbCrCoefficients", "PrimaryChromaticities", "WhitePoint", "TransferFunction", "ReferenceBlackWhite"),
            "NativeDigest",
        )
    }
    | {
        EXIF + name
        for name in (
            *("PixelXDimension", "PixelYDimension", "ColorSpace", "ComponentsConfiguration"),
            *("CompressedBitsPerPixel", "NativeDigest"),
        )
    }
)
UNTRUE_STARTS = (
    f"{IPTC}DigitalSourceType",  # the mark says these anew
    f"{IPTC}AISystem",
    f"{CRS}GrayMixer",
    f"{CRS}AutoGrayscale",
    f"{CAMERA}MicroVideo",
    f"{CAMERA}MotionPhoto",
    *("{" + NAMESPACES[prefix] + "}" for prefix in ("Container", "GImage", "GDepth", "hdrgm")),
)
MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "TIFF": "image/tiff", "WEBP": "image/webp"}
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


def read_xmp(image: Image.Image) -> bytes:
    """The packet of an opened image as it came. ValueError where it is no XMP."""
    xmp = image.info.get("xmp", b"")
    block = xmp.encode() if isinstance(xmp, str) else xmp if isinstance(xmp, bytes) else b""
    if block.strip(b"\0") and _tree(block) is None:
        raise ValueError("not XMP")
    return block


def source_in(image: Image.Image) -> str:
    """The `Mark.source` of an opened result; "" where it has none."""
    root = _tree(read_xmp(image))
    marks = () if root is None else (element.get(SOURCE, "") for element in root.iter(f"{RDF}Description"))
    return next(filter(None, marks), "")


def xmp_for(
    xmp: bytes, mark: Mark, *, format: str = "", keeps_profile: bool = False, keep_gps: bool = False, most: int = 0
) -> bytes:
    """The packet of a result in `format`: the source's, cleaned, with the mark; the mark alone where that is over
    `most` bytes. `keeps_profile` says whether the result has the profile of its source."""
    root = _tree(xmp)
    rdf = None if root is None else root if root.tag == f"{RDF}RDF" else root.find(f"{RDF}RDF")
    if root is None or rdf is None:
        return _packet(_empty(), mark)
    _clean(rdf, MIME.get(format, ""), keeps_profile, keep_gps)
    packet = _packet(root, mark)
    return packet if not most or len(packet) <= most else _packet(_empty(), mark)


def _packet(root: ElementTree.Element, mark: Mark) -> bytes:
    rdf = root if root.tag == f"{RDF}RDF" else root.find(f"{RDF}RDF")
    assert rdf is not None
    description = rdf.find(f"{RDF}Description")
    if description is None:
        description = ElementTree.SubElement(rdf, f"{RDF}Description", {f"{RDF}about": ""})
    description.set(f"{IPTC}DigitalSourceType", SOURCE_TYPE)
    description.set(f"{IPTC}AISystemUsed", f"instcolor ({mark.model})" if mark.model else "instcolor")
    version = f"{__version__}, weights {mark.weights}" if mark.weights else __version__
    description.set(f"{IPTC}AISystemVersionUsed", version)
    if mark.source:
        description.set(SOURCE, mark.source)
    text = ElementTree.tostring(root, "unicode")
    begin, end = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="w"?>'
    return f"{begin}\n{text}\n{end}".encode()


def _clean(element: ElementTree.Element, mime: str, keeps_profile: bool, keep_gps: bool) -> None:
    """Corrects or takes out what is untrue now, takes out what is private, and older statements of what the mark says.

    An attribute and an element of text say the same.
    """

    def unwanted(name: str) -> bool:
        return (
            name in UNTRUE
            or name == SOURCE  # the mark says it anew
            or name.startswith(UNTRUE_STARTS)
            or (name.startswith(f"{EXIF}GPS") and not keep_gps)
            or (name == PROFILE_NAME and not keeps_profile)
            or (name == FORMAT and not mime)
        )

    corrected = {COLOR_MODE: RGB_MODE, FORMAT: mime}
    for name in list(element.attrib):
        if unwanted(name):
            del element.attrib[name]
        elif name in corrected:
            element.set(name, corrected[name])
    for child in list(element):
        if unwanted(child.tag):
            element.remove(child)
        elif child.tag in corrected:
            child.text = corrected[child.tag]
        else:
            _clean(child, mime, keeps_profile, keep_gps)


def _empty() -> ElementTree.Element:
    root = ElementTree.Element("{" + NAMESPACES["x"] + "}xmpmeta")
    ElementTree.SubElement(root, f"{RDF}RDF")
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
