"""Download of one file of a store to this machine, resumed where it broke off, and checked by its sha256."""

import time
from collections.abc import Callable
from contextlib import closing

from turntable.datasets.files import convert_disk_full_error
from turntable.datasets.stores.cache.partial_file import PartialFile
from turntable.datasets.stores.protocol import Download, Store
from turntable.datasets.stores.retries import iter_pauses
from turntable.errors import IntegrityError, RejectedResponseError, StoreError

_PAGE_MARKS = (b"<!doctype", b"<html", b"<?xml")
"""Beginnings of web pages, which some servers send in the place of a file."""
_MIN_PROGRESS_BYTES = 64 << 10
"""Smallest progress that makes a try count as successful.

A server that sends one byte per try would otherwise be tried for ever.
"""


Watcher = Callable[[int], object]
"""A function that is called with the number of bytes of a file that are here, each time there are more."""


def _ignore(num_bytes: int) -> None:
    del num_bytes


def fetch_file(
    store: Store, name: str, part: PartialFile, size: int, sha256: str, watch: Watcher = _ignore
) -> None:
    """Fetch a file of a store. Bytes that are already in the part are used.

    Args:
        store: Store that holds the file.
        name: Name of the file in the store.
        part: Partial file that receives the bytes. It is removed if the store's file is not the expected one.
        size: Bytes of the whole file.
        sha256: Hex digest of the whole file.
        watch: Function called as the bytes arrive.

    Raises:
        IntegrityError: The store's file is not the expected one, also after it was fetched again from its
            start.
        StoreError: The store does not give the file, or the disk is full.
    """
    with convert_disk_full_error(part.folder.path / part.name):
        _fetch_whole(store, name, part, size, watch)
        if part.compute_digest() == sha256:
            return
        # The part may have been changed on this machine, or may join two versions of the file. A download
        # from the start tells these cases from a file that is wrong in the store.
        part.clear()
        _fetch_whole(store, name, part, size, watch)
        if part.compute_digest() == sha256:
            return
        page_note = ": it is a web page" if _is_page(part.read_beginning(64)) else ""
        part.remove()
        raise IntegrityError(
            f"{store.url}/{name}: not the file that manifest.json names (another sha256, twice){page_note}; "
            "upload it again, or fetch a manifest that is of these files"
        )


def _fetch_whole(store: Store, name: str, part: PartialFile, size: int, watch: Watcher) -> None:
    """Download until all bytes are here. Only tries that made little progress count against the retries."""
    pauses = iter_pauses()
    while (num_bytes_before := part.num_bytes) != size:
        download = _begin_download(store, name, part, size)  # retries by itself
        try:
            # Closed here also if the disk is full: left to the garbage collector, it would be closed after
            # the error was told, perhaps when Python no longer imports anything.
            with closing(download):
                _write_pieces(download, part, f"{store.url}/{name}", watch)
        except RejectedResponseError:
            raise
        except StoreError:
            pauses = iter_pauses() if part.num_bytes >= num_bytes_before + _MIN_PROGRESS_BYTES else pauses
            pause = next(pauses)
            if pause is None:
                raise
            time.sleep(pause)


def _begin_download(store: Store, name: str, part: PartialFile, size: int) -> Download:
    """Return the download of the bytes that are still missing.

    If the store has no ETag, nothing says which version the part is of; the sha256 decides at the end.
    """
    if part.num_bytes > size:
        part.clear()
    download = store.download(name, part.num_bytes, part.e_tag)
    if download.size != size:
        beginning = next((piece for piece in download.pieces if piece), b"")
        download.close()
        raise IntegrityError(
            f"{store.url}/{name}: {download.size:,} bytes, manifest.json says {size:,}: "
            f"{'a web page' if _is_page(beginning) else 'cut, or of another version'}; "
            "upload it again, or fetch a manifest that is of these files"
        )
    return download


def _write_pieces(download: Download, part: PartialFile, display_name: str, watch: Watcher) -> None:
    with part.open_for_writing(download.offset, download.e_tag) as file:
        for piece in download.pieces:
            room = download.size - file.tell()
            file.write(piece[:room])
            watch(file.tell())
            if len(piece) > room:  # more than the file has; its sha256 decides whether it is the right one
                break
    if part.num_bytes != download.size:
        raise StoreError(
            f"{display_name}: the response ended after {part.num_bytes:,} of {download.size:,} bytes"
        )


def _is_page(beginning: bytes) -> bool:
    return beginning.lstrip().lower().startswith(_PAGE_MARKS)
