"""The last step of generation: from committed shards to a finished data set."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import turntable
from turntable.datasets.conventions import conventions_of
from turntable.datasets.describing import (
    CARD_NAME,
    CROISSANT_NAME,
    SHEET_NAME,
    Provenance,
    card_text,
    contact_sheet,
    dataset_croissant,
    pixel_statistics,
)
from turntable.datasets.files import encode_jpeg, write_bytes, write_text
from turntable.datasets.fingerprint import fingerprint
from turntable.datasets.labels import EXTRAS, POINTS_MEANING, LabelArray
from turntable.datasets.manifest import Manifest, Totals, write_manifest
from turntable.datasets.objects import (
    QUARANTINE_NAME,
    SPLITS,
    TRAIN,
    WARNINGS_NAME,
    ObjectRecord,
    QuarantineRecord,
    quarantine_text,
)
from turntable.datasets.recipes import Recipe
from turntable.datasets.shards import (
    TABLE_NAME,
    OpenShard,
    ShardRecord,
    TableContext,
    local_shards,
    write_table,
)
from turntable.datasets.split import Split
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
    open_shard: OpenShard | None = None,
) -> Manifest:
    """Write what stands beside the shards: table, lists, card, croissant, sheet, and the manifest last.

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
        open_shard: where the shards lie elsewhere than in the folder.

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
    open_shard = open_shard or local_shards(folder)
    left_out, warned = tuple(quarantine), tuple(warnings)
    objects, mark = _read_shards(recipe, ordered, open_shard)
    bare = _manifest(
        recipe, ordered, objects, mark, len(left_out), camera=camera, device=device, source=source
    )
    manifest = _with_statistics(bare, open_shard)
    write_table(folder / TABLE_NAME, ordered, open_shard, table_context(manifest))
    write_text(folder / QUARANTINE_NAME, quarantine_text(left_out))
    write_text(folder / WARNINGS_NAME, quarantine_text(warned))
    write_text(folder / CARD_NAME, card_text(manifest, _provenance(manifest, objects, warned)))
    _write_contact_sheet(folder, manifest, open_shard)
    write_text(folder / CROISSANT_NAME, dataset_croissant(folder, manifest))
    write_manifest(folder, manifest)
    return manifest


def table_context(manifest: Manifest) -> TableContext:
    """What a data set's table says of all shards alike."""
    return TableContext(manifest.schema, manifest.categories, str(manifest.source.get("licence", "")))


def _manifest(
    recipe: Recipe,
    shards: Sequence[ShardRecord],
    objects: Sequence[ObjectRecord],
    mark: str,
    quarantined: int,
    *,
    camera: Mapping[str, Any],
    device: Mapping[str, Any],
    source: Mapping[str, Any],
) -> Manifest:
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
        categories=tuple(sorted({item.category for item in objects})),
        views=recipe.views,
        image_size_px=recipe.image_size_px,
        jpeg_quality=recipe.jpeg_quality,
        jpeg_subsampling=recipe.jpeg_subsampling,
        channel_order=recipe.channel_order,
        factors=recipe.factors,
        shuffle_seed=recipe.split_seed,
        conventions=conventions_of(recipe) | _stated(recipe),
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


def _read_shards(
    recipe: Recipe, shards: Iterable[ShardRecord], open_shard: OpenShard
) -> tuple[list[ObjectRecord], str]:
    """All objects in order, and the fingerprint."""
    objects: list[ObjectRecord] = []
    labels: list[LabelArray] = []
    for shard in shards:
        with open_shard(shard) as reader:
            objects += reader.records()
            labels.append(reader.latents)
    return objects, fingerprint(recipe.digest, objects, labels)


def _provenance(
    manifest: Manifest, objects: Iterable[ObjectRecord], warned: Sequence[QuarantineRecord]
) -> Provenance:
    common = str(manifest.source.get("licence", ""))
    licences = Counter(item.licence or common for item in objects)
    return Provenance(licences, len({record.object for record in warned}), len(warned))


def _write_contact_sheet(folder: Path, manifest: Manifest, open_shard: OpenShard) -> None:
    with Split(manifest, manifest.splits[0], open_shard) as split:
        write_bytes(folder / SHEET_NAME, encode_jpeg(contact_sheet(split), quality=90))


def _with_statistics(manifest: Manifest, open_shard: OpenShard) -> Manifest:
    """The manifest with mean and spread of the training views; as it is where there are none."""
    if TRAIN not in manifest.splits:
        return manifest
    with Split(manifest, TRAIN, open_shard) as split:
        mean, std = pixel_statistics(split)
    return replace(manifest, pixel_mean=mean, pixel_std=std)
