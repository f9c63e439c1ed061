"""Export of a data set to the published folder layout, on which the original training code runs unchanged.

An object's folder is filled under a hidden name and renamed when it is complete. The lists of the splits
come last. If an export is killed, the same call resumes it.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from turntable.choices import ChannelOrder
from turntable.datasets.convert.export_record import EXPORT_NAME, ExportRecord, read_export_record
from turntable.datasets.convert.folder_layout import (
    make_image_name,
    make_latent_name,
    make_object_path,
    select_published_columns,
)
from turntable.datasets.dataset import Dataset, open_dataset
from turntable.datasets.files import (
    TEMPORARY_SUFFIX,
    FolderFiles,
    convert_disk_full_error,
    decode_jpeg,
    encode_jpeg,
    encode_npy,
    open_atomic_file,
    write_text,
)
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards import ShardReader, ShardRecord
from turntable.datasets.split import open_checked_shard
from turntable.datasets.writing import hold_lock
from turntable.errors import InvalidInputError
from turntable.home import expand_home

LOCK_NAME = "export.lock"

ProgressCallback = Callable[[int, int], None]
"""A function called with the number of objects done and the number of all objects."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The number of objects and images in an exported folder, with notes on what was not exported."""

    num_objects: int
    num_images: int
    num_resumed: int
    """Number of objects that an earlier call had written."""
    notes: tuple[str, ...] = ()
    """Remarks on parts of the data set that the published layout cannot hold."""


@dataclass(frozen=True, slots=True)
class _ExportSetup:
    """The settings of an export that are the same for every object."""

    out: Path
    columns: Sequence[int]
    """Columns of the labels, in the published order."""
    manifest: Manifest
    swap_channels: bool
    """True to exchange red and blue, which means encoding each picture again."""


def export_folder(
    path_or_url: str | Path,
    out: str | Path,
    *,
    channel_order: ChannelOrder | None = None,
    num_threads: int | None = None,
    progress: ProgressCallback | None = None,
    links_under: Sequence[str | Path] = (),
) -> ExportResult:
    """Write a data set in the layout in which 3DIEBench is published.

    Args:
        path_or_url: The data set, in any place that ``open_dataset`` reads.
        out: Folder for ``{synset}/{id}/image_{view}.jpg`` and ``latent_{view}.npy`` (float64: rotation x, y,
            z, floor hue, light theta, phi and hue, and translation x, y, z if the labels have it), then
            ``train_images.npy``, ``train_labels.npy`` and the same for "val", and ``export.json``, which
            tells an import the rest. It must be empty, or hold the same export begun earlier.
        channel_order: Channel order of the exported pictures. By default they are copied byte for byte. An
            order other than the data set's encodes them again at the data set's quality.
        num_threads: Number of threads that write; by default one for each core.
        progress: Function called after each object.
        links_under: Folders into which symbolic links of the data set may lead, besides its own folder and
            the hub's cache.

    Raises:
        InvalidInputError: The labels lack a column of that layout or have others, or ``out`` holds something
            else.
        IntegrityError: A shard is damaged.
        TurntableError: The disk is full.
    """
    dataset, target = open_dataset(path_or_url, links_under=links_under), expand_home(out)
    manifest = dataset.manifest
    swap_channels = channel_order is not None and channel_order != manifest.channel_order
    setup = _ExportSetup(target, select_published_columns(manifest.schema), manifest, swap_channels)
    target.mkdir(parents=True, exist_ok=True)
    with hold_lock(target / LOCK_NAME):
        _claim_folder(
            target, ExportRecord.from_manifest(manifest, _list_objects(dataset), exchange=swap_channels)
        )
        num_resumed = _export_shards(dataset, setup, num_threads, progress)
        # One flush for all files: flushing each of the two files of a view takes longer than writing them.
        os.sync()
        for name in dataset.splits:
            with dataset.open_split(name) as split:
                _write_lists(target, name, split.objects, split.category_indices)
    totals = manifest.totals
    return ExportResult(totals.objects, totals.images, num_resumed, tuple(_iter_notes(manifest)))


