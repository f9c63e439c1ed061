"""The last step of making a data set: from committed shards to a finished data set."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import turntable
from turntable.datasets.describing import (
    CARD_NAME,
    CROISSANT_NAME,
    SHEET_NAME,
    Provenance,
    build_contact_sheet,
    build_dataset_croissant,
    compute_molecule_statistics,
    compute_pixel_statistics,
    format_card,
)
from turntable.datasets.draws import compute_symmetry_degrees
from turntable.datasets.files import encode_jpeg, write_bytes, write_text
from turntable.datasets.fingerprint import compute_fingerprint
from turntable.datasets.labels import (
    EXTRA_OUTPUTS,
    FIRST_ARRAYS,
    OBJECT_ARRAYS,
    VIEW_ARRAYS,
    LabelArray,
)
from turntable.datasets.manifest import Manifest, Totals, write_manifest
from turntable.datasets.manifest_conventions import describe_conventions
from turntable.datasets.objects import (
    QUARANTINE_NAME,
    SPLITS,
    TRAIN,
    WARNINGS_NAME,
    ObjectRecord,
    PartSummary,
    QuarantineRecord,
    WarningRecord,
    count_by_kind,
    count_warned_objects,
    format_quarantine,
    format_warnings,
    summarize_parts,
)
from turntable.datasets.recipes import Recipe
from turntable.datasets.shards import (
    LABELS_TABLE_NAME,
    ShardOpener,
    ShardRecord,
    TableContext,
    decode_texts,
    make_folder_opener,
    write_labels_parquet,
)
from turntable.datasets.split import Split
from turntable.errors import InvalidInputError, format_text

_MAX_REASONS = 5
"""Largest number of reasons that a message names."""


def finish_dataset(
    folder: Path,
    recipe: Recipe,
    shards: Iterable[ShardRecord],
    quarantine: Iterable[QuarantineRecord] = (),
    *,
    warnings: Iterable[WarningRecord] = (),
    kind_meanings: Mapping[str, str] | None = None,
    camera: Mapping[str, Any],
    device: Mapping[str, Any],
    source: Mapping[str, Any],
    split_text: str = "",
    open_shard: ShardOpener | None = None,
) -> Manifest:
    """Write the files beside the shards: table, lists, card, croissant, contact sheet, and the manifest last.

    The files depend on the arguments and the shards alone, so a second call changes no byte.

    Args:
        folder: Folder of the data set, with shards committed as ``<split>/<name>.tar``.
        recipe: Recipe of the data set.
        shards: Shards in any order.
        quarantine: Objects left out, in any order.
        warnings: Warnings about the objects that were kept and about their folder, in any order.
        kind_meanings: Meaning of each kind of warning, for the card.
        camera: Numbers of the renderer's camera, ready for JSON.
        device: Device that made the pixels: backend, GL vendor, renderer, driver.
        source: Source of the meshes: name and license.
        split_text: Text for the manifest on how the objects were divided into splits.
        open_shard: Function that opens a shard; None if the shards are in the folder.

    Returns:
        The manifest as written.

    Raises:
        InvalidInputError: There is no shard, because every object was left out.
        IntegrityError: A shard is not as it was committed.
    """
    ordered = sorted(shards, key=lambda shard: (SPLITS.index(shard.split), shard.name))
    left_out, warned = tuple(quarantine), tuple(warnings)
    if not ordered:
        raise _make_empty_error(folder, left_out)
    open_shard = open_shard or make_folder_opener(folder)
    objects, arrays, fingerprint = _read_shards(recipe, ordered, open_shard)
    manifest = _build_manifest(
        recipe,
        ordered,
        objects,
        arrays,
        fingerprint,
        len(left_out),
        camera=camera,
        device=device,
        source=source,
        split_text=split_text,
    )
    manifest = _add_statistics(manifest, open_shard)
    write_labels_parquet(folder / LABELS_TABLE_NAME, ordered, open_shard, make_table_context(manifest))
    write_text(folder / QUARANTINE_NAME, format_quarantine(left_out))
    write_text(folder / WARNINGS_NAME, format_warnings(warned))
    provenance = _build_provenance(manifest, objects, warned, kind_meanings or {})
    write_text(folder / CARD_NAME, format_card(manifest, provenance))
    _write_contact_sheet(folder, manifest, open_shard)
    write_text(folder / CROISSANT_NAME, build_dataset_croissant(folder, manifest))
    write_manifest(folder, manifest)
    return manifest


def _make_empty_error(folder: Path, left_out: Sequence[QuarantineRecord]) -> InvalidInputError:
    """Write the list of the objects that were left out, and return the error that all of them were."""
    if left_out:
        write_text(folder / QUARANTINE_NAME, format_quarantine(left_out))
    first = {item.reason: item for item in reversed(left_out)}
    counts = Counter(item.reason for item in left_out).most_common(_MAX_REASONS)
    reasons = (
        f"{format_text(reason)}: {count:,} ({format_text(first[reason].detail, 300)})"
        for reason, count in counts
    )
    return InvalidInputError(
        f"{folder}: there is nothing to finish: no shard was written, since every object was left out; "
        f"{QUARANTINE_NAME} there names each with its reason: {'; '.join(reasons) or 'there is none'}"
    )


def make_table_context(manifest: Manifest) -> TableContext:
    """Return the values of a data set's table that all of its shards share."""
    return TableContext(manifest.schema, manifest.categories, str(manifest.source.get("licence", "")))


