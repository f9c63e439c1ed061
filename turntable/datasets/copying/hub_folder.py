"""A data set laid out as the Hugging Face hub expects it, ready to be uploaded."""

import json
import os
import shutil
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

from turntable.datasets.copying.sources import FolderCopySource
from turntable.datasets.dataset import Dataset, make_folder_files, open_local_dataset
from turntable.datasets.describing import CARD_NAME
from turntable.datasets.files import (
    MAX_MANIFEST_BYTES,
    make_temporary_path,
    open_atomic_file,
    write_bytes,
    write_text,
)
from turntable.datasets.manifest import MANIFEST_NAME, Manifest
from turntable.datasets.shards import INDEX_SUFFIX, LABELS_TABLE_NAME, SHARD_SUFFIX
from turntable.datasets.stores import LocalStore
from turntable.errors import IntegrityError, InvalidInputError, StoreError
from turntable.home import expand_home

_LFS_SUFFIXES = (SHARD_SUFFIX, INDEX_SUFFIX, ".parquet", ".jpg")
"""Suffixes of the files that the hub's git repository stores with Git LFS."""
_MAX_CARD_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_HUB_SIZE_CATEGORIES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "n>100M")
"""The hub's categories of numbers of images: below 1e3, below 1e4 and so on."""


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
        links_under: Folders into which symbolic links may lead, as for :func:`turntable.datasets.publish`.

    Returns:
        ``out``.

    Raises:
        IntegrityError: A file is not what was written, or a link leads elsewhere.
        InvalidInputError: ``out`` holds something else, or is the data set itself.
    """
    dataset, target = open_local_dataset(make_folder_files(folder, links_under)), expand_home(out)
    _check_hub_folder(dataset, target)
    source = FolderCopySource(dataset)
    for file in [*source.list_files(), source.describe_manifest()]:
        with source.open_checked(file) as opened:
            if file.name != CARD_NAME:
                _link_or_copy(opened, dataset.files.root / file.name, target / file.name)
    card = dataset.files.read(CARD_NAME, _MAX_CARD_BYTES) or b""
    write_bytes(target / CARD_NAME, f"{_format_front_matter(dataset.manifest)}\n".encode() + card)
    attributes = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in _LFS_SUFFIXES)
    write_text(target / ".gitattributes", attributes)
    return target


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
