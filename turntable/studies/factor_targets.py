"""Targets: the factors of a data set as numbers that heads predict."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import ROTATION_NAMES, Factor
from turntable.errors import IntegrityError, InvalidInputError
from turntable.evaluation import SplitFeatures

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CATEGORY = "category"
_UNITS = ("_rad", "_turn", "_w")
"""Ends of names that say in which unit a label is."""
_STILL = 1e-6
"""A number that varies by less, beside its size, is one that was rounded."""


@dataclass(frozen=True, slots=True)
class Target:
    """A factor, or the category, and where its numbers stand among those of all."""

    name: str
    """The name of the label's column; "category"."""
    columns: list[int]
    """Its columns among those of all targets."""
    period: float | None = None
    """The period of a circle, whose points (cosine, sine) are predicted; None: a number by itself."""

    @property
    def title(self) -> str:
        """Return its name for people."""
        found = [unit for unit in _UNITS if self.name.endswith(unit)]
        return self.name.removesuffix(found[0] if found else "").replace("_", " ")


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """All that is predicted of a view."""

    factors: tuple[Target, ...]
    """In the order of the label columns."""
    category: Target | None
    classes: IntArray
    """[K]: the class number of each of the category's columns, ascending."""
    notes: tuple[str, ...]
    """Sentences about what is left out, and why."""

    @property
    def all(self) -> tuple[Target, ...]:
        """The factors, then the category."""
        return self.factors if self.category is None else (*self.factors, self.category)

    def columns(self, split: SplitFeatures, objects: IntArray) -> FloatArray:
        """Return the targets [M, V, C] of chosen objects [M] of a split; of the category 1 in one column."""
        parts = [values_of(split, target.name, target.period)[objects] for target in self.factors]
        if self.category is not None:
            is_class = (split.categories[objects, None] == self.classes).astype(np.float64)
            parts.append(np.repeat(is_class[:, None], split.num_views, axis=1))
        return np.concatenate(parts, axis=2)


def targets_of(train: SplitFeatures, seen: SplitFeatures, name: str) -> Targets:
    """Find what varies, both where heads are trained and where they are scored.

    Args:
        train: The train split.
        seen: The split that heads are scored on.
        name: Of that split.

    Raises:
        InvalidInputError: Nothing varies.
        IntegrityError: A label is no number.
    """
    if train.schema is None:
        raise InvalidInputError("features without labels have no factors: give those of a run on a data set")
    factors: list[Target] = []
    notes: list[str] = []
    start = 0
    for factor in train.schema.factors:
        period = period_of(factor)
        why = _left_out(factor, period, train, seen, name)
        if why is not None:
            notes.append(f"{factor.name}: left out; {why}")
            continue
        width = 1 if period is None else 2
        factors.append(Target(factor.name, list(range(start, start + width)), period))
        start += width
    classes = np.unique(train.categories)
    category = None
    if len(classes) > 1:
        category = Target(CATEGORY, list(range(start, start + len(classes))))
    else:
        notes.append("category: left out; all objects of the train split are of one")
    if not factors and category is None:
        raise InvalidInputError(f"nothing varies in this data set: {'; '.join(notes)}")
    return Targets(tuple(factors), category, classes, tuple(notes))


def period_of(factor: Factor) -> float | None:
    """Return after which value a factor repeats; None: it does not. Angles of a rotation always do."""
    return 2 * math.pi if factor.name in ROTATION_NAMES else factor.period


def values_of(split: SplitFeatures, name: str, period: float | None) -> FloatArray:
    """Return a factor's values [N, V, 1], or its points on the circle [N, V, 2], as (cosine, sine)."""
    assert split.labels is not None
    assert split.schema is not None
    values = split.labels[..., split.schema.column(name)].astype(np.float64)
    if period is None:
        return values[..., None]
    angle = 2 * np.pi * values / period
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _left_out(
    factor: Factor, period: float | None, train: SplitFeatures, seen: SplitFeatures, name: str
) -> str | None:
    if factor.role == "derived":
        return "it lies between two views, and heads see one"
    for split, where in ((train, "train"), (seen, name)):
        values = values_of(split, factor.name, period)
        if not np.isfinite(values).all():
            raise IntegrityError(f"{factor.name}: labels that are no numbers; run turntable verify")
        if np.ptp(values, axis=(0, 1)).max() <= _STILL * max(1.0, float(np.abs(values).max())):
            return f"it does not vary in the {where} split"
    return None
