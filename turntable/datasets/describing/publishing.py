"""A finished data set brought to where others read it: a store, or a folder for the Hugging Face hub."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from turntable.datasets.dataset import Dataset, confined, open_folder
from turntable.datasets.describing.card import CARD_NAME
from turntable.datasets.describing.described import DESCRIBED
from turntable.datasets.files import MOST_MANIFEST_BYTES, atomic_file, temporary_path, write_bytes, write_text
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.shards import INDEX_SUFFIX, SHARD_SUFFIX, TABLE_NAME, index_name, shard_name
from turntable.datasets.stores import LocalStore, Store
from turntable.errors import IntegrityError, InvalidInputError, StoreError

_LARGE = (SHARD_SUFFIX, INDEX_SUFFIX, ".parquet", ".jpg")
_MOST_CARD_BYTES = 16 << 20
_PIECE_BYTES = 1 << 20
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "n>100M")
"""The hub's words for numbers of images below 1e3, 1e4 and so on."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A count of the files that were uploaded, and of those that were there."""

    sent: int
    """Files that were not there yet."""
    there: int
    """Files that were."""
    bytes: int
    """Sent."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    bytes: int
    sha256: str


def publish(
    folder: Path | str,
    store: Store,
    progress: Callable[[int, int], None] | None = None,
    *,
    links_under: Sequence[Path | str] = (),
) -> Uploaded:
    """Upload a data set. The same call goes on where an interrupted one stopped.

    Every file is compared with the digest that the manifest states before it is sent, and with what the store
    says of it afterwards. The manifest is sent last: whoever sees it sees all of the data set.

    Args:
        folder: Of the finished data set.
        store: Where it goes; it may hold the same data set already, or a part of it.
        progress: Told how many bytes are done, and of how many.
        links_under: Folders into which links of the data set may lead, beside its own and the hub's cache;
            other links are refused, for they would publish what is no part of it.

    Raises:
        IntegrityError: A file is not what was written, here or there; or a link that leads elsewhere.
        InvalidInputError: The place holds another data set.
        StoreError: The place cannot be reached or written.
    """
    dataset = open_folder(confined(folder, links_under))
    _check_place(dataset, store)
    files = list(_files(dataset))
    total = sum(file.bytes for file in files)
    store.check_writable(total)
    done = sent = sent_bytes = 0
    for file in files:
        if store.size(file.name) != file.bytes or store.sha256(file.name) != file.sha256:
            with _opened(file, dataset) as opened:
                store.upload(file.name, dataset.files.path_of(opened, file.name), file.sha256)
            sent, sent_bytes = sent + 1, sent_bytes + file.bytes
        done += file.bytes
        if progress is not None:
            progress(done, total)
    _check_arrived(files, store)
    return Uploaded(sent, len(files) - sent, sent_bytes)


def prepare_hub(folder: Path | str, out: Path | str, *, links_under: Sequence[Path | str] = ()) -> Path:
    """Lay a data set out as the Hugging Face hub expects it, ready for ``hf upload``.

    Shards keep their places, so that loaders stream from ``https://huggingface.co/datasets/USER/NAME/
    resolve/main`` too. Files are linked where the folders share a disk, and copied otherwise.

    Args:
        folder: Of the finished data set.
        out: Gets the layout; it must be empty, or hold this data set's layout.
        links_under: As of :func:`publish`.

    Returns:
        ``out``.

    Raises:
        IntegrityError: A file is not what was written, or a link that leads elsewhere.
        InvalidInputError: ``out`` holds something else, or is the data set itself.
    """
    dataset, place = open_folder(confined(folder, links_under)), Path(out)
    _check_layout(dataset, place)
    for file in _files(dataset):
        with _opened(file, dataset) as opened:
            if file.name != CARD_NAME:
                _link(opened, dataset.files.root / file.name, place / file.name)
    card = dataset.files.read(CARD_NAME, _MOST_CARD_BYTES) or b""
    write_bytes(place / CARD_NAME, f"{_front_matter(dataset.manifest)}\n".encode() + card)
    attributes = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in _LARGE)
    write_text(place / ".gitattributes", attributes)
    return place


def _files(dataset: Dataset) -> Iterator[_File]:
    """All files that readers need, the manifest last."""
    for shard in dataset.manifest.shards:
        tar = shard_name(shard)
        for name, digest in ((tar, shard.sha256), (index_name(tar), shard.idx_sha256)):
            size = dataset.files.size(name)
            if size is None:
                raise _missing(name, dataset)
            yield _File(name, size, digest)
    for name in DESCRIBED:
        opened = dataset.files.open(name)
        if opened is not None:
            with opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
                yield _File(name, os.fstat(opened.fileno()).st_size, digest)


@contextmanager
def _opened(file: _File, dataset: Dataset) -> Generator[BufferedReader, None, None]:
    """Open a file that holds what was written. It is not looked up again: its name can change meanwhile."""
    opened = dataset.files.open(file.name)
    if opened is None:
        raise _missing(file.name, dataset)
    with opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
            raise IntegrityError(
                f"{dataset.files.name_of(file.name)}: not what was written; run turntable verify "
                f"{dataset.place} before it is published"
            )
        opened.seek(0)
        yield opened


def _missing(name: str, dataset: Dataset) -> IntegrityError:
    return IntegrityError(f"{dataset.files.name_of(name)}: missing; run turntable verify {dataset.place}")


def _check_place(dataset: Dataset, store: Store) -> None:
    there = store.read(MANIFEST_NAME, MOST_MANIFEST_BYTES)
    if there is None:
        return
    found = Manifest.from_json(there.decode("utf-8", "replace"), f"{store.url}/{MANIFEST_NAME}")
    if found.fingerprint != dataset.manifest.fingerprint:
        raise InvalidInputError(
            f"{store.url} holds another data set, {found.name} ({found.fingerprint[:16]}); choose another "
            "place, for who reads it would find half of each"
        )


def _check_arrived(files: list[_File], store: Store) -> None:
    for file in files:
        if store.size(file.name) != file.bytes:
            raise IntegrityError(f"{store.url}/{file.name}: not there as it was sent; publish again")


def _check_layout(dataset: Dataset, place: Path) -> None:
    if place.resolve() == dataset.files.root.resolve():
        raise InvalidInputError(f"{place}: the data set itself, which stays as it is; choose another folder")
    if place.exists() and not place.is_dir():
        raise InvalidInputError(f"{place}: a file; choose an empty folder")
    if place.exists() and any(place.iterdir()) and not _is_of(place, dataset.manifest):
        raise InvalidInputError(f"{place}: holds something else; choose an empty folder")


def _is_of(place: Path, manifest: Manifest) -> bool:
    try:
        data = LocalStore(place).read(MANIFEST_NAME, MOST_MANIFEST_BYTES)
        if data is not None:
            text = data.decode("utf-8", "replace")
            return Manifest.from_json(text).fingerprint == manifest.fingerprint
    except (StoreError, IntegrityError):
        pass
    return (place / ".gitattributes").exists()


def _link(opened: BufferedReader, source: Path, target: Path) -> None:
    """Give an open file another name, or copy it where that cannot be; its own name can be another's now."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(target)
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
        linked = os.path.samestat(temporary.lstat(), os.fstat(opened.fileno()))
    except OSError:
        linked = False
    if linked:
        temporary.replace(target)
    else:
        with atomic_file(target) as copy:
            shutil.copyfileobj(opened, copy, _PIECE_BYTES)
    temporary.unlink(missing_ok=True)  # of two names of one file replacing takes none away


def _front_matter(manifest: Manifest) -> str:
    """What the hub reads of a card, in YAML; its values are JSON, which is YAML too."""
    size = _SIZES[min(len(_SIZES) - 1, max(0, len(str(manifest.totals.images)) - 3))]
    licence = str(manifest.source.get("licence", "")).lower()
    known = licence in ("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-sa-4.0")
    data = [{"split": _hub_split(split), "path": f"{split}/*.tar"} for split in manifest.splits]
    table = {
        "pretty_name": manifest.name,
        "license": licence if known else "other",
        "size_categories": [size],
        "task_categories": ["image-feature-extraction"],
        "tags": ["3d", "equivariance", "self-supervised", "webdataset", "turntable"],
        "configs": [
            {"config_name": "views", "data_files": data, "default": True},
            {"config_name": "labels", "data_files": TABLE_NAME},
        ],
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(["---", *lines, "---"])


def _hub_split(split: str) -> str:
    return {"val": "validation"}.get(split, split)
