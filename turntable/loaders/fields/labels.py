"""Labels by name, computed for whole batches: rotations in every form, poses, motions, factors, differences.

No torch: workers of loaders compute labels. Everything is computed in float64 and rounded once to float32.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter

from turntable.datasets.labels import (
    TRANSLATION_NAMES,
    TWIST_NAMES,
    Factor,
    FloatArray,
    LabelSchema,
)
from turntable.geometry import FACTOR_DIFFERENCES, RELATIVE_LABELS, QuaternionSign, RelativeLabel
from turntable.loaders.fields.field import ComputedField, FieldProvider, FieldSource, Per, SampledViews
from turntable.markdown import markdown_table

DEFAULT_LABELS = ("relative_quaternion", "relative_rotation", "rotation", "factors")
"""What pairs have where nothing is said."""


@dataclass(frozen=True, slots=True)
class LabelDescription:
    """A label in words. Its name has FACTOR where the row stands for a label of every factor."""

    name: str
    per: Per
    shape: tuple[int, ...] | None
    """Without the batch and the views or steps before it; None: the number of columns."""
    unit: str
    """"1" for pure numbers, "diagonals" (of the bounding box) for lengths."""
    frame: str
    """In whose axes the numbers are told; "" where there are none."""
    meaning: str


@dataclass(frozen=True, slots=True)
class LabelField(ComputedField):
    """One label of the batches of a data set."""

    unit: str
    """"1" for pure numbers, "diagonals" (of the bounding box) for lengths."""
    frame: str
    """In whose axes the numbers are told; "" where there are none."""
    meaning: str
    schema: LabelSchema = field(repr=False)


def _steps(labels: Iterable[RelativeLabel]) -> Iterator[LabelDescription]:
    """Rows of the one table of relative labels."""
    for label in labels:
        yield LabelDescription(label.name, "step", label.shape, label.unit, label.frame, label.meaning)


_TO_WORLD = "object to world"

_GEOMETRIC: tuple[LabelDescription, ...] = (
    LabelDescription("rotation", "view", (3, 3), "1", _TO_WORLD, "R = Rz Ry Rx"),
    LabelDescription("quaternion", "view", (4,), "1", _TO_WORLD, "xyzw of R, its sign by `quaternion_sign`"),
    LabelDescription("rotation_6d", "view", (6,), "1", _TO_WORLD, "first column of R, then its second"),
    LabelDescription(
        "euler_angles_rad", "view", (3,), "rad", "world", "extrinsic x, y, z angles of R, as stored"
    ),
    LabelDescription(
        "translation", "view", (3,), "diagonals", "object", "t, the shift before the object turns"
    ),
    LabelDescription("position", "view", (3,), "diagonals", "world", "R t, where the object's centre is"),
    LabelDescription(
        "pose", "view", (4, 4), "1, diagonals", _TO_WORLD, "M = [R, R t; 0, 1]; t = 0 where none is stored"
    ),
    LabelDescription(
        "twist",
        "view",
        (6,),
        "rad, diagonals",
        "object",
        "(ω, v) from the view before, in sequences; 0 at the first",
    ),
    *_steps(RELATIVE_LABELS),
)

_OF_FACTORS: tuple[LabelDescription, ...] = (
    LabelDescription("factors", "view", None, "of each", "", "all columns, in the order of the schema"),
    LabelDescription("FACTOR", "view", (), "its own", "", "one column by its name, such as `floor_hue`"),
    *_steps(FACTOR_DIFFERENCES),
)

_FACTOR_VALUES = {
    "FACTOR": "factor",
    "FACTOR_difference": "difference",
    "FACTOR_difference_circular": "circular_difference",
}
"""The methods of ``ViewLabels`` that compute a factor's labels."""

_TRANSLATIONS = ("translation", "position", "translation_difference_object", "translation_difference_base")
_RECIPE_WITH = {
    **dict.fromkeys((*_TRANSLATIONS, *TRANSLATION_NAMES), "3diebench-t"),
    **dict.fromkeys(("twist", *TWIST_NAMES), "sequences"),
    **dict.fromkeys(
        ("camera_distance", "camera_elevation_rad", "light_power_w", "sun_strength"), "viewpoints"
    ),
}
"""Shipped recipes that have what others lack."""


def describe_labels() -> tuple[LabelDescription, ...]:
    """Every label there is; data sets without translations or sequences lack those labels."""
    return _GEOMETRIC + _OF_FACTORS


def labels_text() -> str:
    """The same as a table in Markdown."""
    rows = [
        (f"`{row.name}`", row.per, _shape_text(row.shape), row.unit, row.frame, row.meaning)
        for row in describe_labels()
    ]
    return markdown_table(("label", "per", "shape", "unit", "frame", "what it is"), rows)


