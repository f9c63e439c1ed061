"""A cache of whole files, named by their sha256, that fetches each once per node and evicts the least used.

The folder may be shared with other users. Those who may write there can make this user wait, hash or fetch
again, and nothing more: names are only looked up in folders that are held open, and a file is trusted only
after it was hashed.
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
from turntable.datasets.stores.cache.eviction import (
    evict_until_fits,
    list_cached_files,
    make_part_name,
    record_use,
)
from turntable.datasets.stores.cache.known_digests import (
    compute_descriptor_digest,
    get_cache_home,
    has_digest,
    is_digest_recorded,
    record_digest,
)
from turntable.datasets.stores.cache.locks import hold_lock
from turntable.datasets.stores.cache.partial_file import PartialFile
from turntable.datasets.stores.cache.resumable_fetch import fetch_file
from turntable.datasets.stores.cache.safe_folder import SafeFolder, UnsafeFileError
from turntable.datasets.stores.disk_errors import convert_os_errors
from turntable.datasets.stores.protocol import Store
from turntable.errors import IntegrityError, StoreError
from turntable.home import expand_home
from turntable.sizes import format_bytes

CACHE_FOLDER_VARIABLE, CACHE_SIZE_VARIABLE = "TURNTABLE_CACHE", "TURNTABLE_CACHE_GB"
"""Environment variables for the cache's folder and its size in gigabytes."""
DEFAULT_CACHE_GB = 100.0
"""Size of the cache in gigabytes if none is given."""
_OTHER_FOLDER_REMEDY = f"set {CACHE_FOLDER_VARIABLE} to another folder"
_MAX_BYTES = 10**18
"""Largest size of a file that a manifest may state."""
_PAUSES_S = (0, 0.01, 0.05, 0.2, 0.7)
"""Seconds before each attempt to make room. Readers go from file to file and close what they used soon."""
_NOT_TRUSTED_REMEDY = "edited, or made to do harm; fetch the data set from whom you trust"
_Folders = tuple[SafeFolder, SafeFolder]
"""The cache's own folder, and the folder in it that holds the file."""


