"""What is in a data set, as JSON: objects, views with their labels, factors, and the pairs a loader gives."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Manifest, Split
from turntable.errors import IntegrityError, InvalidInputError
from turntable.geometry import relative_quaternion
from turntable.loaders import Pairs, whole_split
from turntable.renderer.scene import CAMERA, Scenes, scenes_from_labels
from turntable.service.catalogue import CatalogueEntry
from turntable.service.documents import (
    Described,
    FactorHistogram,
    Label,
    Line,
    ObjectLine,
    ObjectsPage,
    ObjectViews,
    Pair,
    Point,
    ViewLine,
    ViewsPage,
)

BINS = 32
"""Of a factor's histogram."""
MOST_LISTED = 1000
"""Rows of one answer."""


def described(entry: CatalogueEntry) -> Described:
    """The catalogue's words on a data set, and what its page shows."""
    manifest = entry.dataset.manifest
    return {
        **entry.summary(),
        "quarantined": manifest.quarantined,
        "source": manifest.source,
        "conventions": manifest.conventions,
        "camera": manifest.camera,
        "outputs": list(manifest.outputs),
        "shards": len(manifest.shards),
        "classes": class_counts(entry),
    }


def class_counts(entry: CatalogueEntry) -> dict[str, dict[str, int]]:
    """How many objects of each category each split has."""
    names, counts = entry.dataset.manifest.categories, dict[str, dict[str, int]]()
    for split, opened in entry.splits.items():
        found = np.bincount(opened.categories, minlength=len(names)).tolist()
        counts[split] = dict(zip(names, found, strict=True))
    return counts


def histograms(entry: CatalogueEntry) -> list[FactorHistogram]:
    """Each factor with its unit, range and counts over all views of all splits.

    Raises:
        IntegrityError: A label is no number.
    """
    labels = np.concatenate(
        [opened.labels.reshape(-1, len(entry.dataset.manifest.factors)) for opened in entry.splits.values()]
    )
    if not np.isfinite(labels).all():
        raise IntegrityError(f"{entry.name}: labels that are no numbers; run turntable verify on it")
    described = list[FactorHistogram]()
    for column, factor in enumerate(entry.dataset.manifest.factors):
        values = labels[:, column]
        low, high = min(factor.low, float(values.min())), max(factor.high, float(values.max()))
        # A fixed value is rounded to a float32 beside itself.
        varies = high - low > 1e-6 * max(1.0, abs(high))
        high = high if varies else low
        counts, _ = np.histogram(values, BINS, (low, high) if varies else (low - 0.5, low + 0.5))
        described.append(
            {
                "name": factor.name,
                "unit": factor.unit,
                "description": factor.description,
                "low": low,
                "high": high,
                "counts": counts.tolist(),
            }
        )
    return described


def objects(entry: CatalogueEntry, split: str, category: str | None, offset: int, limit: int) -> ObjectsPage:
    """Some objects of a split.

    Args:
        entry: The data set.
        split: Its name.
        category: Only those of this one; None: all.
        offset: So many are left out first.
        limit: At most so many are told.

    Raises:
        InvalidInputError: There is no such split or category.
    """
    manifest = entry.dataset.manifest
    rows = np.arange(_of_split(entry, split).num_objects)
    if category is not None:
        if category not in manifest.categories:
            raise InvalidInputError(
                f"{entry.name} has no category {category!r}; it has {', '.join(manifest.categories)}"
            )
        rows = np.flatnonzero(_of_split(entry, split).categories == manifest.categories.index(category))
    chosen = rows[offset : offset + min(limit, MOST_LISTED)].tolist()
    return {"total": len(rows), "objects": [object_summary(entry, split, row) for row in chosen]}


def object_summary(entry: CatalogueEntry, split: str, row: int) -> ObjectLine:
    """An object in one line."""
    record = entry.record(split, row)
    return {
        "key": record.key,
        "id": record.id,
        "category": record.category,
        "split": split,
        "licence": record.licence,
    }


def views_of(entry: CatalogueEntry, chosen: Manifest, offset: int, limit: int) -> ViewsPage:
    """Return some of the views that a subset has, with their labels.

    Args:
        entry: The data set.
        chosen: The manifest of the subset.
        offset: So many are left out first.
        limit: At most so many are told.
    """
    subset, found, left = chosen.subset, list[ViewLine](), min(limit, MOST_LISTED)
    assert subset is not None
    names = entry.dataset.schema.names
    for split in chosen.splits:
        opened = entry.splits[split]
        matching = subset.chosen(split, opened.num_objects, chosen.views)
        part = slice(offset, offset + left)
        rows, views = matching.rows[part], matching.views[part]
        labels = opened.labels_at(rows, views) if len(rows) else np.empty((0, len(names)))
        found.extend(
            {
                **object_summary(entry, split, row),
                "view": view,
                "factors": dict(zip(names, label, strict=True)),
            }
            for row, view, label in zip(rows.tolist(), views.tolist(), labels.tolist(), strict=True)
        )
        left -= len(rows)
        offset = max(0, offset - len(matching))
    return {"total": subset.images, "objects": subset.objects, "views": found}


