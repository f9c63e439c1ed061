"""Checks of image files before a decoder sees them: unneeded parts are removed, costly images refused."""

import struct

from PIL import Image

from turntable.errors import MeshError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""First bytes of a PNG."""
PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""Chunks that decide the pixels. Others (texts, color profiles, further frames) can unpack to any size."""

MAX_PIXELS_PER_BYTE = {"BMP": 128, "PPM": 8, "TGA": 64, "DDS": 2}
"""Most pixels that a byte of a format can encode.

A file that claims more is cut off. Decoders would fill the missing pixels, some of them byte by byte.
"""

TEXT_PPM_PREFIXES = (b"P1", b"P2", b"P3")
"""First bytes of PPM files whose pixels are text, which Pillow parses number by number."""

MAX_SCANNED_PIXELS = 2**30
"""Most pixels of a JPEG times its scans.

A progressive JPEG usually has about ten scans, and the decoder passes over all pixels in each.
"""

START_OF_SCAN = b"\xff\xda"
"""Marker before each scan of a JPEG."""


def strip_png(data: bytes) -> bytes:
    """Return a PNG reduced to the chunks that decide its pixels. Any other file is returned unchanged."""
    if not data.startswith(PNG_SIGNATURE):
        return data
    # A chunk is its length (4 bytes), its type (4), its data, and a checksum (4).
    chunks, start = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while start + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        if kind in PNG_CHUNKS:
            chunks.append(data[start : start + 12 + size])
        start += 12 + size
    return b"".join(chunks)


def check_image(image: Image.Image, data: bytes, name: str) -> None:
    """Refuse an opened image that would take far more work to decode than its size suggests.

    Args:
        image: Image opened by Pillow; no pixel is decoded yet.
        data: Bytes the image was opened from.
        name: Name of the image, for the message.

    Raises:
        MeshError: The image claims more pixels than its bytes can encode, has its pixels as text, or is a
            JPEG with too many scans.
    """
    size, max_per_byte = image.width * image.height, MAX_PIXELS_PER_BYTE.get(image.format or "")
    if max_per_byte is not None and size > max_per_byte * len(data):
        raise MeshError(f"texture {name} claims {size:,} pixels in {len(data):,} bytes; it is cut off")
    if data[:2] in TEXT_PPM_PREFIXES:
        raise MeshError(f"texture {name} stores its pixels as text, which is not supported")
    if _is_jpeg(image, data) and size * data.count(START_OF_SCAN) > MAX_SCANNED_PIXELS:
        raise MeshError(
            f"texture {name} encodes {size:,} pixels in {data.count(START_OF_SCAN):,} scans; save it again"
        )


def _is_jpeg(image: Image.Image, data: bytes) -> bool:
    """Return True if the JPEG decoder will run: for a JPEG, an MPO file, or JPEG data inside a TIFF."""
    return data.startswith(b"\xff\xd8") or "jpeg" in str(image.info.get("compression", ""))
