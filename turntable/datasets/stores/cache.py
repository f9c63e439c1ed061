"""Whole files kept on this node by their content: fetched once, whoever asks, and let go by least use."""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.digests import file_sha256
from turntable.datasets.storage import publish
from turntable.datasets.stores.disk_errors import clear_errors
from turntable.datasets.stores.fetching import E_TAG_SUFFIX, fetch, remove_part
from turntable.datasets.stores.protocol import Store
from turntable.errors import StoreError

FOLDER_VARIABLE, BOUND_VARIABLE = "TURNTABLE_CACHE", "TURNTABLE_CACHE_GB"
DEFAULT_GB = 100.0
_PART, _LOCK = ".part", ".lock"
_ELSEWHERE = f"set {FOLDER_VARIABLE} to another folder"


@dataclass(frozen=True, slots=True)
class ShardCache:
    """A folder of files named by their sha256, shared by all processes of a node. Cheap to pickle."""

    folder: Path
    max_bytes: int = int(DEFAULT_GB * 1e9)
    """Of all files together. What a process has open is not let go."""

    def path_of(self, sha256: str) -> Path:
        """Where a file is, or would be."""
        return self.folder / sha256[:2] / sha256

    def file(self, store: Store, name: str, size: int, sha256: str) -> Path:
        """A file's path here; fetched if need be, by one process for all.

        It may be let go at any time: ``opened`` keeps it.

        Args:
            store: where it comes from.
            name: there.
            size: bytes.
            sha256: hex, of its content.

        Raises:
            IntegrityError: the store's file is another one.
            StoreError: the store does not give it, the disk is full, or the cache is too small for it.
        """
        path = self.path_of(sha256)
        with clear_errors(path, _ELSEWHERE):
            if not self._has(path, size):
                with _locked(_lock_of(path)):
                    if not self._has(path, size):
                        self._fetch(store, name, path, size, sha256)
            _touch(path)
        return path

    def kept(self, sha256: str) -> Path | None:
        """A file's path if it is here, whatever its length; it counts as used."""
        path = self.path_of(sha256)
        if not path.exists():
            return None
        _touch(path)
        return path

    def opened(self, store: Store, name: str, size: int, sha256: str) -> int:
        """A descriptor of such a file. While it is open, nobody lets the file go."""
        while True:
            path = self.file(store, name, size, sha256)
            with clear_errors(path, _ELSEWHERE):
                try:
                    descriptor = os.open(path, os.O_RDONLY)
                except FileNotFoundError:  # let go in this very moment
                    continue
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)

    def discard_altered(self, sha256: str) -> bool:
        """Throw a file away if it is not any more what it was; whether it was not.

        Of several processes that notice it the first does; the others find it gone, or fetched again.
        """
        path = self.path_of(sha256)
        with clear_errors(path, _ELSEWHERE), _locked(_lock_of(path)):
            try:
                if file_sha256(path) == sha256:
                    return False
            except FileNotFoundError:
                return False
            path.unlink(missing_ok=True)
            return True

    def used_bytes(self) -> int:
        """Of all files together, parts of those that are being fetched among them."""
        return sum(size for _, size, _ in self._files())

    def _has(self, path: Path, size: int) -> bool:
        """Whether a file is here; one of another length was cut by something else than this code."""
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            return False
        if found != size:
            path.unlink(missing_ok=True)
        return found == size

    def _fetch(self, store: Store, name: str, path: Path, size: int, sha256: str) -> None:
        part = path.with_name(f"{path.name}-{size}{_PART}")
        self._make_room(size, part)
        fetch(store, name, part, size, sha256)
        publish(part, path)

    def _make_room(self, size: int, part: Path) -> None:
        """Let go of what was used least recently, until so many bytes fit."""
        with _locked(self.folder / f"room{_LOCK}"):
            files = sorted(self._files())
            held = sum(bytes_ for _, bytes_, path in files if path != part)
            for _, bytes_, path in files:
                if held + size > self.max_bytes and path != part and _let_go(path):
                    held -= bytes_
            if held + size <= self.max_bytes:
                part.touch()  # from here on others count with it
                return
            raise StoreError(
                f"{self.folder}: {size / 1e6:,.0f} MB do not fit beside {held / 1e6:,.0f} MB that are in use "
                f"in a cache of {self.max_bytes / 1e6:,.0f} MB; set {BOUND_VARIABLE} higher, or give fewer "
                "window_shards"
            )

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """When each was used last, its bytes, and its path."""
        for path in self.folder.glob("??/*"):
            if not path.name.endswith((_LOCK, E_TAG_SUFFIX)):
                with suppress(FileNotFoundError):
                    status = path.stat()
                    yield status.st_mtime, _size_to_be(path) or status.st_size, path


def default_cache() -> ShardCache:
    """The usual one: TURNTABLE_CACHE, or a folder of the user; at most TURNTABLE_CACHE_GB.

    Raises:
        StoreError: the bound is no number.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get(FOLDER_VARIABLE) or home / "turntable" / "shards")
    said = os.environ.get(BOUND_VARIABLE) or str(DEFAULT_GB)
    try:
        return ShardCache(folder, int(float(said) * 1e9))
    except (ValueError, OverflowError):
        raise StoreError(f"{BOUND_VARIABLE}={said}: give a number of gigabytes, such as 50") from None


def _size_to_be(path: Path) -> int:
    """Bytes that a part is going to have, which its name tells; 0 of whole files."""
    told = path.stem.partition("-")[2]
    return int(told) if path.suffix == _PART and told.isdigit() else 0


def _let_go(path: Path) -> bool:
    """Remove a file that no process has open, or a part that none is fetching."""
    if _size_to_be(path):
        with _locked(_lock_of(path.with_name(path.name.partition("-")[0])), wait=False) as free:
            if free:
                remove_part(path)
            return free
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except (BlockingIOError, PermissionError):  # open, or another user's
        return False
    finally:
        os.close(descriptor)
    return True


def _touch(path: Path) -> None:
    """Note that a file was used now, where one may: it can be another user's, or the folder read-only."""
    with suppress(OSError):
        os.utime(path)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + _LOCK)


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Generator[bool, None, None]:
    """Hold a lock among all processes of the node; the kernel lets go of a dead one's.

    Yields:
        Whether it is held: without waiting, another may have it.
    """
    descriptor = _take(path, wait)
    if descriptor is None:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        # Closing alone would leave it to a child that was forked meanwhile.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _take(path: Path, wait: bool) -> int | None:
    """The descriptor that holds a lock; None where another has it and nobody wants to wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # Its last holder may have removed the file that this one was waiting for.
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
