"""The interface that every store implements."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from turntable.errors import RejectedResponseError

PROBE_NAME = ".turntable-probe"
"""Name of the file that ``check_writable`` writes and removes.

It is always the same, so that the next run removes what a killed run left.
"""
PROBE_BYTES = b"turntable writes this to see whether it may, and removes it.\n"
"""Content of that file."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a store that arrives in pieces."""

    size: int
    """Bytes of the whole file."""
    offset: int
    """Offset of the first piece: the requested one, or 0 if the store cannot resume or the file changed."""
    e_tag: str
    """Text that changes with the file's content; empty if the store does not give one."""
    pieces: Iterator[bytes]
    """Pieces of the file, never more bytes than ``size`` leaves.

    The iterator raises StoreError if the response breaks off (what came before is good), and
    RejectedResponseError if there are more bytes than that, or they come too slowly.
    """

    def close(self) -> None:
        """Release the connection without reading the rest."""
        if isinstance(self.pieces, Generator):
            self.pieces.close()


class Store(Protocol):
    """A set of whole files, addressed by name.

    A store is cheap to make and to pickle: it connects in the process that uses it, when it is used. A name
    is a relative path with ``/``, such as "train/shard-000000.tar". A name that could lead out of the store
    raises InvalidInputError. A file exists whole or not at all. Every failure is a StoreError that says what
    to do; failures that may pass by themselves were retried before.
    """

    @property
    def url(self) -> str:
        """The store's URL or path for messages and for ``open_store``, without secrets."""
        ...

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the bytes of a small file, or None if it is missing.

        Args:
            name: Name of the file.
            max_bytes: Largest size that is accepted. The caller knows how long such a file can be. The store
                is not
                believed: never more than this is read or held.

        Raises:
            RejectedResponseError: The file is longer, or comes too slowly.
        """
        ...

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return ``size`` bytes of a file from an offset: fewer if the file ends before, none behind its end.

        Raises:
            StoreError: The file is missing.
        """
        ...

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """Return a large file in pieces.

        Args:
            name: Name of the file.
            offset: Number of bytes that the caller already has.
            e_tag: The ``e_tag`` of the download that gave them. If the file has changed since, or is not
                longer than ``offset``, the download starts at 0.

        Raises:
            StoreError: The file is missing.
        """
        ...

    def get_size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it is missing."""
        ...

    def get_sha256(self, name: str) -> str | None:
        """Return the hex sha256 of a file, or None if it is missing.

        An object store returns the digest that was stored with the object when it was uploaded, without
        reading it.
        """
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, replacing any file of that name."""
        ...

    def upload(self, name: str, path: Path, sha256: str) -> None:
        """Upload a large file of this machine, and make sure that it arrived whole.

        Args:
            name: Name of the file in the store.
            path: Path of the local file.
            sha256: Its hex digest.

        Raises:
            IntegrityError: The file does not have this digest, before or after the upload.
        """
        ...

    def list(self, folder: str = "") -> tuple[str, ...]:
        """Return the sorted names of all files in a folder ("train") and below it.

        Args:
            folder: Name of the folder; empty: the whole store.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a file. A missing file is not an error."""
        ...

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Find problems before any work starts, by writing, reading and removing a small file.

        Args:
            expected_bytes: Number of bytes that will be written. It is compared with the free space where
                that can be known.

        Raises:
            StoreError: The credentials are wrong, the bucket is missing, permission or space is lacking, or
                nothing answers.
        """
        ...


def make_too_long_error(location: str, max_bytes: int) -> RejectedResponseError:
    """Return the error for a file that is longer than its reader accepts.

    Args:
        location: URL or path of the file.
        max_bytes: Largest size that the reader accepts.
    """
    return RejectedResponseError(
        f"{location}: longer than the {max_bytes:,} bytes that are read of such a file; check that the path "
        "or URL is right, and if it is, ask the owner of the data set to make it again"
    )
