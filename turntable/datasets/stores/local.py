"""A folder of this machine as a store."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from turntable.datasets.files import (
    TEMPORARY_SUFFIX,
    atomic_file,
    checked_name,
    file_sha256,
    open_plain,
    write_bytes,
)
from turntable.datasets.stores.disk_errors import clear_errors
from turntable.datasets.stores.protocol import PROBE, PROBE_NAME, Download, too_long
from turntable.errors import GivenUpError, IntegrityError, StoreError

_PIECE_BYTES = 1 << 20
_ABSENT = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class LocalStore:
    """Files in a folder, which is made when the first is written."""

    folder: Path

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def read(self, name: str, most_bytes: int) -> bytes | None:
        """Return a whole small file; None where there is none."""
        path = self._path(name)
        with clear_errors(path):
            try:
                with _opened(path) as file:
                    size = os.fstat(file.fileno()).st_size
                    data = file.read(size + 1) if size <= most_bytes else b""
                    if len(data) > size:  # no plain file, or one that grows
                        data += file.read(most_bytes + 1 - len(data))
            except _ABSENT:
                return None
        if max(size, len(data)) > most_bytes:
            raise too_long(str(path), most_bytes)
        return data

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Some bytes of a file."""
        path = self._path(name)
        with clear_errors(path):
            try:
                with _opened(path) as file:
                    return os.pread(file.fileno(), size, offset)
            except _ABSENT:
                raise StoreError(f"{path}: missing") from None

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """A file from an offset on, where it has not changed since."""
        path = self._path(name)
        with clear_errors(path):
            if not path.is_file():
                raise StoreError(f"{path}: missing")
            status = path.stat()
        now = f"{status.st_mtime_ns}-{status.st_size}"
        start = offset if offset < status.st_size and e_tag in ("", now) else 0
        return Download(status.st_size, start, now, _pieces(path, start, status.st_size))

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        path = self._path(name)
        with clear_errors(path):
            return path.stat().st_size if path.is_file() else None

    def sha256(self, name: str) -> str | None:
        """Hex digest of a file, by reading it; None where there is none."""
        path = self._path(name)
        with clear_errors(path):
            try:
                with os.fdopen(open_plain(path), "rb") as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
            except _ABSENT:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file atomically."""
        path = self._path(name)
        with clear_errors(path):
            write_bytes(path, data)

    def upload(self, name: str, path: Path, sha256: str) -> None:
        """Copy a file here atomically; the copy is read back before it gets its name."""
        target = self._path(name)
        with clear_errors(target), path.open("rb") as source, atomic_file(target) as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            if file_sha256(Path(copy.name)) != sha256:
                raise IntegrityError(f"{target}: {path} was copied, but has another sha256 than it should")

    def list(self, folder: str = "") -> tuple[str, ...]:
        """Names of all files in a folder, without those that are still being written."""
        top = self._path(folder) if folder else self.folder
        with clear_errors(top):
            files = [path for path in top.rglob("*") if path.is_file() and path.suffix != TEMPORARY_SUFFIX]
        return tuple(sorted(path.relative_to(self.folder).as_posix() for path in files))

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        path = self._path(name)
        with clear_errors(path):
            try:
                path.unlink()
            except _ABSENT:
                return

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Make the folder, write and remove a file in it, and look how much room there is."""
        with clear_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.write(PROBE_NAME, PROBE)
            self.delete(PROBE_NAME)
            free = shutil.disk_usage(self.folder).free
        if free < expected_bytes:
            raise StoreError(
                f"{self.folder}: {free / 1e9:.1f} GB are free, about {expected_bytes / 1e9:.1f} GB are to be "
                "written; free some space, or choose another place"
            )

    def _path(self, name: str) -> Path:
        return self.folder / checked_name(name)


def _opened(path: Path) -> BufferedReader:
    """Open a file to be read. Raises StoreError where it is a pipe, at which one would wait."""
    return os.fdopen(open_plain(path, devices=True), "rb")


def _pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    with clear_errors(path), _opened(path) as file:
        file.seek(start)
        while piece := file.read(min(_PIECE_BYTES, end - file.tell())):
            yield piece
        if file.read(1):
            raise GivenUpError(f"{path}: longer than it was a moment ago; try again when it is written")