def _list_objects(dataset: Dataset) -> list[ObjectRecord]:
    objects: list[ObjectRecord] = []
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            objects += split.objects
    return objects


def _claim_folder(out: Path, record: ExportRecord) -> None:
    """Mark a folder as this export's, or check that an earlier call has marked it.

    Raises:
        InvalidInputError: The folder holds something else.
    """
    earlier = read_export_record(FolderFiles(out))
    if earlier is not None:
        if not record.is_same_export(earlier):
            raise InvalidInputError(
                f"{out} holds an export of another data set, or one with another --channel-order; "
                "choose another --out"
            )
    elif any(item.name != LOCK_NAME for item in out.iterdir()):
        raise InvalidInputError(
            f"{out} is not empty and does not hold an unfinished export; choose another --out"
        )
    write_text(out / EXPORT_NAME, record.to_text())


def _export_shards(
    dataset: Dataset, setup: _ExportSetup, num_threads: int | None, progress: ProgressCallback | None
) -> int:
    """Write every object; return the number of those that were there already."""
    num_resumed = num_done = 0
    with ThreadPoolExecutor(num_threads or os.cpu_count() or 1) as pool:
        for shard in dataset.manifest.shards:
            with open_checked_shard(dataset.manifest, shard, dataset.location.open_shard) as reader:
                export = partial(_export_object, setup, shard, reader)
                for was_there in pool.map(export, range(shard.objects)):
                    num_resumed += was_there
                    num_done += 1
                    if progress is not None:
                        progress(num_done, dataset.manifest.totals.objects)
    return num_resumed


def _export_object(setup: _ExportSetup, shard: ShardRecord, reader: ShardReader, row: int) -> bool:
    """Write one object; return True if an earlier call had written it."""
    final = setup.out / make_object_path(reader.read_record(row))
    latents = reader.labels[row][:, setup.columns].astype(np.float64)
    if _is_complete(final, latents):
        return True
    temporary = final.with_name(f".{final.name}{TEMPORARY_SUFFIX}")
    for leftover in (temporary, final):
        if leftover.exists():
            shutil.rmtree(leftover)
    temporary.mkdir(parents=True)
    with convert_disk_full_error(final):
        for view in range(shard.views):
            (temporary / make_image_name(view)).write_bytes(
                _convert_image(setup, reader.read_jpeg(row, view))
            )
            (temporary / make_latent_name(view)).write_bytes(encode_npy(latents[view]))
        temporary.rename(final)
    return False


def _convert_image(setup: _ExportSetup, data: bytes) -> bytes:
    if not setup.swap_channels:
        return data
    swapped = np.ascontiguousarray(decode_jpeg(data)[..., ::-1])
    return encode_jpeg(swapped, setup.manifest.jpeg_quality, setup.manifest.jpeg_subsampling)


def _is_complete(path: Path, latents: np.ndarray) -> bool:
    """Return True if a folder holds all views, none of them truncated (by a power failure, say)."""
    try:
        for view, latent in enumerate(latents):
            if (path / make_latent_name(view)).read_bytes() != encode_npy(latent):
                return False
            with (path / make_image_name(view)).open("rb") as file:
                file.seek(-2, os.SEEK_END)
                if file.read() != b"\xff\xd9":  # the marker at the end of every JPEG file
                    return False
    except OSError:
        return False
    return True


def _write_lists(out: Path, split: str, objects: Iterable[ObjectRecord], categories: np.ndarray) -> None:
    names = np.array([f"/{make_object_path(record)}" for record in objects])
    for suffix, array in (("images", names), ("labels", categories.astype(np.int64))):
        with open_atomic_file(out / f"{split}_{suffix}.npy") as file:
            np.save(file, array, allow_pickle=False)


def _iter_notes(manifest: Manifest) -> Iterable[str]:
    skipped = [name for name in manifest.outputs if name != "rgb"] + (["points"] if manifest.points else [])
    skipped += ["part_pose"] * (manifest.max_parts > 0) + ["joint_values"] * (manifest.max_joints > 0)
    if skipped:
        yield f"{', '.join(skipped)}: not written, since the published layout has no place for them"
