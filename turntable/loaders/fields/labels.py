"""Labels by name, computed for whole batches: rotations in every form, poses, motions, factors, differences.

No torch: workers of loaders compute labels. Everything is computed in float64 and rounded once to float32.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from turntable.datasets.labels import (
    TRANSLATION_NAMES,
    TWIST_NAMES,
    Factor,
    FloatArray,
    LabelArray,
    LabelSchema,
)
from turntable.errors import InvalidInputError
from turntable.geometry import FACTOR_DIFFERENCES, RELATIVE_LABELS, QuaternionSign, RelativeLabel
from turntable.loaders.fields.view_labels import ViewLabels

Per = Literal["view", "step"]
"""Whether each view of a sample has the label, or each step from one view to the next."""

DEFAULT_LABELS = ("relative_quaternion", "relative_rotation", "rotation", "factors")
"""What pairs have where nothing is said."""


@dataclass(frozen=True, slots=True)
class LabelRow:
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
class LabelField:
    """One label of the batches of a data set. Picklable."""

    name: str
    per: Per
    shape: tuple[int, ...]
    """Without the batch and the views or steps before it."""
    unit: str
    """"1" for pure numbers, "diagonals" (of the bounding box) for lengths."""
    frame: str
    """In whose axes the numbers are told; "" where there are none."""
    meaning: str
    schema: LabelSchema = field(repr=False)
    compute: Callable[[ViewLabels], FloatArray] = field(repr=False, compare=False)
    dtype: str = "float32"


def _steps(labels: Iterable[RelativeLabel]) -> Iterator[LabelRow]:
    """Rows of the one table of relative labels."""
    for label in labels:
        yield LabelRow(label.name, "step", label.shape, label.unit, label.frame, label.meaning)


_TO_WORLD = "object to world"

_GEOMETRIC: tuple[LabelRow, ...] = (
    LabelRow("rotation", "view", (3, 3), "1", _TO_WORLD, "R = Rz Ry Rx"),
    LabelRow("quaternion", "view", (4,), "1", _TO_WORLD, "xyzw of R, its sign by `quaternion_sign`"),
    LabelRow("rotation_6d", "view", (6,), "1", _TO_WORLD, "first column of R, then its second"),
    LabelRow("euler_angles_rad", "view", (3,), "rad", "world", "extrinsic x, y, z angles of R, as stored"),
    LabelRow("translation", "view", (3,), "diagonals", "object", "t, the shift before the object turns"),
    LabelRow("position", "view", (3,), "diagonals", "world", "R t, where the object's centre is"),
    LabelRow(
        "pose", "view", (4, 4), "1, diagonals", _TO_WORLD, "M = [R, R t; 0, 1]; t = 0 where none is stored"
    ),
    LabelRow(
        "twist",
        "view",
        (6,),
        "rad, diagonals",
        "object",
        "(ω, v) from the view before, in sequences; 0 at the first",
    ),
    *_steps(RELATIVE_LABELS),
)

_OF_FACTORS: tuple[LabelRow, ...] = (
    LabelRow("factors", "view", None, "of each", "", "all columns, in the order of the schema"),
    LabelRow("FACTOR", "view", (), "its own", "", "one column by its name, such as `floor_hue`"),
    *_steps(FACTOR_DIFFERENCES),
)

_COMPUTE = {
    "FACTOR": ViewLabels.factor,
    "FACTOR_difference": ViewLabels.difference,
    "FACTOR_difference_circular": ViewLabels.circular_difference,
}

_TRANSLATIONS = ("translation", "position", "translation_difference_object", "translation_difference_base")
_RECIPE_WITH = {
    **dict.fromkeys((*_TRANSLATIONS, *TRANSLATION_NAMES), "3diebench-t"),
    **dict.fromkeys(("twist", *TWIST_NAMES), "sequences"),
    **dict.fromkeys(
        ("camera_distance", "camera_elevation_rad", "light_power_w", "sun_strength"), "viewpoints"
    ),
}
"""Shipped recipes that have what others lack."""


def describe_labels() -> tuple[LabelRow, ...]:
    """Every label there is; data sets without translations or sequences lack those labels."""
    return _GEOMETRIC + _OF_FACTORS


def labels_text() -> str:
    """The same as a table in Markdown."""
    rows = [
        f"| `{row.name}` | {row.per} | {_shape_text(row.shape)} | {row.unit} | {row.frame} | {row.meaning} |"
        for row in describe_labels()
    ]
    return "\n".join(
        ["| label | per | shape | unit | frame | what it is |", "|---|---|---|---|---|---|", *rows]
    )


def default_labels(views: int) -> tuple[str, ...]:
    """What samples of k views have where nothing is said."""
    return DEFAULT_LABELS if views > 1 else ("rotation", "factors")


def label_names(schema: LabelSchema, views: int = 2) -> tuple[str, ...]:
    """The labels that samples of k views of a data set can have."""
    return tuple(item.name for item in _fields(schema, "product") if views > 1 or item.per == "view")


def label_fields(
    names: Sequence[str], schema: LabelSchema, views: int, quaternion_sign: QuaternionSign = "product"
) -> tuple[LabelField, ...]:
    """The fields of a batch by the names of labels (docs/labels.md has them all), each once.

    Args:
        names: of labels.
        schema: of the data set.
        views: k, of a sample.
        quaternion_sign: of all quaternions: "product" (as SIE) or "canonical" (w >= 0).

    Raises:
        InvalidInputError: there is no such label, the data set lacks it, or one view has no steps.
    """
    if quaternion_sign not in get_args(QuaternionSign):
        raise InvalidInputError(
            f"quaternion sign {quaternion_sign!r} is unknown; use 'product' or 'canonical'"
        )
    if isinstance(names, str):
        raise InvalidInputError(f"labels {names!r}: give a list of names, such as [{names!r}]")
    known = {item.name: item for item in _fields(schema, quaternion_sign)}
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise InvalidInputError(_no_label(name, schema))
    steps = [name for name in wanted if known[name].per == "step"]
    if steps and views < 2:
        raise InvalidInputError(
            f"labels {', '.join(steps)}: they lie between two views, and a sample has one; take pairs"
        )
    return tuple(known[name] for name in wanted)


def compute_labels(fields: Iterable[LabelField], labels: LabelArray) -> dict[str, NDArray[Any]]:
    """The labels of a batch; what they have in common is computed once.

    Args:
        fields: all of one data set.
        labels: float32 [B, k, L], k views of each object.

    Returns:
        By name float32 [B, k, *shape] of each view, or [B, k - 1, *shape] from view i to view i + 1.
    """
    wanted = tuple(fields)
    if not wanted:
        return {}
    of_views = ViewLabels(wanted[0].schema, labels)
    return {item.name: item.compute(of_views).astype(item.dtype) for item in wanted}


def _fields(schema: LabelSchema, sign: QuaternionSign) -> Iterator[LabelField]:
    """All that a data set can have, in the order of the table."""
    for row in _GEOMETRIC:
        if not _lacks(row.name, schema):
            source = f"{row.name}_{sign}" if row.name.endswith("quaternion") else row.name
            yield LabelField(
                row.name,
                row.per,
                row.shape or (),
                row.unit,
                row.frame,
                row.meaning,
                schema,
                attrgetter(source),
            )
    columns = ", ".join(schema.names)
    yield LabelField("factors", "view", (len(schema),), "of each", "", columns, schema, attrgetter("factors"))
    for row in _OF_FACTORS[1:]:
        for factor in schema.factors:
            if factor.period or not row.name.endswith("circular"):
                yield _of_factor(row, factor, schema)


def _of_factor(row: LabelRow, factor: Factor, schema: LabelSchema) -> LabelField:
    name = row.name.replace("FACTOR", factor.name)
    unit = "diagonals" if factor.name in (*TRANSLATION_NAMES, *TWIST_NAMES[3:]) else factor.unit
    compute = partial(_COMPUTE[row.name], name=factor.name)
    return LabelField(name, row.per, (), unit, row.frame, factor.description, schema, compute)


def _lacks(name: str, schema: LabelSchema) -> bool:
    """Whether the data set has nothing to make a label of that others have."""
    if name in _TRANSLATIONS:
        return not any(axis in schema for axis in TRANSLATION_NAMES)
    if name == "twist":
        return not all(part in schema for part in TWIST_NAMES)
    return name in _RECIPE_WITH and name not in schema


def _no_label(name: str, schema: LabelSchema) -> str:
    """Why there is none of this name, and what to do."""
    factor = name.removesuffix("_circular").removesuffix("_difference")
    for lacking in (name, factor):
        if _lacks(lacking, schema):
            return (
                f"no label {name!r} in this data set: its recipe does not vary it; {_RECIPE_WITH[lacking]!r} "
                "is a recipe that does"
            )
    if factor in schema and name.endswith("_circular"):
        circles = ", ".join(item.name for item in schema.factors if item.period)
        return f"no label {name!r}: {factor} has no period ({circles} have); take {factor}_difference"
    near = " or ".join(difflib.get_close_matches(name, label_names(schema), n=3))
    guess = f"did you mean {near}? " if near else ""
    there = ", ".join(row.name for row in _GEOMETRIC if not _lacks(row.name, schema))
    return (
        f"no label {name!r}; {guess}There are {there}, factors; and FACTOR, FACTOR_difference and, with a "
        f"period, FACTOR_difference_circular, where FACTOR is one of {', '.join(schema.names)}"
    )


def _shape_text(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "[L]"
    return f"[{', '.join(map(str, shape))}]" if shape else "scalar"
