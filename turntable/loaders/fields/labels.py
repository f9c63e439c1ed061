"""Labels as fields: rotations in several forms, poses, relative motions, factors and their differences.

Labels are computed for whole batches, in float64, and rounded once to float32. Workers compute them and do
not need torch, so this module does not import it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter

from turntable.datasets.labels import (
    PRINCIPAL_POINT_NAMES,
    TRANSLATION_NAMES,
    TWIST_NAMES,
    Factor,
    FloatArray,
    LabelSchema,
)
from turntable.geometry import FACTOR_DIFFERENCES, RELATIVE_LABELS, QuaternionSign, RelativeLabel
from turntable.loaders.fields.batch_field import (
    ComputedField,
    DataDescription,
    FieldProvider,
    FieldScope,
    SampledViews,
)
from turntable.markdown import format_markdown_table

DEFAULT_LABELS = ("relative_quaternion", "relative_rotation", "rotation", "factors")
"""Labels of samples with two or more views, if no fields are named."""


@dataclass(frozen=True, slots=True)
class LabelDescription:
    """A label in words. A name with FACTOR stands for one label of every factor."""

    name: str
    per: FieldScope
    shape: tuple[int, ...] | None
    """Shape of one value, without the axes of the batch and of the views or steps; None: [number of
    columns]."""
    unit: str
    """"1" for pure numbers, "diagonals" (of the bounding box) for lengths."""
    frame: str
    """Frame that the numbers refer to; "" for numbers without one."""
    meaning: str


@dataclass(frozen=True, slots=True)
class LabelField(ComputedField):
    """A label of the batches of a data set."""

    unit: str
    """"1" for pure numbers, "diagonals" (of the bounding box) for lengths."""
    frame: str
    """Frame that the numbers refer to; "" for numbers without one."""
    meaning: str
    schema: LabelSchema = field(repr=False)


def _iter_step_descriptions(labels: Iterable[RelativeLabel]) -> Iterator[LabelDescription]:
    """Iterate over relative labels as descriptions."""
    for label in labels:
        yield LabelDescription(label.name, "step", label.shape, label.unit, label.frame, label.meaning)


_TO_WORLD = "object to world"

_GEOMETRIC_LABELS: tuple[LabelDescription, ...] = (
    LabelDescription("rotation", "view", (3, 3), "1", _TO_WORLD, "R = Rz Ry Rx"),
    LabelDescription("quaternion", "view", (4,), "1", _TO_WORLD, "xyzw of R, its sign by `quaternion_sign`"),
    LabelDescription("rotation_6d", "view", (6,), "1", _TO_WORLD, "first column of R, then its second"),
    LabelDescription(
        "euler_angles_rad", "view", (3,), "rad", "world", "extrinsic x, y, z angles of R, as stored"
    ),
    LabelDescription(
        "translation", "view", (3,), "diagonals", "object", "t, the shift before the object turns"
    ),
    LabelDescription(
        "position", "view", (3,), "diagonals", "world", "R t, the position of the object's center"
    ),
    LabelDescription(
        "pose", "view", (4, 4), "1, diagonals", _TO_WORLD, "M = [R, R t; 0, 1]; t = 0 where none is stored"
    ),
    LabelDescription(
        "camera_rotation", "view", (3, 3), "1", "object to camera", "rotation of `world_to_camera` times R"
    ),
    LabelDescription(
        "allocentric_rotation",
        "view",
        (3, 3),
        "1",
        "object to camera",
        "Qᵀ `camera_rotation`; Q turns the forward axis to the object's center by the smallest rotation",
    ),
    LabelDescription(
        "twist",
        "view",
        (6,),
        "rad, diagonals",
        "object",
        "(ω, v) from the view before, in sequences; 0 at the first",
    ),
    *_iter_step_descriptions(RELATIVE_LABELS),
)

_FACTOR_LABELS: tuple[LabelDescription, ...] = (
    LabelDescription("factors", "view", None, "of each", "", "all columns, in the order of the schema"),
    LabelDescription("FACTOR", "view", (), "its own", "", "one column by its name, such as `floor_hue`"),
    *_iter_step_descriptions(FACTOR_DIFFERENCES),
)

_FACTOR_METHODS = {
    "FACTOR": "get_factor",
    "FACTOR_difference": "compute_difference",
    "FACTOR_difference_circular": "compute_circular_difference",
}
"""Names of the methods of ``ViewLabels`` that compute a factor's labels."""

_TRANSLATIONS = ("translation", "position", "translation_difference_object", "translation_difference_base")
_RECIPE_BY_LABEL = {
    **dict.fromkeys((*_TRANSLATIONS, *TRANSLATION_NAMES), "3diebench-t"),
    **dict.fromkeys(("twist", *TWIST_NAMES), "sequences"),
    **dict.fromkeys(
        ("camera_distance", "camera_elevation_rad", "light_power_w", "sun_strength"), "viewpoints"
    ),
    **dict.fromkeys(("camera_roll_rad", *PRINCIPAL_POINT_NAMES), "cameras"),
}
"""Shipped recipe that has each label or factor that other recipes lack."""


def describe_labels() -> tuple[LabelDescription, ...]:
    """Return the descriptions of all labels. Data sets without translations or sequences lack some."""
    return _GEOMETRIC_LABELS + _FACTOR_LABELS


