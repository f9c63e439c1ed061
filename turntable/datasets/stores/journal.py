"""Lines that are there for good once written: one file that grows, or one small object a line.

An object cannot be appended to. So each line has a name of its own there, and the journal is their list.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from turntable.datasets.files import append_line, checked_name, decoded, read_lines
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.protocol import Store
from turntable.errors import InvalidInputError

_PARALLEL_READS = 16
_MOST_LINE_BYTES = 64 << 20
"""The most of one line, which names every object that was left out of a shard, and why."""


class Journal(Protocol):
    """What a run has done so far."""

    def lines(self) -> list[str]:
        """All lines, without their ends. Of one name the last line counts: earlier ones may be gone."""
        ...

    def append(self, name: str, line: str) -> None:
        """Write a line; it is there for good when this returns.

        Args:
            name: of what the line is about, such as "train/shard-000000"; two writers never use the same.
            line: without its end.

        Raises:
            InvalidInputError: It is no single line, or not a name.
            StoreError: It could not be written.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileJournal:
    """A file with the lines of all names in the order they came. One writer at a time."""

    path: Path

    def lines(self) -> list[str]:
        """All finished lines."""
        return read_lines(self.path)

    def append(self, name: str, line: str) -> None:
        """Add a line at the end."""
        _check(name, line)
        append_line(self.path, line)


@dataclass(frozen=True, slots=True)
class ObjectJournal:
    """One object a name, in a folder of a store. Any number of writers."""

    store: Store
    folder: str

    def lines(self) -> list[str]:
        """The last line of each name, sorted by name."""
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            found = pool.map(
                lambda name: self.store.read(name, _MOST_LINE_BYTES), self.store.list(self.folder)
            )
            return [
                decoded(data, f"{self.store.url}/{self.folder}").removesuffix("\n")
                for data in found
                if data is not None
            ]

    def append(self, name: str, line: str) -> None:
        """Write a name's line in place of its last."""
        _check(name, line)
        self.store.write(f"{self.folder}/{name}", f"{line}\n".encode())


def open_journal(store: Store, name: str = "journal") -> Journal:
    """The journal of a store: ``<name>.jsonl`` in a folder, ``<name>/…`` in an object store."""
    checked_name(name)
    if isinstance(store, LocalStore):
        return FileJournal(store.folder / f"{name}.jsonl")
    return ObjectJournal(store, name)


def _check(name: str, line: str) -> None:
    checked_name(name)
    if "\n" in line:
        raise InvalidInputError(f"{name}: a line of a journal has no line end in it")
