"""Self-made photographs in every mode, format and orientation, and damaged files: small and always the same."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

MODES = (
    "1",
    "L",
    "LA",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I;16",
    "I",
    "F",
    "PA",
    "La",
    "RGBa",
    "RGBX",
)
ORIENTATION_TAG = 0x0112


def scene(width: int = 48, height: int = 32, seed: int = 0) -> np.ndarray:
    """(h, w, 3) uint8: a gradient sky over textured ground with a bright disc, no two corners alike."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / max(1, height - 1), x / max(1, width - 1)
    rng = np.random.default_rng(seed)
    sky = np.stack([90 + 60 * y, 120 + 70 * y, 200 - 20 * x], -1)
    ground = np.stack([110 + 50 * x, 90 + 40 * x, 60 - 30 * y], -1) + rng.normal(0, 12, (height, width, 1))
    picture = np.where((y > 0.6)[..., None], ground, sky)
    picture[(x - 0.7) ** 2 + (y - 0.3) ** 2 < 0.03] = (250, 240, 200)
    return picture.clip(0, 255).astype(np.uint8)


def gray_scene(width: int = 48, height: int = 32, seed: int = 0) -> np.ndarray:
    """(h, w) uint8: `scene` as an old film sees it."""
    return np.asarray(Image.fromarray(scene(width, height, seed)).convert("L"))


def image(mode: str = "L", width: int = 48, height: int = 32) -> Image.Image:
    """The scene as a Pillow image of any of `MODES`, with transparency from left to right where the mode has some."""
    rgb = Image.fromarray(scene(width, height))
    gray = np.asarray(rgb.convert("L"))
    if mode in ("I;16", "I"):
        deep = gray.astype(np.uint16) * 257 + 64
        return Image.fromarray(deep if mode == "I;16" else deep.astype(np.int32))
    if mode == "F":
        return Image.fromarray(gray.astype(np.float32) / 255)
    if mode == "LAB":
        from PIL import ImageCms

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        applied = ImageCms.applyTransform(rgb, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
        assert applied is not None  # as it is for a transformation in place alone
        return applied
    if mode in ("LA", "La", "RGBA", "RGBa", "PA"):
        rgb.putalpha(Image.fromarray(opacity(width, height)))
        if mode in ("LA", "La"):
            rgb = rgb.convert("LA")
        return rgb if rgb.mode == mode else rgb.convert(mode)
    if mode == "P":
        return rgb.quantize(64)
    return rgb.convert(mode)


def opacity(width: int = 48, height: int = 32) -> np.ndarray:
    """(h, w) uint8 from 0 on the left to 255 on the right."""
    return np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))