def _build_manifest(
    recipe: Recipe,
    shards: Sequence[ShardRecord],
    objects: Sequence[ObjectRecord],
    arrays: Sequence[str],
    fingerprint: str,
    quarantined: int,
    *,
    camera: Mapping[str, Any],
    device: Mapping[str, Any],
    source: Mapping[str, Any],
    split_text: str,
) -> Manifest:
    summary = summarize_parts(objects)
    return Manifest(
        name=recipe.name,
        recipe=recipe.to_dict(),
        recipe_digest=recipe.digest,
        label_digest=recipe.label_digest,
        fingerprint=fingerprint,
        splits=tuple(split for split in SPLITS if any(shard.split == split for shard in shards)),
        shards=tuple(shards),
        totals=compute_totals(shards),
        quarantined=quarantined,
        categories=tuple(sorted({item.category for item in objects})),
        views=recipe.views,
        image_size_px=recipe.image_size_px,
        jpeg_quality=recipe.jpeg_quality,
        jpeg_subsampling=recipe.jpeg_subsampling,
        channel_order=recipe.channel_order,
        factors=recipe.factors,
        shuffle_seed=recipe.split_seed,
        conventions=describe_conventions(recipe, split_text)
        | _describe_outputs(recipe)
        | _describe_arrays(recipe, summary, arrays),
        camera=dict(camera),
        device=dict(device),
        source=dict(source),
        generator_version=turntable.__version__,
        outputs=recipe.outputs,
        points=recipe.points,
        part_categories=summary.part_categories,
        max_parts=summary.max_parts,
        max_joints=summary.max_joints,
        arrays=tuple(arrays),
        array_sizes=_find_largest_sizes(objects),
        symmetry_degrees=compute_symmetry_degrees(recipe),
    )


def _describe_outputs(recipe: Recipe) -> dict[str, str]:
    """Return the texts on the encodings of the outputs besides the picture."""
    forms = EXTRA_OUTPUTS | VIEW_ARRAYS
    return {name: forms[name].meaning for name in recipe.outputs if name in forms}


def _describe_arrays(recipe: Recipe, summary: PartSummary, arrays: Sequence[str]) -> dict[str, str]:
    """Return the texts on the arrays of objects, as far as there are any."""
    present = {"points": recipe.points, "part_pose": summary.max_parts, "joint_values": summary.max_joints}
    names = [name for name in FIRST_ARRAYS if present[name]]
    return {name: OBJECT_ARRAYS[name].meaning for name in (*names, *arrays)}


def _find_largest_sizes(objects: Iterable[ObjectRecord]) -> dict[str, int]:
    """Return the largest size of each named axis of the objects' arrays, sorted by name."""
    largest: dict[str, int] = {}
    for item in objects:
        for axis, size in item.array_sizes.items():
            largest[axis] = max(size, largest.get(axis, 0))
    return dict(sorted(largest.items()))


def compute_totals(shards: Iterable[ShardRecord]) -> Totals:
    """Compute sums over shards."""
    rows = [(shard.objects, shard.objects * shard.views, shard.bytes) for shard in shards]
    num_objects, num_images, num_bytes = (sum(column) for column in zip(*rows, strict=True))
    return Totals(num_objects, num_images, num_bytes)


def _read_shards(
    recipe: Recipe, shards: Iterable[ShardRecord], open_shard: ShardOpener
) -> tuple[list[ObjectRecord], list[str], str]:
    """Read all objects in order and the names of their arrays, and compute the fingerprint."""
    objects: list[ObjectRecord] = []
    arrays: set[str] = set()
    labels: list[LabelArray] = []
    for shard in shards:
        with open_shard(shard) as reader:
            objects += reader.read_records()
            arrays.update(decode_texts(reader.index.arrays))
            labels.append(reader.labels)
    return objects, sorted(arrays), compute_fingerprint(recipe.digest, objects, labels)


def _build_provenance(
    manifest: Manifest,
    objects: Iterable[ObjectRecord],
    warned: Sequence[WarningRecord],
    kind_meanings: Mapping[str, str],
) -> Provenance:
    source_license = str(manifest.source.get("licence", ""))
    licenses = Counter(item.licence or source_license for item in objects)
    return Provenance(licenses, count_warned_objects(warned), count_by_kind(warned), kind_meanings)


def _write_contact_sheet(folder: Path, manifest: Manifest, open_shard: ShardOpener) -> None:
    if not manifest.has_pictures:
        return
    with Split(manifest, manifest.splits[0], open_shard) as split:
        write_bytes(folder / SHEET_NAME, encode_jpeg(build_contact_sheet(split), quality=90))


def _add_statistics(manifest: Manifest, open_shard: ShardOpener) -> Manifest:
    """Return the manifest with statistics of the training split, if there is one: pictures and molecules."""
    if TRAIN not in manifest.splits:
        return manifest
    with Split(manifest, TRAIN, open_shard) as split:
        if manifest.has_pictures:
            mean, std = compute_pixel_statistics(split)
            manifest = replace(manifest, pixel_mean=mean, pixel_std=std)
        if "atom_positions" in manifest.arrays:
            manifest = replace(manifest, molecule_statistics=compute_molecule_statistics(split))
    return manifest
