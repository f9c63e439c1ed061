"""The tar format of shards: plain USTAR files that can be reproduced byte for byte.

It is written by hand for two reasons. Python's tarfile takes longer for a member than decoding the image in
it. And a strict reader detects a shard that was cut or edited.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from turntable.datasets.labels import OBJECT_ARRAYS, OUTPUTS, get_output_suffix
from turntable.errors import IntegrityError

BLOCK_BYTES = 512
"""Size of a tar block. Headers and data each fill whole blocks."""
END_OF_ARCHIVE = bytes(2 * BLOCK_BYTES)
"""Two blocks of zeros that end an archive."""
SHARD_REMEDY = "re-run `turntable render` with the same arguments to make it again, or fetch it again"
"""Advice that ends the messages about a damaged shard."""

_MAX_NAME = 100
"""Bytes of a header's name field; one of them ends the name."""
_MAX_SIZE = 8**11 - 1
"""Largest size that a header's size field holds: eleven octal digits."""
_VIEW_FILES = "|".join(f"{name}\\.{get_output_suffix(name)}" for name in OUTPUTS if name != "rgb")
_ALLOWED_NAME = re.compile(
    rf"[a-z0-9_-]{{1,64}}\.(?:\d{{3,5}}\.(?:jpg|{_VIEW_FILES})"
    rf"|(?:latents|{'|'.join(OBJECT_ARRAYS)})\.npy|meta\.json)"
)


@dataclass(frozen=True, slots=True)
class TarMember:
    """The name and position of one file of an archive."""

    name: str
    offset: int
    """Offset of the first byte of data from the beginning of the archive."""
    size: int
    """Number of bytes of data."""


def make_ustar_header(name: str, size: int) -> bytes:
    """Return the 512 bytes before a file's data. Owner, group and time are zero, the mode is 0644."""
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
    # The checksum is the sum of all bytes, with its own eight bytes counted as blanks.
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return (before + b"%06o\0 " % checksum + after).ljust(BLOCK_BYTES, b"\0")


def parse_member_size(header: bytes) -> int:
    """Return the number of data bytes that a header states.

    Raises ValueError if it is not an octal number.
    """
    return int(header[124:135], 8)


def make_padding(size: int) -> bytes:
    """Return the zeros that fill the last block of a member with ``size`` bytes of data."""
    return bytes(-size % BLOCK_BYTES)


def iter_tar_members(file: BinaryIO, display_name: str) -> Iterator[TarMember]:
    """Yield the members of an archive in order, as its headers give them.

    Args:
        file: The archive, open for reading.
        display_name: Name of the archive in error messages.

    Raises:
        IntegrityError: The archive is cut, has a bad header, or holds anything but the regular ``.jpg``,
            ``.png``, ``.npy`` and ``.json`` files of a shard.
    """
    length = os.fstat(file.fileno()).st_size
    offset = 0
    while True:
        header = _read_block(file, offset, display_name)
        if header == bytes(BLOCK_BYTES):
            _check_end(file, offset, length, display_name)
            return
        member = _parse_header(header, offset, display_name)
        offset = member.offset + member.size + len(make_padding(member.size))
        if offset > length:
            raise IntegrityError(f"{display_name}: cut inside {member.name}; {SHARD_REMEDY}")
        yield member


def _read_block(file: BinaryIO, offset: int, display_name: str) -> bytes:
    file.seek(offset)
    block = file.read(BLOCK_BYTES)
    if len(block) < BLOCK_BYTES:
        raise IntegrityError(
            f"{display_name}: cut at byte {offset + len(block)}, before the end of the archive; "
            f"{SHARD_REMEDY}"
        )
    return block


def _check_end(file: BinaryIO, offset: int, length: int, display_name: str) -> None:
    file.seek(offset)
    if length != offset + len(END_OF_ARCHIVE) or file.read() != END_OF_ARCHIVE:
        raise IntegrityError(
            f"{display_name}: does not end as turntable ends it, at byte {offset}; {SHARD_REMEDY}"
        )


def _parse_header(header: bytes, offset: int, display_name: str) -> TarMember:
    name = header[:_MAX_NAME].rstrip(b"\0").decode("ascii", errors="replace")
    if not _ALLOWED_NAME.fullmatch(name):
        raise IntegrityError(
            f"{display_name}: refused member {name!r} at byte {offset}: not a file of a shard; {SHARD_REMEDY}"
        )
    try:
        size = parse_member_size(header)
    except ValueError:
        size = -1
    # All other fields are constant, so the header must equal the one that turntable writes.
    if not 0 <= size <= _MAX_SIZE or header != make_ustar_header(name, size):
        raise IntegrityError(f"{display_name}: bad header of {name} at byte {offset}; {SHARD_REMEDY}")
    return TarMember(name, offset + BLOCK_BYTES, size)
