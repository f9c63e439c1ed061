"""Upload of a finished data set to a store, and its layout for the Hugging Face hub."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from turntable.datasets.dataset import Dataset, make_folder_files, open_local_dataset
from turntable.datasets.describing.card import CARD_NAME
from turntable.datasets.describing.description_files import DESCRIPTION_FILES
from turntable.datasets.files import (
    MAX_MANIFEST_BYTES,
    make_temporary_path,
    open_atomic_file,
    write_bytes,
    write_text,
)
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.shards import (
    INDEX_SUFFIX,
    LABELS_TABLE_NAME,
    SHARD_SUFFIX,
    make_index_name,
    make_shard_name,
)
from turntable.datasets.stores import LocalStore, Store
from turntable.errors import IntegrityError, InvalidInputError, StoreError

_LFS_SUFFIXES = (SHARD_SUFFIX, INDEX_SUFFIX, ".parquet", ".jpg")
"""Suffixes of the files that the hub's git repository stores with Git LFS."""
_MAX_CARD_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_HUB_SIZE_CATEGORIES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "n>100M")
"""The hub's categories of numbers of images: below 1e3, below 1e4 and so on."""


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """The numbers of files that an upload sent, and that were in the store already."""

    num_sent: int
    """Number of files sent."""
    num_present: int
    """Number of files that were in the store already."""
    sent_bytes: int
    """Number of bytes sent."""


@dataclass(frozen=True, slots=True)
class _UploadFile:
    name: str
    bytes: int
    sha256: str


def publish(
    folder: Path | str,
    store: Store,
    progress: Callable[[int, int], None] | None = None,
    *,
    links_under: Sequence[Path | str] = (),
) -> UploadCounts:
    """Upload a data set to a store. The same call resumes an interrupted upload.

    Every file is compared with the digest that the manifest states before it is sent, and with what the store
    says of it afterwards. The manifest is sent last, so whoever sees it sees the whole data set.

    Args:
        folder: Folder of the finished data set.
        store: Store to upload to. It may hold all or part of the same data set already.
        progress: Function called with the number of bytes done and the number of all bytes.
        links_under: Folders into which symbolic links of the data set may lead, besides its own folder and
            the hub's cache. Other links are refused, since following them would publish files that are not
            part of the data set.

    Raises:
        IntegrityError: A file is not what was written, here or in the store; or a link leads elsewhere.
        InvalidInputError: The store holds another data set.
        StoreError: The store cannot be reached or written.
    """
    dataset = open_local_dataset(make_folder_files(folder, links_under))
    _check_store(dataset, store)
    files = list(_iter_files(dataset))
    total = sum(file.bytes for file in files)
    store.check_writable(total)
    done_bytes = num_sent = sent_bytes = 0
    for file in files:
        if store.get_size(file.name) != file.bytes or store.get_sha256(file.name) != file.sha256:
            with _open_checked_file(file, dataset) as opened:
                store.upload(file.name, dataset.files.get_open_path(opened, file.name), file.sha256)
            num_sent, sent_bytes = num_sent + 1, sent_bytes + file.bytes
        done_bytes += file.bytes
        if progress is not None:
            progress(done_bytes, total)
    _check_uploaded(files, store)
    return UploadCounts(num_sent, len(files) - num_sent, sent_bytes)


def prepare_hub_folder(
    folder: Path | str, out: Path | str, *, links_under: Sequence[Path | str] = ()
) -> Path:
    """Lay a data set out as the Hugging Face hub expects it, ready for ``hf upload``.

    The shards keep their paths, so loaders also stream from
    ``https://huggingface.co/datasets/USER/NAME/resolve/main``. Files are hard-linked if both folders are on
    the same disk, and copied otherwise.

    Args:
        folder: Folder of the finished data set.
        out: Folder for the layout. It must be empty, or hold this data set's layout.
        links_under: Folders into which symbolic links may lead, as for :func:`publish`.

    Returns:
        ``out``.

    Raises:
        IntegrityError: A file is not what was written, or a link leads elsewhere.
        InvalidInputError: ``out`` holds something else, or is the data set itself.
    """
    dataset, target = open_local_dataset(make_folder_files(folder, links_under)), Path(out)
    _check_hub_folder(dataset, target)
    for file in _iter_files(dataset):
        with _open_checked_file(file, dataset) as opened:
            if file.name != CARD_NAME:
                _link_or_copy(opened, dataset.files.root / file.name, target / file.name)
    card = dataset.files.read(CARD_NAME, _MAX_CARD_BYTES) or b""
    write_bytes(target / CARD_NAME, f"{_format_front_matter(dataset.manifest)}\n".encode() + card)
    attributes = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in _LFS_SUFFIXES)
    write_text(target / ".gitattributes", attributes)
    return target


