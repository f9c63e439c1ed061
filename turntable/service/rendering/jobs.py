"""Render jobs: the label of a stored view with some factors changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turntable.datasets.labels import PRINCIPAL_POINT_NAMES, STANDARD_FACTORS_BY_NAME
from turntable.errors import InvalidInputError
from turntable.service.catalog import CatalogEntry

MIN_SIZE_PX = 16
"""Smallest side of a picture rendered on request."""
MAX_SIZE_PX = 512
"""Largest side of a picture rendered on request."""


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One view to render.

    The names and values of all fields go into the ETag of the rendered view.
    """

    recipe: dict[str, Any]
    """Recipe of the data set, as in its manifest."""
    meshes: str | None
    """Folder of the meshes; None for generated ones."""
    objects: int
    """Number of objects of the data set, which sources that generate meshes need."""
    object: str
    """Id of the object."""
    sha256: str
    """Checksum of the mesh that the data set was rendered from; empty if it is not recorded."""
    view: int
    """Number of the view, of which the parts of an assembly have their poses."""
    label: tuple[float, ...]
    """Values of all columns of the recipe's schema."""
    size_px: int
    """Side of the picture."""


def make_render_job(
    entry: CatalogEntry,
    location: tuple[str, int],
    view: int,
    factors: Mapping[str, float],
    size_px: int | None,
    meshes: Path | None,
) -> RenderJob:
    """Return the job that renders a stored view with some factors changed.

    Args:
        entry: The data set.
        location: Split and row of the object.
        view: Number of the stored view.
        factors: New values by name, in the units of the data set's factors.
        size_px: Side of the picture; None for the side of the stored pictures.
        meshes: Folder of the meshes; None for generated ones.

    Raises:
        InvalidInputError: A factor is unknown, derived or out of range, or there is no such view or size.
    """
    manifest = entry.dataset.manifest
    if not 0 <= view < manifest.views:
        raise InvalidInputError(
            f"view {view}: objects of {entry.name} have {manifest.views} views, counted from 0"
        )
    size = manifest.image_size_px if size_px is None else size_px
    if not MIN_SIZE_PX <= size <= MAX_SIZE_PX:
        raise InvalidInputError(f"size {size}: must be from {MIN_SIZE_PX} to {MAX_SIZE_PX} pixels")
    split, row = location
    label = entry.splits[split].get_labels(np.array([row]), np.array([view]))[0]
    for name, value in factors.items():
        column = _get_column(entry, name)
        label[column] = _check_value(name, value, manifest.image_size_px)
    for name in PRINCIPAL_POINT_NAMES:
        if name in manifest.schema:  # in pixels of the stored pictures
            label[manifest.schema.get_column(name)] *= size / manifest.image_size_px
    record = entry.read_record(split, row)
    return RenderJob(
        manifest.recipe,
        None if meshes is None else str(meshes),
        manifest.totals.objects + manifest.quarantined,
        record.id,
        record.source_sha256,
        view,
        tuple(label.tolist()),
        size,
    )


def _get_column(entry: CatalogEntry, name: str) -> int:
    schema = entry.dataset.schema
    if name not in schema.scene_names:
        raise InvalidInputError(
            f"{name[:80]!r} is not a factor that can be changed; those of {entry.name} are "
            f"{', '.join(schema.scene_names)}"
        )
    return schema.get_column(name)


def _check_value(name: str, value: float, image_size_px: int) -> float:
    standard = STANDARD_FACTORS_BY_NAME[name]
    if standard.factor.unit == "turn" and np.isfinite(value):  # hues are cyclic: 1.2 is 0.2
        return float(value % 1)
    low, high = standard.minimum, standard.maximum
    if name in PRINCIPAL_POINT_NAMES:
        low, high = -image_size_px / 2, image_size_px / 2
    if not low <= value <= high:
        raise InvalidInputError(f"{name} {value:g}: must be from {low:g} to {high:g}")
    return value