def encoded(picture: Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of a file."""
    stream = io.BytesIO()
    picture.save(stream, format, **options)
    return stream.getvalue()


def exif(orientation: int) -> bytes:
    """An EXIF block that says which way is up."""
    block = Image.Exif()
    block[ORIENTATION_TAG] = orientation
    return block.tobytes()


def png(width: int, height: int, depth: int = 8, color: int = 0, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG written by hand: header as told, whatever the rows hold. `extra` goes between header and pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(width: int, height: int, bits: int, pixels: bytes, photometric: int = 1, samples: int = 1) -> bytes:
    """An uncompressed little-endian TIFF of one strip, written by hand."""
    # one number stands in the tag itself, three behind the directory
    bits_count, bits_value = (3, 8 + 2 + 10 * 12 + 4) if samples == 3 else (1, bits)
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, bits_count, bits_value),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, 8 + 2 + 10 * 12 + 4 + 8),
        (277, 3, 1, samples),
        (278, 4, 1, height),
        (279, 4, 1, len(pixels)),
        (284, 3, 1, 1),
    ]
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    bits_of_samples = struct.pack("<4H", *([bits] * 4))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + struct.pack("<I", 0) + bits_of_samples + pixels


def webp_header(width: int, height: int) -> bytes:
    """The start of an extended WebP file that claims a canvas of this size."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


@cache
def good_files() -> dict[str, bytes]:
    """File name -> bytes of photographs that must be read, among them every format and the odd modes it can hold."""
    files = {
        "gray.jpg": encoded(image("L"), "JPEG", quality=90),
        "sepia.jpg": encoded(toned(), "JPEG", quality=95, subsampling=0),
        "cmyk.jpg": encoded(image("CMYK"), "JPEG"),
        "progressive.jpg": encoded(image("RGB"), "JPEG", progressive=True),
        "bilevel.png": encoded(image("1"), "PNG"),
        "gray.png": encoded(image("L"), "PNG"),
        "gray-alpha.png": encoded(image("LA"), "PNG"),
        "gray-transparent.png": encoded(image("L"), "PNG", transparency=int(gray_scene()[0, 0])),
        "palette.png": encoded(image("P"), "PNG"),
        "palette-transparent.png": encoded(image("P"), "PNG", transparency=bytes(range(0, 256, 4))),
        "rgb.png": encoded(image("RGB"), "PNG"),
        "rgba.png": encoded(image("RGBA"), "PNG"),
        "gray16.png": encoded(image("I;16"), "PNG"),
        "rgb.webp": encoded(image("RGB"), "WEBP", quality=90),
        "lossless.webp": encoded(image("RGBA"), "WEBP", lossless=True),
        "gray.bmp": encoded(image("L"), "BMP"),
        "rgb.bmp": encoded(image("RGB"), "BMP"),
        "bilevel.tif": encoded(image("1"), "TIFF", compression="group4"),
        "gray16.tif": encoded(image("I;16"), "TIFF"),
        "float.tif": encoded(image("F"), "TIFF"),
        "int32.tif": encoded(image("I"), "TIFF"),
        "cmyk.tif": encoded(image("CMYK"), "TIFF", compression="tiff_lzw"),
        "ycbcr.tif": encoded(image("YCbCr"), "TIFF"),
        "lab.tif": encoded(image("LAB"), "TIFF"),
        "rgba.tif": encoded(image("RGBA"), "TIFF", compression="tiff_adobe_deflate"),
    }
    for orientation in range(1, 9):
        files[f"orientation-{orientation}.jpg"] = encoded(image("L"), "JPEG", quality=95, exif=exif(orientation))
    return files


def flipped(data: bytes, place: int, count: int = 100) -> bytes:
    """The same bytes but for `count` of them."""
    return data[:place] + bytes(byte ^ 255 for byte in data[place : place + count]) + data[place + count :]


@cache
def bad_files() -> dict[str, tuple[bytes, str]]:
    """File name -> bytes that must be refused, and a part of the reason that the message must give."""
    jpeg = encoded(image("RGB", 200, 150), "JPEG")
    good_png = encoded(image("RGB", 200, 150), "PNG")
    frames = [image("L"), image("L").rotate(90)]
    return {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"this is not a photograph at all\n", "not a photo"),
        "one-byte.png": (b"\x89", "not a photo"),
        "animated.gif": (encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "GIF"),
        "still.gif": (encoded(image("P"), "GIF"), "GIF"),
        "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        "letter.pdf": (b"%PDF-1.7\n" + bytes(100), "PDF"),
        "phone.heic": (b"\0\0\0\x18ftypheic" + bytes(100), "HEIC"),
        "truncated.jpg": (jpeg[: len(jpeg) // 2], "truncated"),
        "header-only.jpg": (jpeg[:40], "damaged"),
        "truncated.png": (good_png[: len(good_png) // 2], "damaged"),
        "truncated.bmp": (encoded(image("RGB"), "BMP")[:1000], "damaged"),
        "truncated.tif": (encoded(image("RGB"), "TIFF")[:1000], "damaged"),
        "truncated-lzw.tif": (encoded(image("RGB", 200, 150), "TIFF", compression="tiff_lzw")[:-3000], "damaged"),
        "flipped.tif": (flipped(encoded(image("RGB"), "TIFF", compression="tiff_adobe_deflate"), 500), "damaged"),
        "many-samples.tif": (tiff(4, 4, 8, bytes(16), samples=255), "damaged"),
        "truncated.webp": (encoded(image("RGB", 200, 150), "WEBP")[:500], "damaged"),
        "huge.png": (png(100_000, 100_000), "100000 x 100000 pixels are 10,000.0 megapixels"),
        "huge.tif": (tiff(100_000, 100_000, 8, b"1234"), "10,000.0 megapixels"),
        "huge.webp": (webp_header(16_384, 16_384), "damaged"),
        "zero-width.png": (png(0, 5), "damaged"),
        "odd-mode.png": (png(4, 4, depth=3, color=5, rows=bytes(100)), "damaged"),
    }


def toned(gammas: tuple[float, float, float] = (0.8, 0.95, 1.2), width: int = 48, height: int = 32) -> Image.Image:
    """A monochrome print of another color than gray, by default brown, as sepia is; one gamma for each of R, G, B."""
    gray = gray_scene(width, height)[..., None] / 255
    return Image.fromarray((255 * gray ** np.array(gammas)).round().astype(np.uint8))
