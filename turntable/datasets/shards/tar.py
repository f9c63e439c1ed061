"""The one kind of tar archive we write and read: plain USTAR files, byte for byte reproducible.

Written by hand because Python's tarfile costs more for a member than decoding the image in it, and because
reading it strictly is what tells a shard that was cut or edited.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from turntable.errors import IntegrityError

BLOCK = 512
END_OF_ARCHIVE = bytes(2 * BLOCK)
REMEDY = "re-run `turntable render` with the same arguments to make it again, or fetch it again"

_MAX_NAME = 100
_MAX_SIZE = 8**11 - 1
_ALLOWED_NAME = re.compile(
    r"[a-z0-9_-]{1,64}\."
    r"(?:\d{3,5}\.(?:jpg|(?:mask|depth|normals|coordinates)\.png)|(?:latents|points)\.npy|meta\.json)"
)


@dataclass(frozen=True, slots=True)
class TarMember:
    """One file of an archive, located."""

    name: str
    offset: int
    """Of its first byte of data, from the beginning of the archive."""
    size: int
    """Bytes of data."""


def ustar_header(name: str, size: int) -> bytes:
    """The 512 bytes before a regular file's data; owner, group and time are zero, the mode is 0644."""
    encoded = name.encode("ascii")
    assert len(encoded) < _MAX_NAME, name
    assert 0 <= size <= _MAX_SIZE, size
    before = (
        encoded.ljust(_MAX_NAME, b"\0")
        + b"0000644\0"
        + b"0000000\0" * 2
        + b"%011o\0" % size
        + b"0" * 11
        + b"\0"
    )
    after = b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2
    # The checksum is counted with blanks in its own place.
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return (before + b"%06o\0 " % checksum + after).ljust(BLOCK, b"\0")


def member_size(header: bytes) -> int:
    """Bytes of data behind a header. Raises ValueError where the field is no octal number."""
    return int(header[124:135], 8)


def padding(size: int) -> bytes:
    """The zeros that fill a member's last block."""
    return bytes(-size % BLOCK)


def scan_tar(file: BinaryIO, where: str) -> Iterator[TarMember]:
    """Walk through an archive by its own headers, trusting nothing.

    Args:
        file: the archive, open.
        where: what error messages call it.

    Yields:
        Its members in order.

    Raises:
        IntegrityError: the archive is cut, has a bad header, or holds anything but the regular ``.jpg``,
            ``.png``, ``.npy`` and ``.json`` files of a shard.
    """
    length = os.fstat(file.fileno()).st_size
    offset = 0
    while True:
        header = _read_block(file, offset, where)
        if header == bytes(BLOCK):
            _check_end(file, offset, length, where)
            return
        member = _parse_header(header, offset, where)
        offset = member.offset + member.size + len(padding(member.size))
        if offset > length:
            raise IntegrityError(f"{where}: cut inside {member.name}; {REMEDY}")
        yield member


def _read_block(file: BinaryIO, offset: int, where: str) -> bytes:
    file.seek(offset)
    block = file.read(BLOCK)
    if len(block) < BLOCK:
        raise IntegrityError(
            f"{where}: cut at byte {offset + len(block)}, before the end of the archive; {REMEDY}"
        )
    return block


def _check_end(file: BinaryIO, offset: int, length: int, where: str) -> None:
    file.seek(offset)
    if length != offset + len(END_OF_ARCHIVE) or file.read() != END_OF_ARCHIVE:
        raise IntegrityError(f"{where}: does not end as we write it, at byte {offset}; {REMEDY}")


def _parse_header(header: bytes, offset: int, where: str) -> TarMember:
    name = header[:_MAX_NAME].rstrip(b"\0").decode("ascii", errors="replace")
    if not _ALLOWED_NAME.fullmatch(name):
        raise IntegrityError(
            f"{where}: refused member {name!r} at byte {offset}: not a file of a shard; {REMEDY}"
        )
    try:
        size = member_size(header)
    except ValueError:
        size = -1
    # Every other field is a constant, so the header must be the very one we would write.
    if not 0 <= size <= _MAX_SIZE or header != ustar_header(name, size):
        raise IntegrityError(f"{where}: bad header of {name} at byte {offset}; {REMEDY}")
    return TarMember(name, offset + BLOCK, size)
