"""One file of a store to a place of this machine: resumed where it broke off, and checked."""

import time

from turntable.datasets.files import clear_disk_errors
from turntable.datasets.stores.cache.partial_file import PartialFile
from turntable.datasets.stores.patience import pauses
from turntable.datasets.stores.protocol import Download, Store
from turntable.errors import GivenUpError, IntegrityError, StoreError

_PAGE_MARKS = (b"<!doctype", b"<html", b"<?xml")
_PROGRESS_BYTES = 64 << 10
"""A try that brings fewer counts as failed: a server could send a byte at a time for ever."""


def fetch(store: Store, name: str, part: PartialFile, size: int, sha256: str) -> None:
    """Bring a file here; what is there of it already is used.

    Args:
        store: where it is.
        name: there.
        part: where it goes. It is removed where the store's file is another one.
        size: of the whole file, bytes.
        sha256: of the whole file, hex.

    Raises:
        IntegrityError: the store's file is another one, also when it is fetched once more from its start.
        StoreError: the store does not give it, or the disk is full.
    """
    with clear_disk_errors(part.folder.path / part.name):
        _fetch_whole(store, name, part, size)
        if part.digest() == sha256:
            return
        # Perhaps it was changed here, or two versions were joined: from the start, then.
        part.clear()
        _fetch_whole(store, name, part, size)
        if part.digest() == sha256:
            return
        what = ": it is a web page" if _is_page(part.beginning(64)) else ""
        part.remove()
        raise IntegrityError(
            f"{store.url}/{name}: not the file that manifest.json names (another sha256, twice){what}; "
            "upload it again, or fetch a manifest that is of these files"
        )


def _fetch_whole(store: Store, name: str, part: PartialFile, size: int) -> None:
    """Until all bytes are here; a try that brought a good deal does not count."""
    patience = pauses()
    while (here := part.length) != size:
        coming = _rest(store, name, part, size)  # what it refuses it was patient with before
        try:
            _write(coming, part, f"{store.url}/{name}")
        except GivenUpError:
            raise
        except StoreError:
            patience = pauses() if part.length >= here + _PROGRESS_BYTES else patience
            pause = next(patience)
            if pause is None:
                raise
            time.sleep(pause)


def _rest(store: Store, name: str, part: PartialFile, size: int) -> Download:
    """What is not here yet, begun. Where no ETag tells of which version the part is, its sha256 will."""
    if part.length > size:
        part.clear()
    coming = store.download(name, part.length, part.e_tag)
    if coming.size != size:
        beginning = next((piece for piece in coming.pieces if piece), b"")
        coming.close()
        raise IntegrityError(
            f"{store.url}/{name}: {coming.size:,} bytes, manifest.json says {size:,}: "
            f"{'a web page' if _is_page(beginning) else 'cut, or of another version'}; "
            "upload it again, or fetch a manifest that is of these files"
        )
    return coming


def _write(coming: Download, part: PartialFile, where: str) -> None:
    with part.written_from(coming.offset, coming.e_tag) as file:
        for piece in coming.pieces:
            room = coming.size - file.tell()
            file.write(piece[:room])
            if len(piece) > room:  # its sha256 says whether this was the file
                break
    if part.length != coming.size:
        raise StoreError(f"{where}: the answer ended after {part.length:,} of {coming.size:,} bytes")


def _is_page(beginning: bytes) -> bool:
    return beginning.lstrip().lower().startswith(_PAGE_MARKS)
