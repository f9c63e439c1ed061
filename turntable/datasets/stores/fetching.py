"""One file of a store to a place of this machine: resumed where it broke off, and checked."""

import time
from pathlib import Path

from turntable.datasets.digests import file_sha256
from turntable.datasets.storage import clear_disk_errors, flush_to_disk
from turntable.datasets.stores.patience import pauses
from turntable.datasets.stores.protocol import Download, Store
from turntable.errors import GivenUpError, IntegrityError, StoreError

E_TAG_SUFFIX = ".etag"
"""Of the file beside a part that says of which version it is."""
_PAGE_MARKS = (b"<!doctype", b"<html", b"<?xml")
_PROGRESS_BYTES = 64 << 10
"""A try that brings fewer counts as failed: a server could send a byte at a time for ever."""


def fetch(store: Store, name: str, part: Path, size: int, sha256: str) -> None:
    """Bring a file here; what is there of it already is used.

    Args:
        store: where it is.
        name: there.
        part: where it goes. A file beside it remembers of which version it is until it is whole.
        size: of the whole file.
        sha256: of the whole file, hex.

    Raises:
        IntegrityError: the store's file is another one, also when it is fetched once more from its start.
        StoreError: the store does not give it, or the disk is full.
    """
    with clear_disk_errors(part):
        _fetch_checked(store, name, part, size, sha256)
    _e_tag_file(part).unlink(missing_ok=True)


def remove_part(part: Path) -> None:
    """Forget what came of a file so far."""
    part.unlink(missing_ok=True)
    _e_tag_file(part).unlink(missing_ok=True)


def _fetch_checked(store: Store, name: str, part: Path, size: int, sha256: str) -> None:
    _fetch_whole(store, name, part, size)
    if file_sha256(part) != sha256:
        # Perhaps it was changed here, or two versions were joined: from the start, then.
        remove_part(part)
        _fetch_whole(store, name, part, size)
        if file_sha256(part) != sha256:
            with part.open("rb") as file:
                what = ": it is a web page" if _is_page(file.read(64)) else ""
            remove_part(part)
            raise IntegrityError(
                f"{store.url}/{name}: not the file that manifest.json names (another sha256, twice){what}; "
                "upload it again, or fetch a manifest that is of these files"
            )


def _fetch_whole(store: Store, name: str, part: Path, size: int) -> None:
    """Until all bytes are here; a try that brought a good deal does not count."""
    patience = pauses()
    while (here := _length(part)) != size:
        coming = _rest(store, name, part, size)  # what it refuses it was patient with before
        try:
            _write(coming, part, f"{store.url}/{name}")
        except GivenUpError:
            raise
        except StoreError:
            patience = pauses() if _length(part) >= here + _PROGRESS_BYTES else patience
            pause = next(patience)
            if pause is None:
                raise
            time.sleep(pause)


def _rest(store: Store, name: str, part: Path, size: int) -> Download:
    """What is not here yet, begun. Where no ETag tells of which version the part is, its sha256 will."""
    if _length(part) > size:
        remove_part(part)
    known = _e_tag_file(part)
    coming = store.download(name, _length(part), known.read_text("utf-8") if known.exists() else "")
    if coming.size != size:
        beginning = next((piece for piece in coming.pieces if piece), b"")
        coming.close()
        raise IntegrityError(
            f"{store.url}/{name}: {coming.size:,} bytes, manifest.json says {size:,}: "
            f"{'a web page' if _is_page(beginning) else 'cut, or of another version'}; "
            "upload it again, or fetch a manifest that is of these files"
        )
    return coming


def _write(coming: Download, part: Path, where: str) -> None:
    with part.open("ab") as file:
        file.truncate(coming.offset)
        _e_tag_file(part).write_text(coming.e_tag, "utf-8")
        for piece in coming.pieces:
            file.write(piece)
        flush_to_disk(file)
    if _length(part) != coming.size:
        raise StoreError(f"{where}: the answer ended after {_length(part):,} of {coming.size:,} bytes")


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _e_tag_file(part: Path) -> Path:
    return part.with_name(part.name + E_TAG_SUFFIX)


def _is_page(beginning: bytes) -> bool:
    return beginning.lstrip().lower().startswith(_PAGE_MARKS)