def object_views(entry: CatalogueEntry, split: str, row: int) -> ObjectViews:
    """An object with the labels of all its views."""
    labels = entry.splits[split].labels_at(
        np.full(entry.dataset.manifest.views, row), np.arange(entry.dataset.manifest.views)
    )
    names = [factor.name for factor in entry.dataset.manifest.factors]
    return {
        **object_summary(entry, split, row),
        "views": [dict(zip(names, view, strict=True)) for view in labels.tolist()],
    }


def view_label(entry: CatalogueEntry, split: str, row: int, view: int) -> Label:
    """The factors of one view by name, and its pose."""
    labels = entry.splits[split].labels_at(np.array([row]), np.array([view]))
    schema = entry.dataset.schema
    record = entry.record(split, row)
    return {
        "object": record.id,
        "key": record.key,
        "category": record.category,
        "split": split,
        "view": view,
        "factors": dict(zip(schema.names, labels[0].tolist(), strict=True)),
        "rotation": schema.rotations(labels)[0].tolist(),
        "quaternion": schema.quaternions(labels)[0].tolist(),
        "translation": schema.translations(labels)[0].tolist(),
        "overlay": overlay(entry, labels[0]),
    }


def pair(entry: CatalogueEntry, split: str, seed: int, epoch: int, index: int) -> Pair:
    """The pair that a loader gives at a place of an epoch, with what lies between its views.

    Args:
        entry: The data set.
        split: Its name.
        seed: Of the loader.
        epoch: From 0.
        index: Of the pair in the epoch.

    Raises:
        InvalidInputError: There is no such split or place, or objects have one view only.
    """
    _of_split(entry, split)
    manifest, sampler = entry.dataset.manifest, Pairs()
    counts = [shard.objects for shard in manifest.shards_of(split)]
    selection = whole_split(counts, manifest.views).with_at_least(sampler.views)
    if index >= sampler.count(selection):
        raise InvalidInputError(f"{split} has {sampler.count(selection)} pairs in an epoch, counted from 0")
    sample = sampler.samples(selection, None, seed, epoch)[np.array([index])]
    row, views = int(sample.objects[0]), sample.views[0].tolist()
    first, second = (view_label(entry, split, row, view) for view in views)
    quaternion = relative_quaternion(np.array(first["quaternion"]), np.array(second["quaternion"]))
    angle = 2 * np.arccos(np.clip(abs(quaternion[3]), 0, 1))
    return {
        **object_summary(entry, split, row),
        "views": views,
        "pairs": sampler.count(selection),
        "labels": [first, second],
        "relative_quaternion": quaternion.tolist(),
        "relative_angle_rad": float(angle),
    }


def _of_split(entry: CatalogueEntry, split: str) -> Split:
    if split not in entry.splits:
        raise InvalidInputError(f"there is no split {split!r}; there are {', '.join(entry.splits)}")
    return entry.splits[split]


AXIS_LENGTH = 0.5
"""Of the object's axes, in diagonals of its bounding box."""
LIGHT_FROM, LIGHT_TO = 0.95, 0.45
"""Distances from the origin between which the light's arrow is drawn, towards the object."""


def overlay(entry: CatalogueEntry, label: NDArray[np.floating]) -> dict[str, Line] | None:
    """Lines over the picture of a view, each from a place to a place; (0, 0) is the top left corner.

    Args:
        entry: The data set.
        label: [L] of all columns.

    Returns:
        ``x``, ``y``, ``z``: the object's axes, from its centre. ``light``: its direction, towards the centre.
        ``translation``: from where the object would stand without. None where no scene can be made of these
        labels, as of imported ones.
    """
    schema = entry.dataset.schema
    try:
        with np.errstate(all="ignore"):
            lines = _lines(scenes_from_labels(schema.scene_names, schema.scene_columns(label)[None]))
    except (ValueError, ArithmeticError):  # an InvalidInputError is a ValueError
        return None
    return lines if np.isfinite(np.array(list(lines.values()))).all() else None


def _lines(scenes: Scenes) -> dict[str, Line]:
    pose, light = scenes.object_to_world[0], scenes.light_position[0]
    centre, towards = pose[:3, 3], light / np.linalg.norm(light)
    ends = {
        **{name: (centre, centre + AXIS_LENGTH * pose[:3, column]) for column, name in enumerate("xyz")},
        "light": (centre + LIGHT_FROM * towards, centre + LIGHT_TO * towards),
        "translation": (np.zeros(3), centre),
    }
    return {name: (_seen(scenes, first), _seen(scenes, second)) for name, (first, second) in ends.items()}


def _seen(scenes: Scenes, point: Sequence[float] | NDArray[np.floating]) -> Point:
    """A place in the world as a place in the picture of side 1."""
    matrix = scenes.world_to_camera[0]
    camera = matrix[:3, :3] @ np.asarray(point) + matrix[:3, 3]
    x, y, depth = CAMERA.intrinsics(1) @ camera
    return float(x / depth), float(y / depth)
