"""Checks of image files before a decoder sees them: unneeded parts are removed, costly images refused."""

import re
import struct
from itertools import islice

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


JPEG_2000_START = re.compile(rb"\xff\x4f\xff\x51")
"""Markers at the start of the code stream of a JPEG 2000 image, and of its size."""
CODING_STYLE, START_OF_TILE = 0xFF52, 0xFF90
"""Markers of a JPEG 2000 image: before the number of layers, and after the last table for all tiles."""
MAX_CHANNELS, MAX_TILES, MAX_LAYERS, MAX_CODE_STREAMS = 4, 4096, 256, 16
"""Most channels, tiles, layers and code streams of a JPEG 2000 image. Decoders keep a table for each."""

UNSUPPORTED_FORMATS = {
    b"v/1\x01": "an OpenEXR image",
    b"#?RADIANCE": "a Radiance HDR image",
    b"#?RGBE": "a Radiance HDR image",
    b"\xabKTX": "a KTX texture",
    b"8BPS": "a Photoshop image",
    b"%!PS": "a PostScript file",
    b"%PDF": "a PDF file",
    b"<svg": "an SVG image",
    b"<?xml": "an XML file",
    b"\x01\xda": "an SGI image",
    b"SDPX": "a DPX image",
    b"XPDS": "a DPX image",
}
"""Descriptions of formats that are not decoded, by the first bytes of a file."""
UNSUPPORTED_BRANDS = {b"avif": "an AVIF image", b"avis": "an AVIF image", b"heic": "a HEIF image"}
"""Descriptions of formats that are not decoded, by the brand in bytes 8 to 11 of a file."""


def describe_unsupported(data: bytes) -> str:
    """Describe why an image is not decoded, if it is of a known format; "" otherwise."""
    kind = next((text for start, text in UNSUPPORTED_FORMATS.items() if data.startswith(start)), "")
    if data[4:8] == b"ftyp":
        kind = UNSUPPORTED_BRANDS.get(data[8:12], kind)
    return f"it is {kind}, which is not supported; save it as a PNG" if kind else ""


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
            JPEG with too many scans, or a JPEG 2000 with too many tiles.
    """
    size, max_per_byte = image.width * image.height, MAX_PIXELS_PER_BYTE.get(image.format or "")
    if max_per_byte is not None and size > max_per_byte * len(data):
        raise MeshError(f"texture {name} claims {size:,} pixels in {len(data):,} bytes; it is cut off")
    if data[:2] in TEXT_PPM_PREFIXES:
        raise MeshError(f"texture {name} stores its pixels as text, which is not supported")
    if image.format == "JPEG2000":
        _check_jpeg_2000(data, name)
    if _is_jpeg(image, data) and size * data.count(START_OF_SCAN) > MAX_SCANNED_PIXELS:
        raise MeshError(
            f"texture {name} encodes {size:,} pixels in {data.count(START_OF_SCAN):,} scans; save it again"
        )


def _check_jpeg_2000(data: bytes, name: str) -> None:
    """Refuse a JPEG 2000 image of so many channels, tiles or layers that its decoder needs huge tables."""
    starts = [match.start() for match in islice(re.finditer(JPEG_2000_START, data), MAX_CODE_STREAMS + 1)]
    if len(starts) > MAX_CODE_STREAMS:
        raise MeshError(f"texture {name} seems to hold more than {MAX_CODE_STREAMS} images; save it again")
    for start in starts:
        if start + 44 > len(data):
            continue
        right, bottom, _, _, width, height, left, top, channels = struct.unpack_from(">8IH", data, start + 8)
        tiles = -(-(right - left) // max(width, 1)) * -(-(bottom - top) // max(height, 1))
        if channels > MAX_CHANNELS or tiles > MAX_TILES or _count_layers(data, start) > MAX_LAYERS:
            raise MeshError(
                f"texture {name} has {channels:,} channels and {tiles:,} tiles, or too many layers; save it "
                "again"
            )


def _count_layers(data: bytes, start: int) -> int:
    """Return the number of layers of a JPEG 2000 image whose code stream starts here."""
    position = start + 2
    while position + 4 <= len(data):
        marker, size = struct.unpack_from(">2H", data, position)
        if marker == CODING_STYLE and position + 8 <= len(data):
            return int(struct.unpack_from(">H", data, position + 6)[0])
        if marker >> 8 != 0xFF or marker == START_OF_TILE or size < 2:
            break
        position += 2 + size
    return 0


def _is_jpeg(image: Image.Image, data: bytes) -> bool:
    """Return True if the JPEG decoder will run: for a JPEG, an MPO file, or JPEG data inside a TIFF."""
    return data.startswith(b"\xff\xd8") or "jpeg" in str(image.info.get("compression", ""))
