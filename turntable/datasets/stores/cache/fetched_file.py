"""A file of a store that is fetched to a path here, resumed and checked like a file of the cache."""

from pathlib import Path

from turntable.datasets.files import TEMPORARY_SUFFIX, flush_folder
from turntable.datasets.stores.cache.partial_file import PartialFile
from turntable.datasets.stores.cache.resumable_fetch import Watcher, fetch_file
from turntable.datasets.stores.cache.safe_folder import SafeFolder
from turntable.datasets.stores.disk_errors import convert_os_errors
from turntable.datasets.stores.protocol import Store


def fetch_to_path(store: Store, name: str, path: Path, size: int, sha256: str, watch: Watcher) -> None:
    """Fetch a file of a store to a path, which has the file only once its digest is right.

    The bytes that are here wait in a hidden file beside it. The same call goes on with them, also after the
    process was killed.

    Args:
        store: Store that holds the file.
        name: Name of the file in the store.
        path: Path of the file here. Its folder is created if needed, and a file there is replaced.
        size: Bytes of the file.
        sha256: Hex digest of the file.
        watch: Function called with the number of bytes that are here, as they arrive.

    Raises:
        IntegrityError: The store's file is not the expected one.
        StoreError: The store does not give the file, the folder cannot be written, or the disk is full.
    """
    with convert_os_errors(path), SafeFolder.open_folder(path.parent, create=True) as folder:
        part = PartialFile.open_or_create(folder, f".{path.name}{TEMPORARY_SUFFIX}")
        try:
            fetch_file(store, name, part, size, sha256, watch)
            part.finish(path.name)
        finally:
            part.close()
        flush_folder(path.parent)