def format_label_table() -> str:
    """Return the descriptions of all labels as a Markdown table for the documentation."""
    rows = [
        (f"`{row.name}`", row.per, _format_shape(row.shape), row.unit, row.frame, row.meaning)
        for row in describe_labels()
    ]
    return format_markdown_table(("label", "per", "shape", "unit", "frame", "what it is"), rows)


def get_default_labels(num_views: int) -> tuple[str, ...]:
    """Return the labels of samples of k views, if no fields are named."""
    return DEFAULT_LABELS if num_views > 1 else ("rotation", "factors")


def list_label_names(schema: LabelSchema, num_views: int = 2) -> tuple[str, ...]:
    """List the labels that samples can have.

    Args:
        schema: Schema of the label columns.
        num_views: Number of views k of a sample; with one view there are no relative labels.
    """
    return tuple(
        item.name for item in _iter_label_fields(schema, "product") if num_views > 1 or item.per == "view"
    )


class LabelProvider(FieldProvider):
    """The provider of labels: all that is computed from the label columns of views."""

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[LabelField]:
        """Iterate over all labels that can be computed from the columns."""
        return _iter_label_fields(data.schema, sign)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the labels that need another recipe, or a factor with a period."""
        return _list_missing(data.schema)

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message: the recipe that has these labels, or the labels to use instead."""
        return "; ".join(_explain_missing(name, data.schema) for name in names)

    def format_available(self, data: DataDescription) -> str:
        """Return the names of all labels as text, with FACTOR for the names of factors."""
        available = ", ".join(row.name for row in _GEOMETRIC_LABELS if not _is_missing(row.name, data.schema))
        return (
            f"{available}, factors; and FACTOR, FACTOR_difference and, with a period,"
            f" FACTOR_difference_circular, where FACTOR is one of {', '.join(data.schema.names)}"
        )


def _iter_label_fields(schema: LabelSchema, sign: QuaternionSign) -> Iterator[LabelField]:
    """Iterate over all labels that a data set can have, in the order of ``describe_labels``."""
    for row in _GEOMETRIC_LABELS:
        if not _is_missing(row.name, schema):
            attribute = f"{row.name}_{sign}" if row.name.endswith("quaternion") else row.name
            yield _make_label_field(row, row.name, row.shape or (), attribute, schema)
    factors = _FACTOR_LABELS[0]
    yield _make_label_field(
        factors, "factors", (len(schema),), "factors", schema, meaning=", ".join(schema.names)
    )
    for row in _FACTOR_LABELS[1:]:
        for factor in schema.factors:
            if factor.period or not row.name.endswith("circular"):
                yield _make_factor_field(row, factor, schema)


def _make_label_field(
    row: LabelDescription,
    name: str,
    shape: tuple[int, ...],
    attribute: str,
    schema: LabelSchema,
    meaning: str | None = None,
) -> LabelField:
    """Make the field of a label whose values are an attribute of ``ViewLabels``."""
    compute = attrgetter(f"labels.{attribute}")
    return LabelField(
        name, row.per, shape, "float32", compute, row.unit, row.frame, meaning or row.meaning, schema
    )


def _make_factor_field(row: LabelDescription, factor: Factor, schema: LabelSchema) -> LabelField:
    name = row.name.replace("FACTOR", factor.name)
    unit = "diagonals" if factor.name in (*TRANSLATION_NAMES, *TWIST_NAMES[3:]) else factor.unit
    compute = partial(_compute_factor_values, _FACTOR_METHODS[row.name], factor.name)
    return LabelField(name, row.per, (), "float32", compute, unit, row.frame, factor.description, schema)


def _compute_factor_values(method: str, factor: str, sampled: SampledViews) -> FloatArray:
    return getattr(sampled.labels, method)(factor)


def _is_missing(name: str, schema: LabelSchema) -> bool:
    """Return True if the columns do not allow a label that other data sets have."""
    if name in _TRANSLATIONS:
        return not any(axis in schema for axis in TRANSLATION_NAMES)
    if name == "twist":
        return not all(part in schema for part in TWIST_NAMES)
    return name in _RECIPE_BY_LABEL and name not in schema


def _list_missing(schema: LabelSchema) -> list[str]:
    """List the labels that other data sets have and this one does not."""
    missing = [name for name in _RECIPE_BY_LABEL if _is_missing(name, schema)]
    factors = [name for name in missing if name not in (*_TRANSLATIONS, "twist")]
    differences = [label.name.replace("FACTOR", name) for name in factors for label in FACTOR_DIFFERENCES]
    without_period = [f"{item.name}_difference_circular" for item in schema.factors if not item.period]
    return [*missing, *differences, *without_period]


def _explain_missing(name: str, schema: LabelSchema) -> str:
    """Return a message: why a label of ``_list_missing`` is missing, and what to do."""
    factor = name.removesuffix("_circular").removesuffix("_difference")
    if factor in schema:
        periodic = ", ".join(item.name for item in schema.factors if item.period)
        return f"no label {name!r}: {factor} has no period ({periodic} have); use {factor}_difference"
    recipe = _RECIPE_BY_LABEL.get(name) or _RECIPE_BY_LABEL[factor]
    return (
        f"no label {name!r} in this data set: its recipe does not vary it; {recipe!r} is a recipe that does"
    )


def _format_shape(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "[L]"
    return f"[{', '.join(map(str, shape))}]" if shape else "scalar"
