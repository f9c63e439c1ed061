"""The last step of generation: from committed shards to a finished data set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import turntable
from turntable.datasets.card import CARD_NAME, card_text
from turntable.datasets.contact_sheet import SHEET_NAME, contact_sheet
from turntable.datasets.conventions import CONVENTIONS
from turntable.datasets.dataset import Split
from turntable.datasets.fingerprint import fingerprint
from turntable.datasets.manifest import Manifest, Totals, write_manifest
from turntable.datasets.objects import SPLITS, TRAIN
from turntable.datasets.outputs import EXTRAS, POINTS_MEANING
from turntable.datasets.pixels import encode_jpeg
from turntable.datasets.quarantine import (
    QUARANTINE_NAME,
    WARNINGS_NAME,
    QuarantineRecord,
    quarantine_text,
)
from turntable.datasets.recipe import Recipe
from turntable.datasets.shard_reader import ShardReader
from turntable.datasets.shard_writer import SHARD_SUFFIX, ShardRecord
from turntable.datasets.statistics import pixel_statistics
from turntable.datasets.storage import write_bytes, write_text
from turntable.datasets.table import TABLE_NAME, write_table
from turntable.errors import InvalidInputError


def finish_dataset(
    folder: Path,
    recipe: Recipe,
    shards: Iterable[ShardRecord],
    quarantine: Iterable[QuarantineRecord] = (),
    *,
    warnings: Iterable[QuarantineRecord] = (),
    camera: Mapping[str, Any],
    device: Mapping[str, Any],
    source: Mapping[str, Any],
) -> Manifest:
    """Write labels.parquet, the lists of objects left out and warned of, card, contact sheet, manifest last.

    What is written depends on the arguments and the shards alone, so doing it again changes no byte.

    Args:
        folder: of the data set; its shards are committed in ``<split>/<name>.tar``.
        recipe: they were rendered from.
        shards: in any order.
        quarantine: objects left out, in any order.
        warnings: objects kept though something was missing, in any order.
        camera: numbers of the renderer, ready for JSON.
        device: what made the pixels: backend, GL vendor, renderer, driver.
        source: of the meshes: name, licence.

    Returns:
        The manifest as written.

    Raises:
        InvalidInputError: there is no shard: every object was left out.
        IntegrityError: a shard is not as it was committed.
    """
    ordered = sorted(shards, key=lambda shard: (SPLITS.index(shard.split), shard.name))
    if not ordered:
        raise InvalidInputError(
            f"{folder}: nothing to finish: no shard was written, every object was left out"
        )
    left_out = tuple(quarantine)
    paths = [folder / shard.split / f"{shard.name}{SHARD_SUFFIX}" for shard in ordered]
    manifest = _with_statistics(
        folder,
        _manifest(recipe, ordered, paths, len(left_out), camera=camera, device=device, source=source),
    )
    write_table(folder / TABLE_NAME, paths, manifest.schema, manifest.categories)
    write_text(folder / QUARANTINE_NAME, quarantine_text(left_out))
    write_text(folder / WARNINGS_NAME, quarantine_text(warnings))
    write_text(folder / CARD_NAME, card_text(manifest))
    _write_contact_sheet(folder, manifest)
    write_manifest(folder, manifest)
    return manifest


def _manifest(
    recipe: Recipe,
    shards: Sequence[ShardRecord],
    paths: Sequence[Path],
    quarantined: int,
    *,
    camera: Mapping[str, Any],
    device: Mapping[str, Any],
    source: Mapping[str, Any],
) -> Manifest:
    categories, mark = _read_shards(recipe, paths)
    return Manifest(
        name=recipe.name,
        recipe=recipe.to_dict(),
        recipe_digest=recipe.digest,
        label_digest=recipe.label_digest,
        fingerprint=mark,
        splits=tuple(split for split in SPLITS if any(shard.split == split for shard in shards)),
        shards=tuple(shards),
        totals=totals_of(shards),
        quarantined=quarantined,
        categories=categories,
        views=recipe.views,
        image_size_px=recipe.image_size_px,
        jpeg_quality=recipe.jpeg_quality,
        jpeg_subsampling=recipe.jpeg_subsampling,
        channel_order=recipe.channel_order,
        factors=recipe.factors,
        shuffle_seed=recipe.split_seed,
        conventions=CONVENTIONS | _stated(recipe),
        camera=dict(camera),
        device=dict(device),
        source=dict(source),
        generator_version=turntable.__version__,
        outputs=recipe.outputs,
        points=recipe.points,
    )


def _stated(recipe: Recipe) -> dict[str, str]:
    """How what is kept besides the pictures is encoded."""
    kept = {name: EXTRAS[name].meaning for name in recipe.outputs if name in EXTRAS}
    return kept | ({"points": POINTS_MEANING} if recipe.points else {})


def totals_of(shards: Iterable[ShardRecord]) -> Totals:
    """Sums over shards."""
    rows = [(shard.objects, shard.objects * shard.views, shard.bytes) for shard in shards]
    objects, images, size = (sum(column) for column in zip(*rows, strict=True))
    return Totals(objects, images, size)


def _read_shards(recipe: Recipe, paths: Sequence[Path]) -> tuple[tuple[str, ...], str]:
    """The sorted categories, and the fingerprint."""
    objects, labels = [], []
    for path in paths:
        with ShardReader(path) as reader:
            objects += reader.records()
            labels.append(reader.latents)
    categories = tuple(sorted({item.category for item in objects}))
    return categories, fingerprint(recipe.digest, objects, labels)


def _write_contact_sheet(folder: Path, manifest: Manifest) -> None:
    with Split(folder, manifest, manifest.splits[0]) as split:
        write_bytes(folder / SHEET_NAME, encode_jpeg(contact_sheet(split), quality=90))


def _with_statistics(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest with mean and spread of the training views; as it is where there are none."""
    if TRAIN not in manifest.splits:
        return manifest
    with Split(folder, manifest, TRAIN) as split:
        mean, std = pixel_statistics(split)
    return replace(manifest, pixel_mean=mean, pixel_std=std)
