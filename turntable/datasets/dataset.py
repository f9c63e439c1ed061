"""A finished data set, wherever it lies: its manifest, from which its splits are opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.files import MOST_MANIFEST_BYTES, FolderFiles
from turntable.datasets.labels import LabelSchema
from turntable.datasets.manifest import MANIFEST_NAME, Manifest, decode_manifest, read_manifest
from turntable.datasets.shards import Cached, Folder, IndexSize, ShardPlace, ShardRecord, Streamed
from turntable.datasets.split import Split
from turntable.datasets.stores import LocalStore, Store, is_url, open_store
from turntable.datasets.stores.cache import CacheChoice, ShardCache, default_cache
from turntable.errors import IntegrityError, InvalidInputError


@dataclass(frozen=True, slots=True)
class Dataset:
    """A finished data set. It holds no open file; its splits do."""

    where: ShardPlace
    manifest: Manifest

    @property
    def place(self) -> str:
        """For messages: the folder's path, or the URL."""
        return self.where.name

    @property
    def path(self) -> Path:
        """The folder. Raises InvalidInputError where the data set lies elsewhere."""
        return self.files.root

    @property
    def files(self) -> FolderFiles:
        """The folder's files. Raises InvalidInputError where the data set lies elsewhere."""
        if not isinstance(self.where, Folder):
            raise InvalidInputError(f"{self.place}: this needs a folder of this machine; fetch the data set")
        return self.where.files

    @property
    def is_local(self) -> bool:
        """Whether it lies in a folder of this machine."""
        return isinstance(self.where, Folder)

    @property
    def is_cached(self) -> bool:
        """Whether its shards are fetched whole, and kept on this node."""
        return isinstance(self.where, Cached)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that hold objects."""
        return self.manifest.splits

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the classes, by class number."""
        return self.manifest.categories

    @property
    def schema(self) -> LabelSchema:
        """The label columns."""
        return self.manifest.schema

    def split(self, name: str) -> Split:
        """Open a split.

        Raises:
            InvalidInputError: there is no such split.
            IntegrityError: one of its shards is missing or cut.
        """
        if name not in self.splits:
            raise InvalidInputError(f"{self.place} has no split {name!r}; it has {', '.join(self.splits)}")
        shards = self.manifest.shards_of(name)
        self.where.check(shards)
        return Split(
            self.manifest,
            name,
            self.where.open,
            renew=self.where.renew,
            most_open=self.where.most_open(shards),
        )

    @property
    def cache_bytes(self) -> int | None:
        """What may be kept of it on this node; None: all, or nothing."""
        return self.where.cache.max_bytes if isinstance(self.where, Cached) else None

    def fetch_shard(self, shard: ShardRecord) -> None:
        """Make sure that a shard can be opened without waiting for a network, where it is kept on this node.

        Raises:
            IntegrityError: it is not what was written.
            StoreError: its place does not give it.
        """
        self.where.fetch(shard)


def open_dataset(
    place: str | Path,
    *,
    cache: CacheChoice = None,
    token: str | None = None,
    links_under: Sequence[str | Path] | None = None,
) -> Dataset:
    """Open a finished data set, wherever it lies.

    Args:
        place: the folder that holds ``manifest.json``, or its URL: https://, s3://, gs:// or file://.
        cache: where shards of a URL are kept: a ShardCache, its folder, None for the usual one
            (TURNTABLE_CACHE); False to keep nothing, so that each view is a request.
        token: of a web server, for the URL's origin alone; None: that of TURNTABLE_TOKEN where
            TURNTABLE_TOKEN_HOST names this origin, or that of ``turntable login``.
        links_under: folders into which links of a local data set may lead, beside its own and the blobs of
            the hub's cache; None: anywhere, which is for data that do not leave this machine.

    Raises:
        IntegrityError: there is no manifest, or it cannot be read.
        StoreError: the place cannot be reached.
        InvalidInputError: it is a URL of something else.
    """
    if not is_url(place):
        return open_folder(confined(place, links_under))
    store = open_store(place, token)
    if isinstance(store, LocalStore):
        return open_folder(confined(store.folder, links_under))
    manifest = _fetch_manifest(store)
    indices = IndexSize(manifest.views, len(manifest.factors), len(manifest.outputs))
    return Dataset(_elsewhere(store, indices, cache), manifest)


def open_folder(files: FolderFiles) -> Dataset:
    """Open a finished data set in a folder of this machine. Raises IntegrityError where it is none."""
    return Dataset(Folder(files), read_manifest(files))


def confined(folder: str | Path, links_under: Sequence[str | Path] | None) -> FolderFiles:
    """Return the files of a folder, whose links may lead into some folders besides; None: anywhere."""
    return FolderFiles(Path(folder), None if links_under is None else tuple(map(Path, links_under)))


def _elsewhere(store: Store, indices: IndexSize, cache: CacheChoice) -> ShardPlace:
    if cache is False:
        return Streamed(store, indices)
    if cache is None:
        return Cached(store, indices, default_cache())
    kept = cache if isinstance(cache, ShardCache) else default_cache(Path(cache))
    return Cached(store, indices, kept)


def _fetch_manifest(store: Store) -> Manifest:
    where = f"{store.url}/{MANIFEST_NAME}"
    data = store.read(MANIFEST_NAME, MOST_MANIFEST_BYTES)
    if data is None:
        raise IntegrityError(f"{where}: missing, so this is not a finished data set; is the URL right?")
    return decode_manifest(data, where)
