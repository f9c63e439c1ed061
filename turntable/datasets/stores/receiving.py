"""Whole files of a store taken in pieces, from their start again where an answer breaks off."""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from turntable.datasets.stores.disk_errors import clear_errors
from turntable.datasets.stores.patience import pauses
from turntable.datasets.stores.protocol import Store, too_long
from turntable.errors import GivenUpError, StoreError


def receive(store: Store, name: str, begin: Callable[[], Callable[[bytes], object]]) -> None:
    """Take a file in pieces.

    Args:
        store: Where it is.
        name: There.
        begin: Called at the start of each try; gives what takes the pieces.

    Raises:
        StoreError: There is no such file, or the store does not give it.
    """
    for pause in pauses():
        coming, take = store.download(name), begin()
        try:
            for piece in coming.pieces:
                take(piece)
        except GivenUpError:
            raise
        except StoreError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


def spool(store: Store, name: str, most_bytes: int) -> IO[bytes] | None:
    """Bring a file into a temporary one, which is gone when it is closed; None where there is none.

    Args:
        store: Where it is.
        name: There.
        most_bytes: It may have.

    Raises:
        StoreError: The store does not give it, it is longer than that, or the disk is full.
    """
    size = store.size(name)
    if size is None:
        return None
    if size > most_bytes:
        raise too_long(f"{store.url}/{name}", most_bytes)
    folder = Path(os.environ.get("TMPDIR") or "/tmp")
    with clear_errors(folder, "set TMPDIR to another folder"), ExitStack() as stack:
        file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="turntable-"))
        _fill(file, store, name, most_bytes)
        stack.pop_all()  # who asked closes it
        return file


def _fill(file: IO[bytes], store: Store, name: str, most_bytes: int) -> None:
    def begin() -> Callable[[bytes], object]:
        file.seek(0)
        file.truncate()
        return take

    def take(piece: bytes) -> None:
        if file.tell() + len(piece) > most_bytes:  # it has become another file
            raise too_long(f"{store.url}/{name}", most_bytes)
        file.write(piece)

    receive(store, name, begin)
    file.flush()
