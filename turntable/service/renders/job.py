"""One view that is asked for: a stored one's label with some factors changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turntable.datasets.labels import STANDARD_BY_NAME
from turntable.errors import InvalidInputError
from turntable.service.catalogue import CatalogueEntry

LEAST_PX = 16
"""The least side of a picture that is drawn on request."""
MOST_PX = 512
"""The greatest."""


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One view to be drawn on request."""

    recipe: dict[str, Any]
    """Of the data set, as its manifest has it."""
    meshes: str | None
    """Their folder; None: the zoo."""
    objects: int
    """Of the data set, for the zoo."""
    object: str
    """Its id."""
    sha256: str
    """Of the mesh that the data set was drawn from; empty where nobody knows."""
    label: tuple[float, ...]
    """Of all columns of the recipe's schema."""
    size_px: int


def render_job(
    entry: CatalogueEntry,
    place: tuple[str, int],
    view: int,
    factors: Mapping[str, float],
    size_px: int | None,
    meshes: Path | None,
) -> RenderJob:
    """The job that draws an object as a stored view shows it, with some factors changed.

    Args:
        entry: The data set.
        place: Of the object: split and row.
        view: The stored view whose label is changed.
        factors: New values by name, in the units of the data set's factors.
        size_px: Of the picture; None: as stored.
        meshes: Their folder; None: the zoo.

    Raises:
        InvalidInputError: A factor is unknown, derived or impossible; there is no such view or size.
    """
    manifest = entry.dataset.manifest
    if not 0 <= view < manifest.views:
        raise InvalidInputError(f"objects of {entry.name} have {manifest.views} views, counted from 0")
    size = manifest.image_size_px if size_px is None else size_px
    if not LEAST_PX <= size <= MOST_PX:
        raise InvalidInputError(f"size {size}: from {LEAST_PX} to {MOST_PX} pixels are drawn")
    split, row = place
    label = entry.splits[split].labels_at(np.array([row]), np.array([view]))[0]
    for name, value in factors.items():
        column = _column(entry, name)
        label[column] = _possible(name, value)
    record = entry.record(split, row)
    return RenderJob(
        manifest.recipe,
        None if meshes is None else str(meshes),
        manifest.totals.objects + manifest.quarantined,
        record.id,
        record.source_sha256,
        tuple(label.tolist()),
        size,
    )


def _column(entry: CatalogueEntry, name: str) -> int:
    schema = entry.dataset.schema
    if name not in schema.scene_names:
        raise InvalidInputError(
            f"{name[:80]!r} is no factor that a scene is made of; {entry.name} has "
            f"{', '.join(schema.scene_names)}"
        )
    return schema.column(name)


def _possible(name: str, value: float) -> float:
    standard = STANDARD_BY_NAME[name]
    if standard.factor.unit == "turn" and np.isfinite(value):
        return float(value % 1)
    if not standard.minimum <= value <= standard.maximum:
        raise InvalidInputError(
            f"{name} {value:g}: from {standard.minimum:g} to {standard.maximum:g} can be drawn"
        )
    return value
