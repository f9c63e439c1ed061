"""Safe access to the files of a data set's folder: ordinary files only, and no links that lead out of it.

A data set that someone else made can hold links to private files of whoever serves, publishes, copies or
verifies it. So a link is followed only into the same folder, into the blobs of the Hugging Face Hub cache
that the folder lies in (``snapshot_download`` makes nothing but such links), or into a folder that the owner
named. Pipes and devices are refused.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from turntable.datasets.files.names import check_file_name
from turntable.errors import IntegrityError, StoreError

_MISSING_ERRORS = (FileNotFoundError, NotADirectoryError)
_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files below a folder, addressed by their names in the data set ("train/shard-000000.tar")."""

    root: Path
    links_under: tuple[Path, ...] | None = None
    """Further folders into which links may lead; None: anywhere, for data that stay on this machine."""
    title: str = ""
    """Name of the folder in messages; empty: its path."""

    @property
    def display_name(self) -> str:
        """The folder's name in messages."""
        return self.title or str(self.root)

    def format_name(self, name: str) -> str:
        """Return the name of a file as messages show it."""
        return f"{self.display_name}/{name}"

    def find(self, name: str) -> Path | None:
        """Return the path of a file with its links followed, or None if it is missing.

        Raises:
            IntegrityError: It is not an ordinary file, or a link leads where none may.
            StoreError: The system refuses to look.
            InvalidInputError: The name could lead out of the folder.
        """
        path = self.root / check_file_name(name)
        try:
            if _has_links(self.root, name):
                path = Path(os.path.realpath(path, strict=True))
                self._check_inside(path, name)
            ordinary = stat.S_ISREG(path.lstat().st_mode)
        except _MISSING_ERRORS:
            return None
        except OSError as error:
            raise self._make_read_error(name, error) from None
        if not ordinary:
            raise IntegrityError(f"{self.format_name(name)}: no ordinary file; put the file itself there")
        return path

    def open(self, name: str) -> BufferedReader | None:
        """Open a file for reading, or return None if it is missing. The errors are those of ``find``."""
        path = self.find(name)
        if path is None:
            return None
        try:
            # An ordinary file may have become a pipe meanwhile, and a plain open would wait there for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except _MISSING_ERRORS:
            return None
        except OSError as error:
            raise self._make_read_error(name, error) from None
        file = os.fdopen(descriptor, "rb")
        try:
            self._check_opened(file, name)
        except BaseException:
            file.close()
            raise
        return file

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the bytes of a file, or None if it is missing.

        Args:
            name: Name of the file in the data set.
            max_bytes: Largest size that is accepted.

        Raises:
            IntegrityError: The file has more than ``max_bytes``, or ``find`` raises it.
            StoreError: The system refuses to read it.
        """
        file = self.open(name)
        if file is None:
            return None
        with file:
            try:
                data = file.read(max_bytes + 1)
            except OSError as error:
                raise self._make_read_error(name, error) from None
        if len(data) > max_bytes:
            raise IntegrityError(
                f"{self.format_name(name)}: more than {max_bytes / 2**20:,.0f} MiB, which no such file "
                "needs; make it again, or fetch it again"
            )
        return data

    def get_size(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if it is missing. The errors are those of ``find``."""
        path = self.find(name)
        try:
            return None if path is None else path.lstat().st_size
        except _MISSING_ERRORS:
            return None

    def get_open_path(self, file: BufferedReader, name: str) -> Path:
        """Return a path that leads to a file opened by ``open``, and to no other file while that one is open.

        On systems without ``/proc/self/fd`` it is the file's own path, which may be another file's by now.
        """
        opened = _DESCRIPTORS / str(file.fileno())
        return opened if opened.exists() else self.root / name

    def _check_opened(self, file: BufferedReader, name: str) -> None:
        """Check that the opened file is the one found: names can change between finding and opening."""
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise IntegrityError(f"{self.format_name(name)}: no ordinary file; put the file itself there")
        opened = _DESCRIPTORS / str(file.fileno())
        if self.links_under is not None and _DESCRIPTORS.is_dir():
            self._check_inside(opened.readlink(), name)

    def _check_inside(self, path: Path, name: str) -> None:
        if self.links_under is not None and not any(map(path.is_relative_to, self._iter_roots())):
            raise IntegrityError(
                f"{self.format_name(name)}: a link that leads out of the data set; put the file itself "
                "there, or name the folder that it may lead to (--links-under DIR)"
            )

    def _iter_roots(self) -> Iterator[Path]:
        root = self.root.resolve()
        yield root
        yield from _iter_hub_blobs(root)
        yield from (folder.resolve() for folder in self.links_under or ())

    def _make_read_error(self, name: str, error: OSError) -> StoreError:
        return StoreError(
            f"{self.format_name(name)}: cannot be read ({error.strerror}); check owner, mode and disk"
        )


def _has_links(root: Path, name: str) -> bool:
    """Return True if a file, or a folder on the way to it, is a link."""
    path = str(root)
    for part in name.split("/"):
        path = f"{path}/{part}"
        if stat.S_ISLNK(os.lstat(path).st_mode):
            return True
    return False


def _iter_hub_blobs(root: Path) -> Iterator[Path]:
    """Yield the blobs folder of the Hugging Face Hub cache if the given folder lies in a snapshot there.

    The cache's layout: ``datasets--USER--NAME/snapshots/REVISION/…`` are links to
    ``datasets--USER--NAME/blobs/…``.
    """
    for folder in (root, *root.parents):
        repository = folder.parent.parent
        if folder.parent.name == "snapshots" and repository.name.startswith("datasets--"):
            blobs = repository / "blobs"
            if not blobs.is_symlink():
                yield blobs
