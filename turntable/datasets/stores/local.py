"""A store in a folder of this machine."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from turntable.datasets.files import (
    TEMPORARY_SUFFIX,
    check_file_name,
    compute_file_sha256,
    open_atomic_file,
    open_plain_file,
    write_bytes,
)
from turntable.datasets.stores.disk_errors import convert_os_errors
from turntable.datasets.stores.protocol import PROBE_BYTES, PROBE_NAME, Download, make_too_long_error
from turntable.errors import IntegrityError, RejectedResponseError, StoreError
from turntable.sizes import format_bytes

_PIECE_BYTES = 1 << 20
"""Bytes of one piece of a download."""
_MISSING_ERRORS = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A store of files in a folder, which is created when the first file is written."""

    folder: Path

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the bytes of a small file, or None if it is missing."""
        path = self._get_path(name)
        with convert_os_errors(path):
            try:
                with _open_plain_file(path) as file:
                    size = os.fstat(file.fileno()).st_size
                    # read() reserves as many bytes as it is asked for, so the stated size is tried first.
                    data = file.read(size + 1) if size <= max_bytes else b""
                    if len(data) > size:  # a device, or a file that is growing
                        data += file.read(max_bytes + 1 - len(data))
            except _MISSING_ERRORS:
                return None
        if max(size, len(data)) > max_bytes:
            raise make_too_long_error(str(path), max_bytes)
        return data

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return ``size`` bytes of a file from an offset."""
        path = self._get_path(name)
        with convert_os_errors(path):
            try:
                with _open_plain_file(path) as file:
                    return os.pread(file.fileno(), size, offset)
            except _MISSING_ERRORS:
                raise StoreError(f"{path}: missing") from None

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """Return a file in pieces from an offset on, or from its start if it has changed."""
        path = self._get_path(name)
        with convert_os_errors(path):
            if not path.is_file():
                raise StoreError(f"{path}: missing")
            status = path.stat()
        current_e_tag = f"{status.st_mtime_ns}-{status.st_size}"
        start = offset if offset < status.st_size and e_tag in ("", current_e_tag) else 0
        return Download(status.st_size, start, current_e_tag, _iter_pieces(path, start, status.st_size))

    def get_size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it is missing."""
        path = self._get_path(name)
        with convert_os_errors(path):
            return path.stat().st_size if path.is_file() else None

    def get_sha256(self, name: str) -> str | None:
        """Return the hex sha256 of a file, which is read for it, or None if it is missing."""
        path = self._get_path(name)
        with convert_os_errors(path):
            try:
                with os.fdopen(open_plain_file(path), "rb") as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
            except _MISSING_ERRORS:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file atomically."""
        path = self._get_path(name)
        with convert_os_errors(path):
            write_bytes(path, data)

    def upload(self, name: str, path: Path, sha256: str) -> None:
        """Copy a file here atomically. The copy is read back before it gets its name."""
        target = self._get_path(name)
        with convert_os_errors(target), path.open("rb") as source, open_atomic_file(target) as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            if compute_file_sha256(Path(copy.name)) != sha256:
                raise IntegrityError(f"{target}: {path} was copied, but has another sha256 than it should")

    def list(self, folder: str = "") -> tuple[str, ...]:
        """Return the sorted names of all files in a folder, without files that are still being written."""
        top = self._get_path(folder) if folder else self.folder
        with convert_os_errors(top):
            files = [path for path in top.rglob("*") if path.is_file() and path.suffix != TEMPORARY_SUFFIX]
        return tuple(sorted(path.relative_to(self.folder).as_posix() for path in files))

    def delete(self, name: str) -> None:
        """Remove a file if it exists."""
        path = self._get_path(name)
        with convert_os_errors(path):
            try:
                path.unlink()
            except _MISSING_ERRORS:
                return

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Create the folder, write and remove a file in it, and check the free space."""
        with convert_os_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.write(PROBE_NAME, PROBE_BYTES)
            self.delete(PROBE_NAME)
            free = shutil.disk_usage(self.folder).free
        if free < expected_bytes:
            raise StoreError(
                f"{self.folder}: {format_bytes(free)} are free, about {format_bytes(expected_bytes)} are to "
                "be written; free some space, or choose another place"
            )

    def _get_path(self, name: str) -> Path:
        return self.folder / check_file_name(name)


def _open_plain_file(path: Path) -> BufferedReader:
    """Open a file for reading. Raises StoreError for a pipe, where opening would wait."""
    return os.fdopen(open_plain_file(path, allow_devices=True), "rb")


def _iter_pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    with convert_os_errors(path), _open_plain_file(path) as file:
        file.seek(start)
        while piece := file.read(min(_PIECE_BYTES, end - file.tell())):
            yield piece
        if file.read(1):
            raise RejectedResponseError(f"{path}: grew while it was read; try again when it is complete")
