"""Downloads of whole files, started again from the beginning if a response breaks off."""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO

from turntable.datasets.stores.disk_errors import convert_os_errors
from turntable.datasets.stores.protocol import Store, make_too_long_error
from turntable.datasets.stores.retries import iter_pauses
from turntable.errors import RejectedResponseError, StoreError


def download_with_retries(
    store: Store, name: str, begin_try: Callable[[], Callable[[bytes], object]]
) -> None:
    """Download a file in pieces.

    Args:
        store: Store that holds the file.
        name: Name of the file in the store.
        begin_try: Function called at the start of each try. It returns the function that receives the pieces.

    Raises:
        StoreError: The file is missing, or the store does not give it.
    """
    for pause in iter_pauses():
        download, add_piece = store.download(name), begin_try()
        try:
            with closing(download):
                for piece in download.pieces:
                    add_piece(piece)
        except RejectedResponseError:
            raise
        except StoreError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


def download_to_temporary_file(
    store: Store, name: str, max_bytes: int, folder: Path | None = None
) -> IO[bytes] | None:
    """Download a file to a temporary file, or return None if it is missing.

    The temporary file is removed when it is closed.

    Args:
        store: Store that holds the file.
        name: Name of the file in the store.
        max_bytes: Largest size that is accepted.
        folder: Folder of the temporary file; None: the machine's (TMPDIR).

    Raises:
        StoreError: The store does not give the file, the file is longer than ``max_bytes``, or the disk is
            full.
    """
    size = store.get_size(name)
    if size is None:
        return None
    if size > max_bytes:
        raise make_too_long_error(f"{store.url}/{name}", max_bytes)
    folder = folder or Path(tempfile.gettempdir())
    with convert_os_errors(folder, "set TMPDIR to another folder"), ExitStack() as stack:
        file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="turntable-", dir=folder))
        _fill_file(file, store, name, max_bytes)
        stack.pop_all()  # the caller closes it
        return file


def _fill_file(file: IO[bytes], store: Store, name: str, max_bytes: int) -> None:
    def restart() -> Callable[[bytes], object]:
        file.seek(0)
        file.truncate()
        return add_piece

    def add_piece(piece: bytes) -> None:
        if file.tell() + len(piece) > max_bytes:  # the file changed after its size was checked
            raise make_too_long_error(f"{store.url}/{name}", max_bytes)
        file.write(piece)

    download_with_retries(store, name, restart)
    file.flush()
