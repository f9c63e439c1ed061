"""The contents of the JSON responses: data sets, histograms, objects, views with their labels, and pairs."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Manifest, Split
from turntable.errors import IntegrityError, InvalidInputError
from turntable.geometry import compute_relative_quaternion
from turntable.loaders import Pairs, select_all_views
from turntable.service.assemblies import list_part_lines, list_part_overlays, read_assembly
from turntable.service.catalog import CatalogEntry
from turntable.service.overlays import compute_overlay
from turntable.service.schemas import (
    DatasetDescription,
    FactorHistogram,
    Label,
    ObjectLine,
    ObjectsPage,
    ObjectViews,
    Pair,
    ViewLine,
    ViewsPage,
)

NUM_BINS = 32
"""Number of bins of a factor's histogram."""
MAX_LISTED = 1000
"""Largest number of objects or views in one response."""


def describe_dataset(entry: CatalogEntry) -> DatasetDescription:
    """Return the description of a data set that its page shows."""
    manifest = entry.dataset.manifest
    return {
        **entry.summarize(),
        "quarantined": manifest.quarantined,
        "source": manifest.source,
        "conventions": manifest.conventions,
        "camera": manifest.camera,
        "shards": len(manifest.shards),
        "classes": count_categories(entry),
    }


def get_sequence_length(manifest: Manifest) -> int:
    """Return the number of views that follow one another; 0 if the views are no sequences.

    The recipe in a manifest may come from anyone, and not be one.
    """
    sequence = manifest.recipe.get("sequence")
    length = sequence.get("length") if isinstance(sequence, dict) else None
    return length if type(length) is int and 0 < length <= manifest.views else 0


def count_categories(entry: CatalogEntry) -> dict[str, dict[str, int]]:
    """Return the number of objects of each category in each split."""
    names, counts = entry.dataset.manifest.categories, dict[str, dict[str, int]]()
    for split, opened in entry.splits.items():
        num_objects = np.bincount(opened.category_indices, minlength=len(names)).tolist()
        counts[split] = dict(zip(names, num_objects, strict=True))
    return counts


def compute_histograms(entry: CatalogEntry) -> list[FactorHistogram]:
    """Return the histogram of each factor over all views of all splits, with its unit and range.

    Raises:
        IntegrityError: A label is not a finite number.
    """
    labels = np.concatenate(
        [opened.labels.reshape(-1, len(entry.dataset.manifest.factors)) for opened in entry.splits.values()]
    )
    if not np.isfinite(labels).all():
        raise IntegrityError(
            f"{entry.name}: some labels are not finite numbers; run turntable verify on the data set"
        )
    histograms = list[FactorHistogram]()
    for column, factor in enumerate(entry.dataset.manifest.factors):
        values = labels[:, column]
        low, high = min(factor.low, float(values.min())), max(factor.high, float(values.max()))
        # A fixed value, rounded to float32, may differ a little from the bounds: that is no variation.
        varies = high - low > 1e-6 * max(1.0, abs(high))
        high = high if varies else low
        counts, _ = np.histogram(values, NUM_BINS, (low, high) if varies else (low - 0.5, low + 0.5))
        histograms.append(
            {
                "name": factor.name,
                "unit": factor.unit,
                "description": factor.description,
                "low": low,
                "high": high,
                "counts": counts.tolist(),
            }
        )
    return histograms


def list_objects(
    entry: CatalogEntry, split: str | None, category: str | None, offset: int, limit: int
) -> ObjectsPage:
    """Return one page of the objects of a split, or of all one after the other, in the order of each split.

    Args:
        entry: The data set.
        split: Name of the split; None for all.
        category: Category of the objects to list; None for all.
        offset: Number of objects to skip.
        limit: Largest number of objects to list; never more than ``MAX_LISTED``.

    Raises:
        InvalidInputError: There is no such split or category.
    """
    listed, total, num_listed = list[ObjectLine](), 0, min(limit, MAX_LISTED)
    for name in entry.splits if split is None else (split,):
        rows = _find_rows(entry, name, category)
        page = rows[max(0, offset - total) :][: num_listed - len(listed)].tolist()
        listed += [summarize_object(entry, name, row) for row in page]
        total += len(rows)
    return {"total": total, "objects": listed}


def _find_rows(entry: CatalogEntry, split: str, category: str | None) -> NDArray[np.intp]:
    """Return the rows of a split's objects, or of those of a category."""
    opened, names = _get_split(entry, split), entry.dataset.manifest.categories
    if category is None:
        return np.arange(opened.num_objects)
    if category not in names:
        raise InvalidInputError(f"{entry.name} has no category {category!r}; it has {', '.join(names)}")
    return np.flatnonzero(opened.category_indices == names.index(category))


def summarize_object(entry: CatalogEntry, split: str, row: int) -> ObjectLine:
    """Return the summary of an object."""
    record = entry.read_record(split, row)
    return {
        "key": record.key,
        "id": record.id,
        "category": record.category,
        "split": split,
        "licence": record.licence,
    }


