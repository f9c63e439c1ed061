"""Whole files kept on this node by their content: fetched once, whoever asks, and let go by least use.

The folder may be shared. Who else may write there can make this user wait, hash or fetch again, and no more:
names are only looked up in folders that are held, and a file is what its name says once it was hashed.
"""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from turntable.datasets.files import is_digest
from turntable.datasets.stores.cache.fetching import fetch
from turntable.datasets.stores.cache.hashed import cache_home, digest_of, has_content, is_noted, note
from turntable.datasets.stores.cache.held_folder import HeldFolder, StrangeFileError
from turntable.datasets.stores.cache.locks import locked
from turntable.datasets.stores.cache.partial_file import PartialFile
from turntable.datasets.stores.cache.room import kept_files, make_room, note_use, part_name
from turntable.datasets.stores.disk_errors import clear_errors
from turntable.datasets.stores.protocol import Store
from turntable.errors import IntegrityError, StoreError

FOLDER_VARIABLE, BOUND_VARIABLE = "TURNTABLE_CACHE", "TURNTABLE_CACHE_GB"
DEFAULT_GB = 100.0
_ELSEWHERE = f"set {FOLDER_VARIABLE} to another folder"
_MOST_BYTES = 10**18
_PAUSES_S = (0, 0.01, 0.05, 0.2, 0.7)
"""Before each look for room: readers go from file to file, and what one had in use it lets go of soon."""
_NOT_TRUSTED = "edited, or made to do harm; fetch the data set from whom you trust"
_Folders = tuple[HeldFolder, HeldFolder]
"""The cache's own folder, and the one in it that has the file."""


@dataclass(frozen=True, slots=True)
class ShardCache:
    """A folder of files named by their sha256, shared by all processes of a node. Cheap to pickle."""

    folder: Path
    max_bytes: int = int(DEFAULT_GB * 1e9)
    """Of all files together. What a process has open is not let go."""

    def path_of(self, sha256: str) -> Path:
        """Return where a file is, or would be.

        Raises:
            IntegrityError: it is no digest, which names nothing here.
        """
        _check_digest(sha256)
        return self.folder / sha256[:2] / sha256

    def file(self, store: Store, name: str, size: int, sha256: str) -> Path:
        """Return a file's path here; fetched if need be, by one process for all.

        It may be let go at any time, or changed where others may write: ``opened`` keeps what was checked.

        Args:
            store: where it comes from.
            name: there.
            size: bytes.
            sha256: hex, of its content.

        Raises:
            IntegrityError: the store's file is another one, or what is said of it cannot be right.
            StoreError: the store does not give it, the disk is full, or the cache is too small for it.
        """
        descriptor = self.opened(store, name, size, sha256)
        # Closing alone would leave its lock to a child that was forked meanwhile.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
        return self.path_of(sha256)

    def opened(self, store: Store, name: str, size: int, sha256: str) -> int:
        """Return a descriptor of such a file. While it is open, nobody lets the file go."""
        where = f"{store.url}/{name}"
        _check_digest(sha256, where)
        _check_size(size, where)
        with clear_errors(self.path_of(sha256), _ELSEWHERE), self._folders(sha256, make=True) as folders:
            descriptor = _open(folders[1], sha256, is_noted)
            if descriptor is None:
                descriptor = self._open_or_fetch(folders, store, name, size, sha256)
            note_use(folders[0], sha256)
        return _of_size(descriptor, size, where)

    def opened_if_kept(self, sha256: str) -> int | None:
        """Return a descriptor of a file that is here, whatever its length; None where it is not."""
        with (
            clear_errors(self.path_of(sha256), _ELSEWHERE),
            suppress(FileNotFoundError),
            self._folders(sha256) as (top, folder),
        ):
            folder.status(sha256)  # where there is nothing, nothing is to be locked
            descriptor = _open(folder, sha256, is_noted)
            if descriptor is None:
                with _alone(folder, sha256):
                    descriptor = _open_or_clear_away(folder, sha256)
            if descriptor is not None:
                note_use(top, sha256)
            return descriptor
        return None

    def discard_altered(self, sha256: str) -> bool:
        """Throw a file away if it is not any more what it was; return whether it was not.

        Of several processes that notice it the first does; the others find it gone, or fetched again.
        """
        with (
            clear_errors(self.path_of(sha256), _ELSEWHERE),
            suppress(FileNotFoundError),
            self._folders(sha256) as (_, folder),
            _alone(folder, sha256),
        ):
            folder.status(sha256)
            descriptor = _open(folder, sha256, lambda found, stated: digest_of(found) == stated)
            if descriptor is None:
                folder.remove(sha256)
                return True
            os.close(descriptor)
        return False

    def used_bytes(self) -> int:
        """Return the bytes of all files together, parts of those that are being fetched among them."""
        with (
            clear_errors(self.folder, _ELSEWHERE),
            suppress(FileNotFoundError),
            HeldFolder.at(self.folder) as top,
        ):
            return sum(item.bytes for item in kept_files(top))
        return 0

    @contextmanager
    def _folders(self, sha256: str, *, make: bool = False) -> Generator[_Folders, None, None]:
        with HeldFolder.at(self.folder, make=make) as top, top.inside(sha256[:2], make=make) as folder:
            yield top, folder

    def _open_or_fetch(self, folders: _Folders, store: Store, name: str, size: int, sha256: str) -> int:
        with _alone(folders[1], sha256) as refusal:
            descriptor = _open_or_clear_away(folders[1], sha256)
            if descriptor is not None:
                return descriptor
            if refusal is not None:
                raise refusal
            return self._fetch(folders, store, name, size, sha256)

    def _fetch(self, folders: _Folders, store: Store, name: str, size: int, sha256: str) -> int:
        part = self._begin(folders, part_name(sha256, size), size)
        try:
            fetch(store, name, part, size, sha256)
            part.finish(sha256)
            note(part.descriptor, sha256)
        except BaseException:
            part.close()
            raise
        return part.descriptor

    def _begin(self, folders: _Folders, part: str, size: int) -> PartialFile:
        """A part for which there is room; others count with it as soon as it is there."""
        top, folder = folders
        held = 0
        for pause in (
            _PAUSES_S if size <= self.max_bytes else ()
        ):  # for one that never fits, nothing is let go
            time.sleep(pause)
            with locked(top, "room"):
                held = make_room(top, size, self.max_bytes, part)
                if held + size <= self.max_bytes:
                    return PartialFile.opened(folder, part)
        raise StoreError(
            f"{self.folder}: {size / 1e6:,.0f} MB do not fit beside {held / 1e6:,.0f} MB that are in use "
            f"in a cache of {self.max_bytes / 1e6:,.0f} MB; set {BOUND_VARIABLE} higher, or give fewer "
            "window_shards"
        )


