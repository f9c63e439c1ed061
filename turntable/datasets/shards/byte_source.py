"""Sources of a shard's bytes: a file of this machine, or a file of a store."""

import os
import weakref
from collections.abc import Callable
from typing import Protocol, Self

from turntable.datasets.files import FolderFiles
from turntable.datasets.shards.tar import SHARD_REMEDY
from turntable.datasets.stores import Store
from turntable.errors import IntegrityError


class ByteSource(Protocol):
    """The source of a shard's bytes."""

    size: int
    """Bytes of the whole shard."""
    num_parallel_reads: int
    """Number of reads that are worth running at once."""

    def prepare(self) -> None:
        """Do now what can be done before the first read."""
        ...

    def read_at(self, size: int, offset: int) -> bytes:
        """Return ``size`` bytes from an offset, or fewer if the shard ends before."""
        ...

    def close(self) -> None:
        """Release what is held. Closing twice is not an error."""
        ...


class LocalFile:
    """A file of this machine, opened at the first read and closed when nothing refers to it any more."""

    num_parallel_reads = 1

    def __init__(self, open_descriptor: Callable[[], int], size: int) -> None:
        self._open_descriptor, self.size = open_descriptor, size
        self._descriptor = -1

    @classmethod
    def from_folder(cls, files: FolderFiles, name: str) -> Self:
        """Open a file of a folder now."""

        def open_descriptor() -> int:
            opened = files.open(name)
            if opened is None:
                raise IntegrityError(f"{files.format_name(name)}: missing; {SHARD_REMEDY}")
            with opened:
                return os.dup(opened.fileno())

        file = cls(open_descriptor, 0)
        file.prepare()
        file.size = os.fstat(file._descriptor).st_size
        return file

    def prepare(self) -> None:
        """Open the file."""
        if self._descriptor < 0:
            self._descriptor = self._open_descriptor()
            self._close = weakref.finalize(self, os.close, self._descriptor)
            # At exit the system closes the file; the finalizer need not run then.
            self._close.atexit = False

    def read_at(self, size: int, offset: int) -> bytes:
        """Read from the file, without moving a position that other threads could share."""
        self.prepare()
        return os.pread(self._descriptor, size, offset)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            self._close()
            self._descriptor = -1


class RemoteFile:
    """A file of a store, of which each read is a request."""

    num_parallel_reads = 16

    def __init__(self, store: Store, name: str) -> None:
        size = store.get_size(name)
        if size is None:
            raise IntegrityError(f"{store.url}/{name}: missing; {SHARD_REMEDY}")
        self._store, self._name, self.size = store, name, size

    def prepare(self) -> None:
        """Do nothing: requests need no preparation."""

    def read_at(self, size: int, offset: int) -> bytes:
        """Request a part of the file."""
        return self._store.read_range(self._name, offset, size)

    def close(self) -> None:
        """Do nothing: nothing is held."""
