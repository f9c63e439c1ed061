"""A finished data set, in a local folder or behind a URL: its manifest, and its splits opened from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.files import MAX_MANIFEST_BYTES, FolderFiles
from turntable.datasets.labels import LabelSchema
from turntable.datasets.manifest import MANIFEST_NAME, Manifest, decode_manifest, read_manifest
from turntable.datasets.shards import (
    CachedStorage,
    FolderStorage,
    IndexSizeLimit,
    ShardRecord,
    ShardStorage,
    StreamedStorage,
)
from turntable.datasets.split import Split
from turntable.datasets.stores import LocalStore, Store, hide_password, normalize_place, open_store
from turntable.datasets.stores.cache import CacheChoice, ShardCache, make_default_cache
from turntable.datasets.stores.web import list_served_urls
from turntable.errors import IntegrityError, InvalidInputError, format_text
from turntable.home import expand_home


@dataclass(frozen=True, slots=True)
class Dataset:
    """A finished data set. It holds no open files; its splits do."""

    location: ShardStorage
    """The storage of its shards."""
    manifest: Manifest

    @property
    def path_or_url(self) -> str:
        """The folder's path or the URL, as messages show it."""
        return self.location.name

    @property
    def path(self) -> Path:
        """The path of its folder. Raises InvalidInputError if the data set is not local."""
        return self.files.root

    @property
    def files(self) -> FolderFiles:
        """The files of its folder. Raises InvalidInputError if the data set is not local."""
        if not isinstance(self.location, FolderStorage):
            raise InvalidInputError(
                f"{self.path_or_url}: this needs a folder of this machine; run: turntable copy "
                f"{self.path_or_url} FOLDER"
            )
        return self.location.files

    @property
    def is_local(self) -> bool:
        """True if the data set lies in a folder of this machine."""
        return isinstance(self.location, FolderStorage)

    @property
    def is_cached(self) -> bool:
        """True if its shards are fetched whole and kept on this node."""
        return isinstance(self.location, CachedStorage)

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits that hold objects."""
        return self.manifest.splits

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the categories, in the order of their indices."""
        return self.manifest.categories

    @property
    def schema(self) -> LabelSchema:
        """The label columns."""
        return self.manifest.schema

    def open_split(self, name: str) -> Split:
        """Open a split.

        Args:
            name: Name of the split, one of ``splits``.

        Raises:
            InvalidInputError: There is no such split.
            IntegrityError: One of its shards is missing or truncated.
        """
        if name not in self.splits:
            raise InvalidInputError(
                f"{self.path_or_url} has no split {name!r}; it has {', '.join(self.splits)}"
            )
        shards = self.manifest.select_shards(name)
        self.location.check_shards(shards)
        return Split(
            self.manifest,
            name,
            self.location.open_shard,
            renew=self.location.invalidate_shard,
            max_open_shards=self.location.compute_max_open_shards(shards),
        )

    @property
    def max_cache_bytes(self) -> int | None:
        """The maximum size of the cache in bytes; None if there is no limit, or no cache."""
        return self.location.cache.max_bytes if isinstance(self.location, CachedStorage) else None

    def fetch_shard(self, shard: ShardRecord) -> None:
        """Fetch a shard into this node's cache, so that it can be opened without the network.

        Does nothing if the data set is local or not cached.

        Raises:
            IntegrityError: The shard is not what was written.
            StoreError: The store does not deliver it.
        """
        self.location.fetch_shard(shard)


def open_dataset(
    path_or_url: str | Path,
    *,
    cache: CacheChoice = None,
    token: str | None = None,
    links_under: Sequence[str | Path] | None = None,
) -> Dataset:
    """Open a finished data set in a local folder or behind a URL.

    Args:
        path_or_url: The folder that holds ``manifest.json``, or its URL: https://, s3://, gs:// or file://.
            The address of a page of the gallery or of the Hugging Face hub stands for the data set it shows.
        cache: The cache for shards of a URL: a ShardCache, its folder, or None for the default one
            (TURNTABLE_CACHE). False disables caching; then every view is one request.
        token: The token of a web server, sent to the URL's origin only. None uses the password of the URL,
            TURNTABLE_TOKEN if TURNTABLE_TOKEN_HOST names this origin, the token of ``turntable login``, or
            the password of the user's netrc file.
        links_under: Folders into which symbolic links of a local data set may lead, besides its own folder
            and the blobs of the hub's cache. None allows any target; use it only if the data stay on this
            machine.

    Raises:
        IntegrityError: There is no manifest, or it cannot be read.
        StoreError: The store cannot be reached.
        InvalidInputError: The URL is not that of a data set.
    """
    place = normalize_place(path_or_url)
    if isinstance(place, Path):
        return open_local_dataset(make_folder_files(place, links_under))
    store = open_store(place, token)
    if isinstance(store, LocalStore):
        return open_local_dataset(make_folder_files(store.folder, links_under))
    return open_stored_dataset(store, cache)


def open_stored_dataset(store: Store, cache: CacheChoice = None) -> Dataset:
    """Open a finished data set in a store.

    Args:
        store: Store that holds the data set.
        cache: The cache for its shards, as for ``open_dataset``.

    Raises:
        IntegrityError: There is no manifest, or it cannot be read.
        StoreError: The store cannot be reached.
    """
    manifest = decode_manifest(fetch_manifest(store), f"{store.url}/{MANIFEST_NAME}")
    return Dataset(_choose_remote_location(store, manifest.index_size_limit, cache), manifest)


def open_local_dataset(files: FolderFiles) -> Dataset:
    """Open a finished data set in a local folder.

    Raises:
        IntegrityError: The folder has no readable manifest.
    """
    return Dataset(FolderStorage(files), read_manifest(files))


def make_folder_files(folder: str | Path, links_under: Sequence[str | Path] | None) -> FolderFiles:
    """Return the files of a folder.

    Args:
        folder: Path of the folder; a leading ``~`` is the home.
        links_under: Further folders into which symbolic links may lead. None allows any target.
    """
    place = normalize_place(folder)
    if not isinstance(place, Path):
        raise InvalidInputError(
            f"{format_text(hide_password(place))}: this needs a folder of this machine; run: turntable copy "
            "URL FOLDER"
        )
    return FolderFiles(place, None if links_under is None else tuple(map(expand_home, links_under)))


def _choose_remote_location(store: Store, indices: IndexSizeLimit, cache: CacheChoice) -> ShardStorage:
    if cache is False:
        return StreamedStorage(store, indices)
    if cache is None:
        return CachedStorage(store, indices, make_default_cache())
    shard_cache = cache if isinstance(cache, ShardCache) else make_default_cache(Path(cache))
    return CachedStorage(store, indices, shard_cache)


def fetch_manifest(store: Store) -> bytes:
    """Return the bytes of a data set's manifest.

    Raises:
        IntegrityError: There is none. The message names the data sets of a service whose root was given.
        StoreError: The store cannot be reached.
    """
    data = store.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if data is not None:
        return data
    served = list_served_urls(store)
    remedy = f"it is a service of data sets: give {' or '.join(served)}" if served else "is the URL right?"
    raise IntegrityError(
        f"{store.url}/{MANIFEST_NAME}: missing, so this is not a finished data set; {remedy}"
    )