CacheChoice = ShardCache | str | Path | Literal[False] | None
"""A cache as readers name it: itself, its folder, None for the usual one, or False for none."""


def default_cache(folder: Path | None = None) -> ShardCache:
    """Return the cache of at most TURNTABLE_CACHE_GB in a folder.

    Args:
        folder: None: the one that TURNTABLE_CACHE names, or one in the user's home.

    Raises:
        StoreError: the bound is no number, or the user has no folder.
    """
    folder = folder or _usual_folder()
    said = os.environ.get(BOUND_VARIABLE) or str(DEFAULT_GB)
    try:
        return ShardCache(folder, int(float(said) * 1e9))
    except (ValueError, OverflowError):
        raise StoreError(f"{BOUND_VARIABLE}={said}: give a number of gigabytes, such as 50") from None


def _usual_folder() -> Path:
    said, home = os.environ.get(FOLDER_VARIABLE), cache_home()
    if said:
        return Path(said)
    if home is None:
        raise StoreError(f"this user has no home that a cache could be in; set {FOLDER_VARIABLE} to a folder")
    return home / "turntable" / "shards"


def _check_digest(sha256: str, where: str = "a file of a data set") -> None:
    if not is_digest(sha256):
        raise IntegrityError(
            f"{where}: its sha256 in manifest.json is not 64 lower-case hexadecimal digits: {_NOT_TRUSTED}"
        )


def _check_size(size: int, where: str) -> None:
    if type(size) is not int or not 0 <= size < _MOST_BYTES:
        raise IntegrityError(f"{where}: its size is not a number of bytes: {_NOT_TRUSTED}")


def _open(folder: HeldFolder, sha256: str, holds: Callable[[int, str], bool]) -> int | None:
    """A descriptor of a file that is kept and holds what its name says; nobody lets it go now."""
    try:
        descriptor = folder.open(sha256)
    except (FileNotFoundError, StrangeFileError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if os.fstat(descriptor).st_nlink and holds(descriptor, sha256):
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _open_or_clear_away(folder: HeldFolder, sha256: str) -> int | None:
    """Such a descriptor; what else has the file's name is removed."""
    descriptor = _open(folder, sha256, has_content)
    if descriptor is None:
        folder.remove(sha256)
    return descriptor


def _of_size(descriptor: int, size: int, where: str) -> int:
    """The descriptor. A file that has its sha256 is right, so that another size is the manifest's fault."""
    found = os.fstat(descriptor).st_size
    if found == size:
        return descriptor
    os.close(descriptor)
    raise IntegrityError(
        f"{where}: manifest.json says {size:,} bytes, the file with the sha256 that it names has {found:,}; "
        "fetch a manifest that is of these files"
    )


@contextmanager
def _alone(folder: HeldFolder, sha256: str) -> Generator[OSError | None, None, None]:
    """Hold the lock of a file.

    Yields:
        Why it cannot be had: the folder may be read-only, and its files can be read.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder, sha256))
            refusal = None
        except OSError as error:
            refusal = error
        yield refusal
