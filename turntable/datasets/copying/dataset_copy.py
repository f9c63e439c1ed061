"""Copies of whole data sets from place to place. Every file is compared with its digest.

The manifest goes last: a place that is being copied to is no data set before the copy is finished. An
interrupted copy goes on with the same call.
"""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.copying.destination import LOCK_NAME, CopyDestination
from turntable.datasets.copying.sources import CopySource, DatasetFile, FolderCopySource, StoreCopySource
from turntable.datasets.dataset import make_folder_files, open_local_dataset
from turntable.datasets.manifest import decode_manifest
from turntable.datasets.stores import LocalStore, Store, open_store
from turntable.datasets.writing import hold_lock
from turntable.errors import IntegrityError, InvalidInputError

Progress = Callable[[int, int], None]
"""A function called with the number of bytes done and the number of all bytes."""


@dataclass(frozen=True, slots=True)
class CopyCounts:
    """The numbers of files that a copy sent, and that were in the place already."""

    num_sent: int
    """Number of files sent."""
    num_present: int
    """Number of files that were in the place already."""
    sent_bytes: int
    """Number of bytes sent."""


def copy_dataset(
    path_or_url: str | Path,
    destination: str | Path | Store,
    progress: Progress | None = None,
    *,
    token: str | None = None,
    links_under: Sequence[Path | str] = (),
) -> CopyCounts:
    """Copy a finished data set from any place to any place that can be written.

    The same call resumes an interrupted copy. Every file is compared with the digest that the data set states
    before it gets its name or is sent, and with what the place says of it afterwards. The manifest is written
    last, so whoever sees it sees the whole data set.

    Args:
        path_or_url: The data set, in any place that ``open_dataset`` reads.
        destination: The place that receives it: a folder, a bucket, or a store. It may be new or empty, or
            hold all or part of the same data set.
        progress: Function called with the number of bytes done and the number of all bytes.
        token: The token of the web server that is read from, as for ``open_dataset``.
        links_under: Folders into which symbolic links of a data set in a folder may lead, besides its own
            folder and the hub's cache. Other links are refused, since following them would copy files that
            are not part of the data set.

    Raises:
        IntegrityError: A file is not what was written, in one place or the other; the data set was changed
            meanwhile; or a link leads elsewhere.
        InvalidInputError: The destination holds something else, or is the data set itself.
        StoreError: A place cannot be reached, read or written, or its disk is full.
    """
    store = open_store(path_or_url, token)
    target = open_store(destination) if isinstance(destination, str | Path) else destination
    _check_apart(store, target)
    source = (
        FolderCopySource(open_local_dataset(make_folder_files(store.folder, links_under)))
        if isinstance(store, LocalStore)
        else StoreCopySource.from_store(store)
    )
    with _hold_place(target):
        return _copy_files(source, target, progress or _ignore)


def publish(
    folder: Path | str,
    store: Store,
    progress: Progress | None = None,
    *,
    links_under: Sequence[Path | str] = (),
) -> CopyCounts:
    """Upload the data set of a folder to a store: :func:`copy_dataset`, from a folder.

    Args:
        folder: Folder of the finished data set.
        store: Store to upload to. It may hold all or part of the same data set already.
        progress: Function called with the number of bytes done and the number of all bytes.
        links_under: Folders into which symbolic links may lead, as for :func:`copy_dataset`.

    Raises:
        IntegrityError: A file is not what was written, here or in the store; or a link leads elsewhere.
        InvalidInputError: The store holds something else.
        StoreError: The store cannot be reached or written.
    """
    return copy_dataset(folder, store, progress, links_under=links_under)


def _copy_files(source: CopySource, target: Store, progress: Progress) -> CopyCounts:
    manifest, files, destination = (
        source.describe_manifest(),
        source.list_files(),
        CopyDestination(target, source),
    )
    destination.claim(files)
    total = manifest.num_bytes + sum(file.num_bytes for file in files)
    done_bytes, sent = 0, list[int]()
    for file in files:
        if not destination.has_file(file):
            source.send(file, target, _watch_from(done_bytes, total, progress))
            sent.append(file.num_bytes)
        done_bytes += file.num_bytes
        progress(done_bytes, total)
    _check_unchanged(source, manifest, target)
    sent += [manifest.num_bytes] if destination.finish(files, manifest) else []
    progress(total, total)
    return CopyCounts(len(sent), len(files) + 1 - len(sent), sum(sent))


def _check_unchanged(source: CopySource, manifest: DatasetFile, target: Store) -> None:
    """Check that the data set's manifest is still the one whose files were copied."""
    read = decode_manifest(manifest.content or b"", source.place)
    if read != source.manifest or source.describe_manifest() != manifest:
        raise IntegrityError(
            f"{source.place}: the data set was changed while it was copied; remove {target.url} and copy it "
            "again"
        )


def _watch_from(done_bytes: int, total: int, progress: Progress) -> Callable[[int], None]:
    """Return a function that adds the bytes of a file that are here to those of the files before it."""
    return lambda num_bytes: progress(done_bytes + num_bytes, total)


def _ignore(done: int, total: int) -> None:
    del done, total


@contextmanager
def _hold_place(target: Store) -> Generator[None, None, None]:
    """Keep other copies out of a folder during the block. Nothing keeps two apart in a bucket."""
    if not isinstance(target, LocalStore) or target.folder.is_file():
        yield
        return
    target.check_writable()
    with hold_lock(target.folder / LOCK_NAME):
        yield


def _check_apart(store: Store, target: Store) -> None:
    """Raise InvalidInputError if a data set would be copied onto itself, or into its own folder."""
    if isinstance(store, LocalStore) and isinstance(target, LocalStore):
        here, there = (Path(os.path.realpath(item.folder)) for item in (store, target))
        is_same = there == here or here in there.parents
    else:
        is_same = store.url == target.url
    if is_same:
        raise InvalidInputError(
            f"{target.url}: this is the data set itself, or lies in its folder; choose another place"
        )
