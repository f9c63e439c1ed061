"""Leave out or refuse what an image's file holds beside its picture, before a decoder looks at it."""

import struct

from PIL import Image

from turntable.errors import MeshError

PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""The chunks that decide the pixels; texts, profiles and further frames can unpack to any size."""

MOST_PIXELS_A_BYTE = {"BMP": 128, "PPM": 8, "TGA": 64, "DDS": 2}
"""The most that some formats can pack: decoders fill up a larger claim, some of them byte by byte."""

PIXELS_AS_TEXT = (b"P1", b"P2", b"P3")
"""Beginnings of PPM files that are read number by number."""

MOST_SCANNED_PIXELS = 2**30
"""Pixels of a JPEG times its scans: a progressive one has about ten, and each goes over all pixels."""

START_OF_SCAN = b"\xff\xda"


def bare(data: bytes) -> bytes:
    """Return a PNG with nothing in it but its picture; any other file as it is."""
    if not data.startswith(PNG_START):
        return data
    chunks, start = [PNG_START], len(PNG_START)
    while start + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        if kind in PNG_CHUNKS:
            chunks.append(data[start : start + 12 + size])
        start += 12 + size
    return b"".join(chunks)


def check(image: Image.Image, data: bytes, name: str) -> None:
    """Refuse an opened image that would take far more work than it is large.

    Args:
        image: As Pillow opened it; no pixel is decoded yet.
        data: What it was opened from.
        name: What the message calls it.

    Raises:
        MeshError: It would.
    """
    size, most = image.width * image.height, MOST_PIXELS_A_BYTE.get(image.format or "")
    if most is not None and size > most * len(data):
        raise MeshError(f"texture {name} claims {size:,} pixels in {len(data):,} bytes; it is cut off")
    if data[:2] in PIXELS_AS_TEXT:
        raise MeshError(f"texture {name} has its pixels written as text, which is not read")
    if _is_jpeg(image, data) and size * data.count(START_OF_SCAN) > MOST_SCANNED_PIXELS:
        raise MeshError(
            f"texture {name} goes over {size:,} pixels in {data.count(START_OF_SCAN):,} scans; save it anew"
        )


def _is_jpeg(image: Image.Image, data: bytes) -> bool:
    """Return whether JPEG's decoder has the work: of a file, of one of several pictures (MPO), in a TIFF."""
    return data.startswith(b"\xff\xd8") or "jpeg" in str(image.info.get("compression", ""))