@dataclass(frozen=True, slots=True)
class ShardCache:
    """A folder of files named by their sha256, shared by all processes of a node. It is cheap to pickle."""

    folder: Path
    max_bytes: int = int(DEFAULT_CACHE_GB * 1e9)
    """Largest size of all files together. A file that a process has open is never evicted."""

    def get_path(self, sha256: str) -> Path:
        """Return the path that a file has, or would have, in the cache.

        Raises:
            IntegrityError: ``sha256`` is not a digest, so it cannot be the name of a file here.
        """
        _check_digest(sha256)
        return self.folder / sha256[:2] / sha256

    def fetch_file(self, store: Store, name: str, size: int, sha256: str) -> Path:
        """Return the path of a file in the cache. A missing file is fetched, by one process for all.

        The file may be evicted at any time, or changed by other users who may write there. ``open_file``
        returns a descriptor of what was checked.

        Args:
            store: Store that holds the file.
            name: Name of the file in the store.
            size: Bytes of the file.
            sha256: Hex digest of its content.

        Raises:
            IntegrityError: The store's file is another one, or the stated size or digest cannot be right.
            StoreError: The store does not give the file, the disk is full, or the cache is too small for it.
        """
        descriptor = self.open_file(store, name, size, sha256)
        # Unlock first: closing alone would leave the lock with a child process that was forked meanwhile.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
        return self.get_path(sha256)

    def open_file(self, store: Store, name: str, size: int, sha256: str) -> int:
        """Return a descriptor of a file, fetched if it is missing. While it is open, the file is not evicted.

        Arguments and errors are those of ``fetch_file``.
        """
        location = f"{store.url}/{name}"
        _check_digest(sha256, location)
        _check_size(size, location)
        with (
            convert_os_errors(self.get_path(sha256), _OTHER_FOLDER_REMEDY),
            self._open_folders(sha256, create=True) as folders,
        ):
            descriptor = _open_valid_file(folders[1], sha256, is_digest_recorded)
            if descriptor is None:
                descriptor = self._open_or_fetch(folders, store, name, size, sha256)
            record_use(folders[0], sha256)
        return _check_open_size(descriptor, size, location)

    def open_if_cached(self, sha256: str) -> int | None:
        """Return a descriptor of a file that is in the cache, whatever its length, or None if it is not."""
        with (
            convert_os_errors(self.get_path(sha256), _OTHER_FOLDER_REMEDY),
            suppress(FileNotFoundError),
            self._open_folders(sha256) as (top, folder),
        ):
            folder.get_status(sha256)  # a missing file needs no lock
            descriptor = _open_valid_file(folder, sha256, is_digest_recorded)
            if descriptor is None:
                with _hold_file_lock(folder, sha256):
                    descriptor = _open_or_remove(folder, sha256)
            if descriptor is not None:
                record_use(top, sha256)
            return descriptor
        return None

    def discard_if_changed(self, sha256: str) -> bool:
        """Remove a file whose content no longer has its digest, and return True if it was removed.

        If several processes notice the change, the first one removes the file. The others find it missing or
        fetched again.
        """
        with (
            convert_os_errors(self.get_path(sha256), _OTHER_FOLDER_REMEDY),
            suppress(FileNotFoundError),
            self._open_folders(sha256) as (_, folder),
            _hold_file_lock(folder, sha256),
        ):
            folder.get_status(sha256)
            descriptor = _open_valid_file(
                folder, sha256, lambda opened, digest: compute_descriptor_digest(opened) == digest
            )
            if descriptor is None:
                folder.remove(sha256)
                return True
            os.close(descriptor)
        return False

    def count_used_bytes(self) -> int:
        """Return the bytes of all files together. A file that is being fetched counts with its full size."""
        with (
            convert_os_errors(self.folder, _OTHER_FOLDER_REMEDY),
            suppress(FileNotFoundError),
            SafeFolder.open_folder(self.folder) as top,
        ):
            return sum(item.bytes for item in list_cached_files(top))
        return 0

    @contextmanager
    def _open_folders(self, sha256: str, *, create: bool = False) -> Generator[_Folders, None, None]:
        with (
            SafeFolder.open_folder(self.folder, create=create) as top,
            top.open_subfolder(sha256[:2], create=create) as folder,
        ):
            yield top, folder

    def _open_or_fetch(self, folders: _Folders, store: Store, name: str, size: int, sha256: str) -> int:
        with _hold_file_lock(folders[1], sha256) as refusal:
            descriptor = _open_or_remove(folders[1], sha256)
            if descriptor is not None:
                return descriptor
            if refusal is not None:
                raise refusal
            return self._fetch_open_file(folders, store, name, size, sha256)

    def _fetch_open_file(self, folders: _Folders, store: Store, name: str, size: int, sha256: str) -> int:
        part = self._open_part(folders, make_part_name(sha256, size), size)
        try:
            fetch_file(store, name, part, size, sha256)
            part.finish(sha256)
            record_digest(part.descriptor, sha256)
        except BaseException:
            part.close()
            raise
        return part.descriptor

    def _open_part(self, folders: _Folders, part_name: str, size: int) -> PartialFile:
        """Return a partial file after making room for it. Other processes count it as soon as it exists."""
        top, folder = folders
        held_bytes = 0
        for pause in (
            _PAUSES_S if size <= self.max_bytes else ()
        ):  # nothing is evicted for a file that never fits
            time.sleep(pause)
            with hold_lock(top, "room"):
                held_bytes = evict_until_fits(top, size, self.max_bytes, part_name)
                if held_bytes + size <= self.max_bytes:
                    return PartialFile.open_or_create(folder, part_name)
        raise StoreError(
            f"{self.folder}: {format_bytes(size)} do not fit beside {format_bytes(held_bytes)} that are in "
            f"use in a cache of {format_bytes(self.max_bytes)}; set {CACHE_SIZE_VARIABLE} higher, or give "
            "fewer window_shards"
        )


