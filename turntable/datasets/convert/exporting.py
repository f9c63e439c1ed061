"""Shards into the published layout of loose files, on which the original training code runs as it is.

An object's folder is filled under a hidden name and renamed when it is whole; the lists of the splits come
last. A killed export goes on with the same call.
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
from turntable.datasets.convert.layout import image_name, latent_name, object_path, published_columns
from turntable.datasets.dataset import Dataset, confined, open_folder
from turntable.datasets.files import (
    TEMPORARY_SUFFIX,
    atomic_file,
    canonical_json,
    clear_disk_errors,
    decode_jpeg,
    encode_jpeg,
    npy_bytes,
    write_text,
)
from turntable.datasets.making import only_writer
from turntable.datasets.manifest import Manifest
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.shards import ShardReader, ShardRecord
from turntable.datasets.split import open_as_stated
from turntable.errors import InvalidInputError

PLAN_NAME = "export.json"
LOCK_NAME = "export.lock"

Progress = Callable[[int, int], None]
"""Called with objects done and objects in all."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What lies in the folder now."""

    objects: int
    images: int
    resumed: int
    """Objects an earlier call had written."""
    notes: tuple[str, ...] = ()
    """What of the data set has no place in that layout."""


@dataclass(frozen=True, slots=True)
class _ExportSetup:
    """The settings of an export that are the same for every object."""

    out: Path
    columns: Sequence[int]
    """Of our labels, in the published order."""
    manifest: Manifest
    exchange: bool
    """Red and blue, which takes encoding each picture anew."""


def export_folder(
    folder: str | Path,
    out: str | Path,
    *,
    channel_order: ChannelOrder | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    links_under: Sequence[str | Path] = (),
) -> Exported:
    """Write a data set in the layout in which 3DIEBench is published.

    Args:
        folder: of the data set.
        out: gets ``{synset}/{id}/image_{view}.jpg`` and ``latent_{view}.npy`` (float64: rotation x, y, z,
            floor hue, light theta, phi and hue, and translation x, y, z where the labels have it), then
            ``train_images.npy``, ``train_labels.npy`` and the same for "val". It must be empty, or of the
            same export begun earlier.
        channel_order: of the pictures; by default they are copied byte for byte. Another one than the data
            set's encodes them anew at its own quality.
        threads: that write; one a core by default.
        progress: called after each object.
        links_under: folders into which links of the data set may lead, beside its own and the hub's cache.

    Raises:
        InvalidInputError: the labels lack a column of that layout or have others; or ``out`` holds something
            else.
        IntegrityError: a shard is damaged.
        TurntableError: the disk is full.
    """
    dataset, target = open_folder(confined(folder, links_under)), Path(out)
    manifest = dataset.manifest
    exchange = channel_order is not None and channel_order != manifest.channel_order
    setup = _ExportSetup(target, published_columns(manifest.schema), manifest, exchange)
    target.mkdir(parents=True, exist_ok=True)
    with only_writer(target / LOCK_NAME):
        _claim(target, manifest, exchange)
        resumed = _export_shards(dataset, setup, threads, progress)
        # Once for all files: a flush for each of two files a view would take longer than writing them.
        os.sync()
        for name in dataset.splits:
            with dataset.split(name) as split:
                _write_lists(target, name, split.objects, split.categories)
    totals = manifest.totals
    return Exported(totals.objects, totals.images, resumed, tuple(_notes(manifest)))


def _claim(out: Path, manifest: Manifest, exchange: bool) -> None:
    text = canonical_json({"fingerprint": manifest.fingerprint, "exchange": exchange}) + "\n"
    path = out / PLAN_NAME
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise InvalidInputError(
                f"{out} holds an export of another data set or with another --channel-order; "
                "choose another --out"
            )
    elif any(item.name != LOCK_NAME for item in out.iterdir()):
        raise InvalidInputError(f"{out} is not empty and holds no export in the making; choose another --out")
    else:
        write_text(path, text)


def _export_shards(
    dataset: Dataset, setup: _ExportSetup, threads: int | None, progress: Progress | None
) -> int:
    """Write every object; how many were there already."""
    resumed = done = 0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for shard in dataset.manifest.shards:
            with open_as_stated(dataset.manifest, shard, dataset.where.open) as reader:
                for was_there in pool.map(
                    partial(_export_object, setup, shard, reader), range(shard.objects)
                ):
                    resumed += was_there
                    done += 1
                    if progress is not None:
                        progress(done, dataset.manifest.totals.objects)
    return resumed


def _export_object(setup: _ExportSetup, shard: ShardRecord, reader: ShardReader, row: int) -> bool:
    """Write one object; whether an earlier call had."""
    final = setup.out / object_path(reader.record(row))
    latents = reader.latents[row][:, setup.columns].astype(np.float64)
    if _is_whole(final, latents):
        return True
    temporary = final.with_name(f".{final.name}{TEMPORARY_SUFFIX}")
    for leftover in (temporary, final):
        if leftover.exists():
            shutil.rmtree(leftover)
    temporary.mkdir(parents=True)
    with clear_disk_errors(final):
        for view in range(shard.views):
            (temporary / image_name(view)).write_bytes(_picture(setup, reader.read(row, view)))
            (temporary / latent_name(view)).write_bytes(npy_bytes(latents[view]))
        temporary.rename(final)
    return False


def _picture(setup: _ExportSetup, data: bytes) -> bytes:
    if not setup.exchange:
        return data
    exchanged = np.ascontiguousarray(decode_jpeg(data)[..., ::-1])
    return encode_jpeg(exchanged, setup.manifest.jpeg_quality, setup.manifest.jpeg_subsampling)


def _is_whole(path: Path, latents: np.ndarray) -> bool:
    """Whether a folder holds all views, none of them cut by a machine that lost its power."""
    try:
        for view, latent in enumerate(latents):
            if (path / latent_name(view)).read_bytes() != npy_bytes(latent):
                return False
            with (path / image_name(view)).open("rb") as file:
                file.seek(-2, os.SEEK_END)
                if file.read() != b"\xff\xd9":  # a JPEG's end
                    return False
    except OSError:
        return False
    return True


def _write_lists(out: Path, split: str, objects: Iterable[ObjectRecord], categories: np.ndarray) -> None:
    names = np.array([f"/{object_path(record)}" for record in objects])
    for what, array in (("images", names), ("labels", categories.astype(np.int64))):
        with atomic_file(out / f"{split}_{what}.npy") as file:
            np.save(file, array, allow_pickle=False)


def _notes(manifest: Manifest) -> Iterable[str]:
    further = [name for name in manifest.outputs if name != "rgb"] + (["points"] if manifest.points else [])
    if further:
        yield f"{', '.join(further)}: not written, since the published layout has no place for them"
