"""Records of views: all that is known of a view as nested tables of plain values, with units and periods."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from turntable.datasets.labels import FACTOR_DEFAULTS, STANDARD_FACTORS_BY_NAME, Factor, LabelSchema
from turntable.datasets.objects import ObjectRecord
from turntable.datasets.split import Split
from turntable.errors import InvalidInputError

_GROUPS: dict[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in ("rotation", "translation", "floor", "light", "sun", "camera", "principal_point")
    },
    "twist_omega": ("twist", "omega"),
    "twist_v": ("twist", "v"),
}
"""First words of the names of label columns that stand together, with the path of their table."""
_UNIT_SUFFIXES = ("_rad", "_px", "_w")
_TEXT_FIELDS: dict[str, str] = {
    "category": "class of the object",
    "object.id": "id of the object in its source",
    "object.source": "source of the mesh",
    "object.split": "split of the data set",
    "object.source_sha256": "digest of the mesh as it was read",
    "object.licence": "license of the object's mesh, if its source states one",
    "object.symmetry.group": "group of the rotations that leave the surface as it is, if they were measured",
    "recipe": "name of the recipe",
    "quality": "amount of work that went into the picture",
}
_NUMBER_FIELDS: dict[str, str] = {
    "view": "number of the view of its object, from 0",
    "seed": "seed of the recipe",
    "object.symmetry.order": "number of the group's rotations that are listed",
    "object.symmetry.residual": "deviation of the surface from itself under the group, in diagonals",
    "object.mirror_residual": "deviation of the surface from its mirror image, in diagonals, if measured",
    "object.eigen_gap": "smallest gap of the eigenvalues of the surface's covariance, over the largest",
    "object.num_parts": "number of rigid parts; 0 for an object of one piece",
}


@dataclass(frozen=True, slots=True)
class RecordField:
    """A value of the records of views, by its path."""

    path: str
    """Names from the outermost table on, with dots: "light.hue"."""
    unit: str
    """Unit of the number: "rad", "turn", "W", "px", or "1"; "" for texts."""
    period: float | None
    """Value after which a circular quantity repeats; None if it is not circular."""
    description: str


def read_view_record(split: Split, row: int, view: int) -> dict[str, Any]:
    """Read the record of a view: nested tables of texts, numbers and None.

    Factors that the recipe leaves out have the values that the renderer uses, as in every view.

    Args:
        split: The split.
        row: Row of the object in this split.
        view: Number of the view.

    Raises:
        IntegrityError: The shard's bytes are not those that were written.
        InvalidInputError: There is no such object or view.
    """
    (record,) = iter_view_records(split, [row], [view])
    return record


def iter_view_records(
    split: Split, rows: Sequence[int] | None = None, views: Sequence[int] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the records of views, object by object. Errors are those of ``read_view_record``.

    Args:
        split: The split.
        rows: Rows of the objects; None for all.
        views: Numbers of the views of each of them; None for all.
    """
    schema = split.manifest.schema
    for row in range(split.num_objects) if rows is None else rows:
        stored = split.read_record(row)
        numbers = list(range(split.num_views)) if views is None else [int(view) for view in views]
        _check_views(split, numbers)
        labels = split.get_labels(np.full(len(numbers), row), np.array(numbers, np.int64)).tolist()
        for view, values in zip(numbers, labels, strict=True):
            yield _build_record(split, stored, view, schema, values)


def describe_view_records(schema: LabelSchema) -> tuple[RecordField, ...]:
    """Describe all values that records of views can have: unit, period and meaning of each, by its path.

    Args:
        schema: Schema of the data set's label columns.
    """
    return (
        *(RecordField(path, "", None, text) for path, text in _TEXT_FIELDS.items()),
        *(RecordField(path, "1", None, text) for path, text in _NUMBER_FIELDS.items()),
        *(
            RecordField(".".join(_split_name(item.name)), item.unit, item.period, item.description)
            for item in _list_factors(schema)
        ),
    )


def flatten_view_record(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten a record to one table, with names joined by dots: {"light.hue": 0.2}. Rows of a table of views.

    Args:
        record: A record of ``read_view_record``.
        prefix: Text before every name.
    """
    flat: dict[str, Any] = {}
    for name, value in record.items():
        path = f"{prefix}{name}"
        flat |= flatten_view_record(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat


def _check_views(split: Split, views: Sequence[int]) -> None:
    if wrong := [view for view in views if not 0 <= view < split.num_views]:
        raise InvalidInputError(
            f"no view {wrong[0]} in {split.name}: objects have {split.num_views} views, counted from 0"
        )


def _build_record(
    split: Split, stored: ObjectRecord, view: int, schema: LabelSchema, labels: Sequence[float]
) -> dict[str, Any]:
    recipe = split.manifest.recipe
    record: dict[str, Any] = {
        "category": stored.category,
        "object": _describe_object(stored),
        "view": view,
    }
    for factor in _list_factors(schema):
        *tables, name = _split_name(factor.name)
        table = record
        for group in tables:
            table = table.setdefault(group, {})
        known = factor.name in schema
        table[name] = labels[schema.get_column(factor.name)] if known else FACTOR_DEFAULTS[factor.name]
    return record | {
        "recipe": recipe.get("name"),
        "quality": recipe.get("quality"),
        "seed": recipe.get("seed"),
    }


def _describe_object(stored: ObjectRecord) -> dict[str, Any]:
    symmetry = stored.symmetry
    return {
        "id": stored.id,
        "source": stored.source,
        "split": stored.split,
        "source_sha256": stored.source_sha256,
        "licence": stored.licence or None,
        "symmetry": {
            "group": symmetry and symmetry.group,
            "order": symmetry and len(symmetry.rotations),
            "residual": symmetry and symmetry.residual,
        },
        "mirror_residual": stored.mirror_residual,
        "eigen_gap": stored.eigen_gap,
        "num_parts": len(stored.parts),
    }


def _list_factors(schema: LabelSchema) -> tuple[Factor, ...]:
    """Return the label columns, and the factors that the recipe leaves out."""
    absent = (name for name in FACTOR_DEFAULTS if name not in schema)
    return (*schema.factors, *(STANDARD_FACTORS_BY_NAME[name].factor for name in absent))


def _split_name(name: str) -> tuple[str, ...]:
    """Return the path of a label column: ("light", "theta") for "light_theta_rad"."""
    for suffix in _UNIT_SUFFIXES:
        name = name.removesuffix(suffix)
    for group, path in _GROUPS.items():
        if name.startswith(f"{group}_"):
            return (*path, name.removeprefix(f"{group}_"))
    return (name,)
