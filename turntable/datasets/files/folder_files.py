"""The files of a data set's folder, and no others: ordinary files, reached by no link that leads elsewhere.

A data set that came from elsewhere can hold links to private files of whoever serves, publishes, copies or
verifies it. So a link is followed only into the same folder, into the blobs of the hub's cache that the
folder lies in (``snapshot_download`` makes nothing but such links), or into a folder that the owner has
named. FIFOs and devices are no files of a data set.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from turntable.datasets.files.names import checked_name
from turntable.errors import IntegrityError, StoreError

_ABSENT = (FileNotFoundError, NotADirectoryError)
_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files below a folder, by their names in the data set ("train/shard-000000.tar")."""

    root: Path
    links_under: tuple[Path, ...] | None = None
    """Folders into which links may lead besides; None: anywhere, for data that do not leave this machine."""
    title: str = ""
    """The folder's name in messages; empty: its path."""

    @property
    def label(self) -> str:
        """The folder's name in messages."""
        return self.title or str(self.root)

    def name_of(self, name: str) -> str:
        """Return what messages call a file."""
        return f"{self.label}/{name}"

    def find(self, name: str) -> Path | None:
        """Return where a file lies, its links followed; None where there is none.

        Raises:
            IntegrityError: It is no ordinary file, or a link leads where none may.
            StoreError: The system refuses to look.
            InvalidInputError: The name could leave the folder.
        """
        path = self.root / checked_name(name)
        try:
            if _has_links(self.root, name):
                path = Path(os.path.realpath(path, strict=True))
                self._check_inside(path, name)
            ordinary = stat.S_ISREG(path.lstat().st_mode)
        except _ABSENT:
            return None
        except OSError as error:
            raise self._refused(name, error) from None
        if not ordinary:
            raise IntegrityError(f"{self.name_of(name)}: no ordinary file; put the file itself there")
        return path

    def open(self, name: str) -> BufferedReader | None:
        """Open a file to be read; None where there is none. Errors are those of ``find``."""
        path = self.find(name)
        if path is None:
            return None
        try:
            # What was an ordinary file a moment ago may be a FIFO now, at which a plain opening would wait.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except _ABSENT:
            return None
        except OSError as error:
            raise self._refused(name, error) from None
        file = os.fdopen(descriptor, "rb")
        try:
            self._check_opened(file, name)
        except BaseException:
            file.close()
            raise
        return file

    def read(self, name: str, most_bytes: int) -> bytes | None:
        """Read a whole file; None where there is none.

        Raises:
            IntegrityError: It has more than ``most_bytes``; and what ``find`` raises.
            StoreError: The system refuses.
        """
        file = self.open(name)
        if file is None:
            return None
        with file:
            try:
                data = file.read(most_bytes + 1)
            except OSError as error:
                raise self._refused(name, error) from None
        if len(data) > most_bytes:
            raise IntegrityError(
                f"{self.name_of(name)}: more than {most_bytes / 2**20:,.0f} MiB, which no such file needs; "
                "make it again, or fetch it again"
            )
        return data

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has; None where there is none. Errors are those of ``find``."""
        path = self.find(name)
        try:
            return None if path is None else path.lstat().st_size
        except _ABSENT:
            return None

    def path_of(self, file: BufferedReader, name: str) -> Path:
        """Return a path of a file that ``open`` gave: for as long as it is open, of nothing else.

        Where the system has no such paths it is the file's own, and may be another's by now.
        """
        opened = _DESCRIPTORS / str(file.fileno())
        return opened if opened.exists() else self.root / name

    def _check_opened(self, file: BufferedReader, name: str) -> None:
        """Make sure that the file found was opened: names can change between two looks at them."""
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise IntegrityError(f"{self.name_of(name)}: no ordinary file; put the file itself there")
        opened = _DESCRIPTORS / str(file.fileno())
        if self.links_under is not None and _DESCRIPTORS.is_dir():
            self._check_inside(opened.readlink(), name)

    def _check_inside(self, path: Path, name: str) -> None:
        if self.links_under is not None and not any(map(path.is_relative_to, self._roots())):
            raise IntegrityError(
                f"{self.name_of(name)}: a link that leads out of the data set; put the file itself there, or "
                "name the folder that it may lead to (--links-under DIR)"
            )

    def _roots(self) -> Iterator[Path]:
        root = self.root.resolve()
        yield root
        yield from _hub_blobs(root)
        yield from (folder.resolve() for folder in self.links_under or ())

    def _refused(self, name: str, error: OSError) -> StoreError:
        return StoreError(
            f"{self.name_of(name)}: cannot be read ({error.strerror}); look at owner, mode and disk"
        )


def _has_links(root: Path, name: str) -> bool:
    """Tell whether a file or a folder on the way to it is a link."""
    at = str(root)
    for part in name.split("/"):
        at = f"{at}/{part}"
        if stat.S_ISLNK(os.lstat(at).st_mode):
            return True
    return False


def _hub_blobs(root: Path) -> Iterator[Path]:
    """The files of the hub's cache that a snapshot in it is made of, if this is one.

    Its layout: ``datasets--USER--NAME/snapshots/REVISION/…``, links to ``datasets--USER--NAME/blobs/…``.
    """
    for folder in (root, *root.parents):
        kept = folder.parent.parent
        if folder.parent.name == "snapshots" and kept.name.startswith("datasets--"):
            blobs = kept / "blobs"
            if not blobs.is_symlink():
                yield blobs