def default_labels(views: int) -> tuple[str, ...]:
    """What samples of k views have where nothing is said."""
    return DEFAULT_LABELS if views > 1 else ("rotation", "factors")


def label_names(schema: LabelSchema, views: int = 2) -> tuple[str, ...]:
    """The labels that samples of k views of a data set can have."""
    return tuple(item.name for item in _fields(schema, "product") if views > 1 or item.per == "view")


class LabelProvider(FieldProvider):
    """Gives labels: everything that is computed from the label columns of views."""

    def fields(self, source: FieldSource, sign: QuaternionSign) -> Iterator[LabelField]:
        """Give all labels that the columns allow."""
        return _fields(source.schema, sign)

    def lacking(self, source: FieldSource) -> Collection[str]:
        """Name labels that need another recipe, or a period."""
        return _lacking(source.schema)

    def explain(self, names: Sequence[str], source: FieldSource) -> str:
        """Say which recipe has them, or which label to take."""
        return "; ".join(_why_lacking(name, source.schema) for name in names)

    def listing(self, source: FieldSource) -> str:
        """Name all labels, those of factors by the factors' names."""
        there = ", ".join(row.name for row in _GEOMETRIC if not _lacks(row.name, source.schema))
        return (
            f"{there}, factors; and FACTOR, FACTOR_difference and, with a period,"
            f" FACTOR_difference_circular, where FACTOR is one of {', '.join(source.schema.names)}"
        )


def _fields(schema: LabelSchema, sign: QuaternionSign) -> Iterator[LabelField]:
    """All that a data set can have, in the order of the table."""
    for row in _GEOMETRIC:
        if not _lacks(row.name, schema):
            value = f"{row.name}_{sign}" if row.name.endswith("quaternion") else row.name
            yield _label_field(row, row.name, row.shape or (), value, schema)
    columns = _OF_FACTORS[0]
    yield _label_field(columns, "factors", (len(schema),), "factors", schema, meaning=", ".join(schema.names))
    for row in _OF_FACTORS[1:]:
        for factor in schema.factors:
            if factor.period or not row.name.endswith("circular"):
                yield _of_factor(row, factor, schema)


def _label_field(
    row: LabelDescription,
    name: str,
    shape: tuple[int, ...],
    value: str,
    schema: LabelSchema,
    meaning: str | None = None,
) -> LabelField:
    """One whose values ``ViewLabels`` has under a name."""
    compute = attrgetter(f"labels.{value}")
    return LabelField(
        name, row.per, shape, "float32", compute, row.unit, row.frame, meaning or row.meaning, schema
    )


def _of_factor(row: LabelDescription, factor: Factor, schema: LabelSchema) -> LabelField:
    name = row.name.replace("FACTOR", factor.name)
    unit = "diagonals" if factor.name in (*TRANSLATION_NAMES, *TWIST_NAMES[3:]) else factor.unit
    compute = partial(_factor_values, _FACTOR_VALUES[row.name], factor.name)
    return LabelField(name, row.per, (), "float32", compute, unit, row.frame, factor.description, schema)


def _factor_values(kind: str, factor: str, sampled: SampledViews) -> FloatArray:
    return getattr(sampled.labels, kind)(factor)


def _lacks(name: str, schema: LabelSchema) -> bool:
    """Whether the data set has nothing to make a label of that others have."""
    if name in _TRANSLATIONS:
        return not any(axis in schema for axis in TRANSLATION_NAMES)
    if name == "twist":
        return not all(part in schema for part in TWIST_NAMES)
    return name in _RECIPE_WITH and name not in schema


def _lacking(schema: LabelSchema) -> list[str]:
    """Labels that other data have."""
    elsewhere = [name for name in _RECIPE_WITH if _lacks(name, schema)]
    factors = [name for name in elsewhere if name not in (*_TRANSLATIONS, "twist")]
    differences = [label.name.replace("FACTOR", name) for name in factors for label in FACTOR_DIFFERENCES]
    straight = [f"{item.name}_difference_circular" for item in schema.factors if not item.period]
    return [*elsewhere, *differences, *straight]


def _why_lacking(name: str, schema: LabelSchema) -> str:
    """Why there is none of ``_lacking``, and what to do."""
    factor = name.removesuffix("_circular").removesuffix("_difference")
    if factor in schema:
        circles = ", ".join(item.name for item in schema.factors if item.period)
        return f"no label {name!r}: {factor} has no period ({circles} have); take {factor}_difference"
    recipe = _RECIPE_WITH.get(name) or _RECIPE_WITH[factor]
    return (
        f"no label {name!r} in this data set: its recipe does not vary it; {recipe!r} is a recipe that does"
    )


def _shape_text(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "[L]"
    return f"[{', '.join(map(str, shape))}]" if shape else "scalar"