def _iter_files(dataset: Dataset) -> Iterator[_UploadFile]:
    """Yield all files that readers need, the manifest last."""
    for shard in dataset.manifest.shards:
        tar = make_shard_name(shard)
        for name, digest in ((tar, shard.sha256), (make_index_name(tar), shard.idx_sha256)):
            size = dataset.files.get_size(name)
            if size is None:
                raise _make_missing_error(name, dataset)
            yield _UploadFile(name, size, digest)
    for name in DESCRIPTION_FILES:
        opened = dataset.files.open(name)
        if opened is not None:
            with opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
                yield _UploadFile(name, os.fstat(opened.fileno()).st_size, digest)


@contextmanager
def _open_checked_file(file: _UploadFile, dataset: Dataset) -> Generator[BufferedReader, None, None]:
    """Open a file and compare it with its digest.

    Use the open file from then on: another file may take its name after the comparison.
    """
    opened = dataset.files.open(file.name)
    if opened is None:
        raise _make_missing_error(file.name, dataset)
    with opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
            raise IntegrityError(
                f"{dataset.files.format_name(file.name)}: not what was written; run turntable verify "
                f"{dataset.path_or_url} before you publish it"
            )
        opened.seek(0)
        yield opened


def _make_missing_error(name: str, dataset: Dataset) -> IntegrityError:
    return IntegrityError(
        f"{dataset.files.format_name(name)}: missing; run turntable verify {dataset.path_or_url}"
    )


def _check_store(dataset: Dataset, store: Store) -> None:
    data = store.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if data is None:
        return
    stored = Manifest.from_json(data.decode("utf-8", "replace"), f"{store.url}/{MANIFEST_NAME}")
    if stored.fingerprint != dataset.manifest.fingerprint:
        raise InvalidInputError(
            f"{store.url} holds another data set, {stored.name} ({stored.fingerprint[:16]}); choose another "
            "URL, since its readers would find files of both data sets there"
        )


def _check_uploaded(files: list[_UploadFile], store: Store) -> None:
    for file in files:
        if store.get_size(file.name) != file.bytes:
            raise IntegrityError(
                f"{store.url}/{file.name}: its size in the store is not the size that was sent; publish again"
            )


def _check_hub_folder(dataset: Dataset, out: Path) -> None:
    if out.resolve() == dataset.files.root.resolve():
        raise InvalidInputError(
            f"{out}: this is the data set itself, which must not change; choose another folder"
        )
    if out.exists() and not out.is_dir():
        raise InvalidInputError(f"{out}: this is a file; choose an empty folder")
    if out.exists() and any(out.iterdir()) and not _is_hub_folder_of(out, dataset.manifest):
        raise InvalidInputError(f"{out}: the folder holds something else; choose an empty folder")


def _is_hub_folder_of(folder: Path, manifest: Manifest) -> bool:
    try:
        data = LocalStore(folder).read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
        if data is not None:
            text = data.decode("utf-8", "replace")
            return Manifest.from_json(text).fingerprint == manifest.fingerprint
    except (StoreError, IntegrityError):
        pass
    # Without a readable manifest: a layout that was interrupted before its last files.
    return (folder / ".gitattributes").exists()


def _link_or_copy(opened: BufferedReader, source: Path, target: Path) -> None:
    """Link an open file to another path, or copy it if that fails or its own path now names another file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = make_temporary_path(target)
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
        linked = os.path.samestat(temporary.lstat(), os.fstat(opened.fileno()))
    except OSError:
        linked = False
    if linked:
        temporary.replace(target)
    else:
        with open_atomic_file(target) as copy:
            shutil.copyfileobj(opened, copy, _CHUNK_BYTES)
    # rename does nothing if both paths are links to the same file, and then leaves the temporary one.
    temporary.unlink(missing_ok=True)


def _format_front_matter(manifest: Manifest) -> str:
    """Return the YAML that the hub reads at the head of a card. Its values are JSON, which is valid YAML."""
    num_digits = len(str(manifest.totals.images))
    size = _HUB_SIZE_CATEGORIES[min(len(_HUB_SIZE_CATEGORIES) - 1, max(0, num_digits - 3))]
    license_name = str(manifest.source.get("licence", "")).lower()
    is_known = license_name in ("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-sa-4.0")
    data = [{"split": _to_hub_split(split), "path": f"{split}/*.tar"} for split in manifest.splits]
    table = {
        "pretty_name": manifest.name,
        "license": license_name if is_known else "other",
        "size_categories": [size],
        "task_categories": ["image-feature-extraction"],
        "tags": ["3d", "equivariance", "self-supervised", "webdataset", "turntable"],
        "configs": [
            {"config_name": "views", "data_files": data, "default": True},
            {"config_name": "labels", "data_files": LABELS_TABLE_NAME},
        ],
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(["---", *lines, "---"])


def _to_hub_split(split: str) -> str:
    return {"val": "validation"}.get(split, split)
