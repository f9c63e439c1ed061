"""Images whose files are cut off, completed so that a decoder shows them as far as they go."""

import struct
import zlib

from turntable.renderer.meshes.formats.images.image_checks import PNG_SIGNATURE, START_OF_SCAN

END_OF_IMAGE = b"\xff\xd9"
"""Marker at the end of a JPEG."""
MIN_SCAN_BYTES = 4
"""Fewest bytes of a scan of a JPEG from which a pixel can come."""
MAX_MARKERS = 8
"""Most markers of a JPEG that are tried as its last one, counted from the end."""
MAX_PIXELS_PER_BYTE = 8
"""Most pixels a byte of a file without compression that is completed."""
_PIECE_BYTES = 4096
"""Bytes of a compressed image that are unpacked at once, so that what comes before an error is kept."""

MAX_FILTER = 4
"""Largest number of a filter of the rows of a PNG."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Number of channels by color type of a PNG."""
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Passes of an interlaced PNG: first column and row, and steps between columns and rows."""


def complete_image(data: bytes, size: tuple[int, int]) -> tuple[bytes, ...]:
    """Complete the file of an image that is cut off.

    Args:
        data: Bytes of the file, which a decoder could not read to its end.
        size: Width and height in pixels, which the limits allow.

    Returns:
        Complete files to try, the best first. None if not even the first pixel is there, or for a format that
        is not completed.
    """
    if data.startswith(b"\xff\xd8"):
        return _complete_jpeg(data)
    if data.startswith(PNG_SIGNATURE):
        return _complete_png(data)
    num_pixels = size[0] * size[1]
    if data[:2] in (b"BM", b"P5", b"P6") or data[1:3] in (b"\x00\x02", b"\x00\x03", b"\x01\x01"):
        return (data + bytes(4 * num_pixels),) if num_pixels <= MAX_PIXELS_PER_BYTE * len(data) else ()
    return ()


def _complete_jpeg(data: bytes) -> tuple[bytes, ...]:
    """Complete a JPEG: the decoder fills what is missing before its end."""
    scan = data.find(START_OF_SCAN)
    if scan < 0 or scan + 4 > len(data):
        return ()
    (header,) = struct.unpack_from(">H", data, scan + 2)
    if len(data) - (scan + 2 + header) < MIN_SCAN_BYTES:
        return ()
    files, end = [data], len(data)
    # A progressive JPEG may be cut inside a table between two scans, which the decoder would not get over.
    while len(files) < MAX_MARKERS and (end := data.rfind(b"\xff", scan + 2 + header, end)) > 0:
        if (
            data[end + 1 : end + 2] not in (b"\0", b"\xff")
            and not 0xD0 <= (data[end + 1 : end + 2] or b"\0")[0] <= 0xD7
        ):
            files.append(data[:end])
    return tuple(file + END_OF_IMAGE for file in files)


def _complete_png(data: bytes) -> tuple[bytes, ...]:
    """Complete a PNG: pixels that are missing become 0."""
    chunks = _split_png(data)
    header = next((content for kind, content in chunks if kind == b"IHDR"), b"")
    if len(header) != 13:
        return ()
    rows = _list_png_rows(header)
    max_bytes = sum(row_bytes * num_rows for row_bytes, num_rows in rows)
    pixels = _unpack(b"".join(content for kind, content in chunks if kind == b"IDAT"), max_bytes)
    pixels = _cut_at_bad_filter(pixels, rows)
    if len(pixels) < 2:  # the first byte is the filter of the first row
        return ()
    others = [(kind, content) for kind, content in chunks if kind in (b"PLTE", b"tRNS")]
    packed = zlib.compress(pixels + bytes(max_bytes - len(pixels)), 1)
    whole = [(b"IHDR", header), *others, (b"IDAT", packed), (b"IEND", b"")]
    return (PNG_SIGNATURE + b"".join(_make_chunk(kind, content) for kind, content in whole),)


def _split_png(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG, the last as far as it goes. Checksums are not compared."""
    chunks: list[tuple[bytes, bytes]] = []
    start = len(PNG_SIGNATURE)
    while start + 8 < len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        chunks.append((kind, data[start + 8 : start + 8 + size]))
        start += 12 + size
    return chunks


def _make_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG: its length, its type, its content and its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _list_png_rows(header: bytes) -> list[tuple[int, int]]:
    """List the rows of the unpacked pixels of a PNG: the bytes of each with its filter, and their number.

    An interlaced image has rows of up to seven lengths.
    """
    width, height, depth, color_type, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _CHANNELS.get(color_type, 1)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = ((-((left - width) // across), -((top - height) // down)) for left, top, across, down in passes)
    return [(1 + -(-columns * bits // 8), rows) for columns, rows in sizes if columns > 0 and rows > 0]


def _cut_at_bad_filter(pixels: bytes, rows: list[tuple[int, int]]) -> bytes:
    """Return the unpacked pixels of a PNG before the first row with a filter that does not exist."""
    start = 0
    for row_bytes, num_rows in rows:
        filters = pixels[start : start + row_bytes * num_rows : row_bytes]
        bad = next((number for number, value in enumerate(filters) if value > MAX_FILTER), None)
        if bad is not None:
            return pixels[: start + bad * row_bytes]
        start += row_bytes * num_rows
    return pixels


def _unpack(data: bytes, max_bytes: int) -> bytes:
    """Unpack data as far as it goes, to at most so many bytes."""
    unpacker, parts, num_bytes = zlib.decompressobj(), list[bytes](), 0
    try:
        for start in range(0, len(data), _PIECE_BYTES):
            if num_bytes >= max_bytes:
                break
            piece = data[start : start + _PIECE_BYTES]
            while piece and num_bytes < max_bytes:
                parts.append(unpacker.decompress(piece, max_bytes - num_bytes))
                num_bytes += len(parts[-1])
                piece = unpacker.unconsumed_tail
    except zlib.error:  # what was unpacked before is kept
        pass
    return b"".join(parts)
