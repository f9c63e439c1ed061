"""Journals: lines that stay once they are written, in one growing file or as one small object per line.

Nothing can be appended to an object of an object store. There each line is an object with its own name.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from turntable.datasets.files import append_line, check_file_name, decode_utf8, read_lines
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.protocol import Store
from turntable.errors import InvalidInputError

_NUM_PARALLEL_READS = 16
_MAX_LINE_BYTES = 64 << 20
"""Bytes of one line. A line lists every object that was left out of a shard, with the reason."""


class Journal(Protocol):
    """A record of what a run has done so far."""

    def read_lines(self) -> list[str]:
        """Return all lines without their line ends.

        Of the lines of one name only the last one counts; earlier ones may be gone.
        """
        ...

    def append_line(self, name: str, line: str) -> None:
        """Write a line, which is stored durably when this returns.

        Args:
            name: Name of the line's subject, such as "train/shard-000000". Two writers never use the same
                name.
            line: The line without its line end.

        Raises:
            InvalidInputError: The line has a line end in it, or the name is not a name in a store.
            StoreError: The line could not be written.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileJournal:
    """A journal in one file, written by one writer at a time.

    It keeps the lines of all names in the order they were written.
    """

    path: Path

    def read_lines(self) -> list[str]:
        """Return all finished lines."""
        return read_lines(self.path)

    def append_line(self, name: str, line: str) -> None:
        """Append a line to the file."""
        _check_line(name, line)
        append_line(self.path, line)


@dataclass(frozen=True, slots=True)
class StoreJournal:
    """A journal in a folder of a store, with one object per name and any number of writers."""

    store: Store
    folder: str

    def read_lines(self) -> list[str]:
        """Return the last line of each name, sorted by name."""
        with ThreadPoolExecutor(_NUM_PARALLEL_READS) as pool:
            contents = pool.map(
                lambda name: self.store.read(name, _MAX_LINE_BYTES), self.store.list(self.folder)
            )
            return [
                decode_utf8(data, f"{self.store.url}/{self.folder}").removesuffix("\n")
                for data in contents
                if data is not None
            ]

    def append_line(self, name: str, line: str) -> None:
        """Write a name's line, replacing the one before."""
        _check_line(name, line)
        self.store.write(f"{self.folder}/{name}", f"{line}\n".encode())


def open_journal(store: Store, name: str = "journal") -> Journal:
    """Return the journal of a store: ``<name>.jsonl`` in a folder, ``<name>/…`` in an object store."""
    check_file_name(name)
    if isinstance(store, LocalStore):
        return FileJournal(store.folder / f"{name}.jsonl")
    return StoreJournal(store, name)


def _check_line(name: str, line: str) -> None:
    check_file_name(name)
    if "\n" in line:
        raise InvalidInputError(f"{name}: a line of a journal must have no line end in it")