def list_views(entry: CatalogEntry, manifest: Manifest, offset: int, limit: int) -> ViewsPage:
    """Return one page of the views of a subset, with their labels.

    Args:
        entry: The data set.
        manifest: The manifest of the subset.
        offset: Number of views to skip.
        limit: Largest number of views to list; never more than ``MAX_LISTED``.
    """
    subset, listed, num_left = manifest.subset, list[ViewLine](), min(limit, MAX_LISTED)
    assert subset is not None
    names = entry.dataset.schema.names
    for split in manifest.splits:
        opened = entry.splits[split]
        matching = subset.decode_views(split, opened.num_objects, manifest.views)
        part = slice(offset, offset + num_left)
        rows, views = matching.rows[part], matching.views[part]
        labels = opened.get_labels(rows, views) if len(rows) else np.empty((0, len(names)))
        listed.extend(
            {
                **summarize_object(entry, split, row),
                "view": view,
                "factors": dict(zip(names, label, strict=True)),
            }
            for row, view, label in zip(rows.tolist(), views.tolist(), labels.tolist(), strict=True)
        )
        # The page may go on in the next split, after the views that this split had of it.
        num_left -= len(rows)
        offset = max(0, offset - len(matching))
    return {"total": subset.images, "objects": subset.objects, "views": listed}


def list_object_views(entry: CatalogEntry, split: str, row: int) -> ObjectViews:
    """Return an object with the factors of all its views."""
    labels = entry.splits[split].get_labels(
        np.full(entry.dataset.manifest.views, row), np.arange(entry.dataset.manifest.views)
    )
    names = [factor.name for factor in entry.dataset.manifest.factors]
    record = entry.read_record(split, row)
    assembly = read_assembly(entry, split, row)
    return {
        **summarize_object(entry, split, row),
        "views": [dict(zip(names, view, strict=True)) for view in labels.tolist()],
        "parts": list_part_lines(assembly),
        "joint_values": None if assembly is None else assembly.joint_values.tolist(),
        "symmetry": None if record.symmetry is None else record.symmetry.to_dict(),
        "mirror_residual": record.mirror_residual,
        "eigen_gap": record.eigen_gap,
    }


def read_view_label(entry: CatalogEntry, split: str, row: int, view: int) -> Label:
    """Return the label of one view: its factors by name, poses of object and parts, lines of the overlay."""
    labels = entry.splits[split].get_labels(np.array([row]), np.array([view]))
    schema = entry.dataset.schema
    record, assembly = entry.read_record(split, row), read_assembly(entry, split, row)
    poses = None if assembly is None else assembly.part_pose
    return {
        "object": record.id,
        "key": record.key,
        "category": record.category,
        "split": split,
        "view": view,
        "factors": dict(zip(schema.names, labels[0].tolist(), strict=True)),
        "rotation": schema.compute_rotations(labels)[0].tolist(),
        "quaternion": schema.compute_quaternions(labels)[0].tolist(),
        "translation": schema.get_translations(labels)[0].tolist(),
        "overlay": compute_overlay(entry.dataset.manifest, labels[0]),
        "parts": list_part_lines(assembly),
        "part_pose": None if poses is None else poses[view].tolist(),
        "joint_values": None if assembly is None else assembly.joint_values[view].tolist(),
        "part_overlay": list_part_overlays(entry, assembly, view, labels[0]),
    }


def read_pair(entry: CatalogEntry, split: str, seed: int, epoch: int, index: int) -> Pair:
    """Return the pair that a loader yields at one position of an epoch, with the rotation between its views.

    Args:
        entry: The data set.
        split: Name of the split.
        seed: Seed of the loader.
        epoch: Number of the epoch, counted from 0.
        index: Position of the pair in the epoch, counted from 0.

    Raises:
        InvalidInputError: There is no such split or position, or the objects have only one view.
    """
    _get_split(entry, split)
    manifest, sampler = entry.dataset.manifest, Pairs()
    counts = [shard.objects for shard in manifest.select_shards(split)]
    selection = select_all_views(counts, manifest.views).with_min_views(sampler.views)
    if index >= sampler.count_samples(selection):
        raise InvalidInputError(
            f"index {index}: {split} has {sampler.count_samples(selection)} pairs in an epoch, counted from 0"
        )
    sample = sampler.draw_samples(selection, None, seed, epoch)[np.array([index])]
    row, views = int(sample.objects[0]), sample.views[0].tolist()
    first, second = (read_view_label(entry, split, row, view) for view in views)
    quaternion = compute_relative_quaternion(np.array(first["quaternion"]), np.array(second["quaternion"]))
    # |w|, as q and -q are the same rotation; clipped, as rounding may bring it above 1.
    angle = 2 * np.arccos(np.clip(abs(quaternion[3]), 0, 1))
    return {
        **summarize_object(entry, split, row),
        "views": views,
        "pairs": sampler.count_samples(selection),
        "labels": [first, second],
        "relative_quaternion": quaternion.tolist(),
        "relative_angle_rad": float(angle),
    }


def _get_split(entry: CatalogEntry, split: str) -> Split:
    if split not in entry.splits:
        raise InvalidInputError(f"there is no split {split!r}; there are {', '.join(entry.splits)}")
    return entry.splits[split]
