"""What every store can do."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from turntable.errors import GivenUpError

PROBE_NAME = ".turntable-probe"
"""What ``check_writable`` writes and removes; always the same, so that one of a killed run does not stay."""
PROBE = b"turntable writes this to see whether it may, and removes it.\n"


@dataclass(frozen=True, slots=True)
class Download:
    """A file that comes in pieces."""

    size: int
    """Bytes of the whole file."""
    offset: int
    """Where the pieces begin: as asked for, or 0 where the place cannot, or the file has changed."""
    e_tag: str
    """Changes with the file's content; empty where the place does not say."""
    pieces: Iterator[bytes]
    """Never more bytes than ``size`` leaves. Raises StoreError where the answer breaks off (what came before
    is good), and GivenUpError where there is more than that, or it comes too slowly."""

    def close(self) -> None:
        """Let go of the answer, of which the rest is not wanted."""
        if isinstance(self.pieces, Generator):
            self.pieces.close()


class Store(Protocol):
    """Whole files by name. Cheap to make and to pickle: it connects where and when it is used.

    A name is a relative path with ``/``, "train/shard-000000.tar", and never leaves the store; another raises
    InvalidInputError. A file exists whole or not at all. Whatever the place refuses is a StoreError that says
    what to do; whatever may pass by itself was tried again before.
    """

    @property
    def url(self) -> str:
        """For messages and for ``open_store``; without secrets."""
        ...

    def read(self, name: str, most_bytes: int) -> bytes | None:
        """Return a whole small file; None where there is none.

        Args:
            name: of the file.
            most_bytes: it may have. Whoever asks knows what such a file holds at most; the place is not
                believed, and no more than that is ever read or held.

        Raises:
            GivenUpError: It is longer, or comes too slowly.
        """
        ...

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Some bytes of a file: fewer where it ends before, none behind its end.

        Raises:
            StoreError: There is no such file.
        """
        ...

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """A large file in pieces.

        Args:
            name: of the file.
            offset: bytes of it that are here already.
            e_tag: that it had then: from a file that has changed, or is no longer than that, all is given.

        Raises:
            StoreError: There is no such file.
        """
        ...

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        ...

    def sha256(self, name: str) -> str | None:
        """Hex digest of a file; None where there is none.

        An object store answers with what was written beside the object when it came, without reading it.
        """
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, replacing what had its name."""
        ...

    def upload(self, name: str, path: Path, sha256: str) -> None:
        """Bring a large file of this machine here, and make sure that it came whole.

        Args:
            name: it gets.
            path: where it is.
            sha256: its hex digest.

        Raises:
            IntegrityError: The file is not what the digest says, before or after.
        """
        ...

    def list(self, folder: str = "") -> tuple[str, ...]:
        """Names of all files in a folder ("train") and in those below it, sorted; of all files by default."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Find out before any work what would stop it later, by writing, reading and removing a small file.

        Args:
            expected_bytes: that are to be written; compared with the room where that can be known.

        Raises:
            StoreError: Wrong credentials, no such bucket, no permission, no space, nobody answers.
        """
        ...


def too_long(place: str, most_bytes: int) -> GivenUpError:
    """Return the error for a file that is longer than whoever reads it allows.

    Args:
        place: The file's URL or path.
        most_bytes: It may have.
    """
    return GivenUpError(
        f"{place}: longer than the {most_bytes:,} bytes that are read of such a file; look whether this is "
        "the right place, and if so ask whoever keeps the data set to make it anew"
    )
