"""Malformed images, and good ones of rare formats."""

import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image


def make_png(size: tuple[int, int] = (2, 2)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (200, 10, 10)).save(out, "PNG")
    return out.getvalue()


def _jpeg() -> bytes:
    out = BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims this size, and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def png_with_texts() -> bytes:
    """A PNG whose texts unpack to 70 MB."""
    text = zlib.compress(b"a" * 1_000_000)
    chunks = [b"zTXt", *(b"%d\0\0" % n + text for n in range(70))]
    png = make_png()
    texts = b"".join(
        struct.pack(">I", len(data)) + chunks[0] + data + struct.pack(">I", zlib.crc32(chunks[0] + data))
        for data in chunks[1:]
    )
    return png[:33] + texts + png[33:]


def _jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG of 2048 x 2048 whose last scan is repeated."""
    out = BytesIO()
    Image.new("L", (2048, 2048)).save(out, "JPEG", progressive=True)
    jpeg = out.getvalue()
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * count + jpeg[-2:]


def _webp_of(width: int, height: int) -> bytes:
    """An animation of one pixel in the corner of this canvas."""
    out = BytesIO()
    Image.new("RGBA", (1, 1)).save(out, "WEBP", lossless=True)
    frame = bytes(12) + b"d\0\0\0" + out.getvalue()[12:]
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    parts = ((b"VP8X", b"\x12\0\0\0" + size), (b"ANIM", bytes(6)), (b"ANMF", frame))
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data for kind, data in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _encode(kind: str) -> bytes:
    out = BytesIO()
    Image.effect_noise((32, 32), 50).convert("RGB").save(out, kind)
    return out.getvalue()


def _jpeg_2000_of_tiles() -> bytes:
    """A JPEG 2000 image of 2048 x 2048 that claims tiles of one pixel."""
    out = BytesIO()
    Image.new("RGB", (2048, 2048)).save(out, "JPEG2000", tile_size=(1024, 1024))
    return out.getvalue().replace(struct.pack(">2I", 1024, 1024), struct.pack(">2I", 1, 1), 1)


def _tiff_of_floats() -> bytes:
    """A TIFF of 32 x 32 floats of three channels."""
    tags = {256: 32, 257: 32, 258: 32, 259: 1, 262: 2, 273: 8, 277: 3, 278: 32, 279: 12288, 339: 3}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    body = np.linspace(0, 1, 3072, dtype="<f4").tobytes()
    return (
        b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + bytes(4)
    )


GOOD_IMAGES: dict[str, Callable[[], bytes]] = {
    "image-of-floats": _tiff_of_floats,
    "image-jpeg-2000": lambda: _encode("JPEG2000"),
    "image-bmp": lambda: _encode("BMP"),
}


def broken_images(chance: random.Random) -> dict[str, bytes]:
    jpeg, png = _jpeg(), make_png((32, 32))
    return {
        "image-empty": b"",
        "image-bomb": png_of(60_000, 60_000),
        "image-of-2-gigapixels": png_of(2**31 - 1, 1),
        "image-without-data": png_of(16, 16),
        "image-without-width": png_of(0, 16),
        "image-of-one-column": png_of(1, 2**26),
        "image-of-scans": _jpeg_of_scans(1000),
        "image-of-a-canvas": _webp_of(8192, 8192),
        "image-of-words": b"P3\n1024 1024\n255\n" + b"#a\n" * 100_000,
        "image-of-nothing": b"P6\n8192 8192\n255\n",
        "image-noise": chance.randbytes(1000),
        "image-web-page": b"<html>not found</html>",
        "image-cut-png": png[: len(png) // 2],
        "image-cut-jpeg": jpeg[: len(jpeg) // 2 + chance.randrange(100)],
        "image-head-of-jpeg": jpeg[:20],
        "image-cut-interlaced": png[:28] + b"\x01" + png[29:],
        "image-cut-before-a-pixel": jpeg[: jpeg.index(b"\xff\xda") + 14],
        "image-cut-bmp": _encode("BMP")[:2000],
        "image-jpeg-2000-cut": _encode("JPEG2000")[:-40],
        "image-jpeg-2000-bomb": _encode("JPEG2000").replace(struct.pack(">I", 32), struct.pack(">I", 60_000)),
        "image-jpeg-2000-of-tiles": _jpeg_2000_of_tiles(),
        "image-tiff-cut": _tiff_of_floats()[:500],
        "image-tiff-of-a-claim": _tiff_of_floats().replace(struct.pack("<I", 32), struct.pack("<I", 60_000)),
        "image-tiff-of-itself": b"II*\0\x08\0\0\0" + b"\xff" * 4000,
        "image-radiance": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\x80\x80\x80\x80",
        "image-openexr": b"v/1\x01" + bytes(500),
        "image-postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        "image-vector": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    }