CacheChoice = ShardCache | str | Path | Literal[False] | None
"""A cache as readers accept it: a cache, its folder, None for the default cache, or False for no cache."""


def make_default_cache(folder: Path | None = None) -> ShardCache:
    """Return a cache of at most TURNTABLE_CACHE_GB in a folder.

    Args:
        folder: Folder of the cache; None: the one that TURNTABLE_CACHE names, or one in the user's home.

    Raises:
        StoreError: TURNTABLE_CACHE_GB is not a number, or the user has no home and names no folder.
    """
    folder = expand_home(folder or _get_default_folder())
    size_gb = os.environ.get(CACHE_SIZE_VARIABLE) or str(DEFAULT_CACHE_GB)
    try:
        return ShardCache(folder, int(float(size_gb) * 1e9))
    except (ValueError, OverflowError):
        raise StoreError(f"{CACHE_SIZE_VARIABLE}={size_gb}: give a number of gigabytes, such as 50") from None


def _get_default_folder() -> Path:
    folder, home = os.environ.get(CACHE_FOLDER_VARIABLE), get_cache_home()
    if folder:
        return Path(folder)
    if home is None:
        raise StoreError(
            f"this user has no home folder for a cache; set {CACHE_FOLDER_VARIABLE} to a folder, or HOME"
        )
    return home / "turntable" / "shards"


def _check_digest(sha256: str, display_name: str = "a file of a data set") -> None:
    if not is_digest(sha256):
        raise IntegrityError(
            f"{display_name}: its sha256 in manifest.json is not 64 lower-case hexadecimal digits: "
            f"{_NOT_TRUSTED_REMEDY}"
        )


def _check_size(size: int, display_name: str) -> None:
    if type(size) is not int or not 0 <= size < _MAX_BYTES:
        raise IntegrityError(f"{display_name}: its size is not a number of bytes: {_NOT_TRUSTED_REMEDY}")


def _open_valid_file(folder: SafeFolder, sha256: str, is_valid: Callable[[int, str], bool]) -> int | None:
    """Return a descriptor of a cached file with a shared lock, or None if the file is missing or not valid.

    While the lock is held, nobody evicts the file.
    """
    try:
        descriptor = folder.open_file(sha256)
    except (FileNotFoundError, UnsafeFileError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if os.fstat(descriptor).st_nlink and is_valid(descriptor, sha256):
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _open_or_remove(folder: SafeFolder, sha256: str) -> int | None:
    """Return such a descriptor. An entry that has the file's name but not its content is removed."""
    descriptor = _open_valid_file(folder, sha256, has_digest)
    if descriptor is None:
        folder.remove(sha256)
    return descriptor


def _check_open_size(descriptor: int, size: int, display_name: str) -> int:
    """Return the descriptor if the file has the stated size, or close it and raise IntegrityError.

    A file with the right sha256 is right, so another size is an error of the manifest.
    """
    actual = os.fstat(descriptor).st_size
    if actual == size:
        return descriptor
    os.close(descriptor)
    raise IntegrityError(
        f"{display_name}: manifest.json says {size:,} bytes, but the file with the sha256 that it names has "
        f"{actual:,}; "
        "fetch the manifest that belongs to these files"
    )


@contextmanager
def _hold_file_lock(folder: SafeFolder, sha256: str) -> Generator[OSError | None, None, None]:
    """Hold the lock of a file during the block.

    Yields:
        None, or the error if the lock cannot be held: the folder may be read-only, and its files can still be
        read.
    """
    with ExitStack() as held:
        try:
            held.enter_context(hold_lock(folder, sha256))
            refusal = None
        except OSError as error:
            refusal = error
        yield refusal
