"""The targets of the factor study: the factors of a data set and the category, as columns of numbers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import ROTATION_NAMES, Factor
from turntable.errors import IntegrityError, InvalidInputError
from turntable.evaluation import SplitFeatures

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CATEGORY_TARGET = "category"
"""Name of the category's target."""
_UNIT_SUFFIXES = ("_rad", "_turn", "_w", "_px")
"""Ends of names of labels that are units."""
_MIN_RELATIVE_RANGE = 1e-6
"""Range, relative to the largest value, up to which variation is taken for rounding."""


@dataclass(frozen=True, slots=True)
class FactorTarget:
    """A factor or the category, as a target of heads."""

    name: str
    """Name of the label's column, or "category"."""
    column_indices: list[int]
    """Indices of its columns among those of all targets."""
    period: float | None = None
    """Period of a factor that is predicted as a point on a circle (cosine, sine); None: a plain number."""

    @property
    def title(self) -> str:
        """Name in tables, without the unit."""
        suffixes = [suffix for suffix in _UNIT_SUFFIXES if self.name.endswith(suffix)]
        return self.name.removesuffix(suffixes[0] if suffixes else "").replace("_", " ")


@dataclass(frozen=True, slots=True, eq=False)
class TargetSet:
    """All targets of a view."""

    factors: tuple[FactorTarget, ...]
    """Factors, in the order of the label columns."""
    category: FactorTarget | None
    """Category; None if there is only one."""
    category_indices: IntArray
    """Category of each of the category's columns, ascending, [K]."""
    notes: tuple[str, ...]
    """Sentences about what is left out, and why."""

    @property
    def all_targets(self) -> tuple[FactorTarget, ...]:
        """All targets: the factors, then the category."""
        return self.factors if self.category is None else (*self.factors, self.category)

    def compute_columns(self, split: SplitFeatures, objects: IntArray) -> FloatArray:
        """Compute the targets [M, V, C] of objects [M] of a split; the category is one-hot."""
        parts = [compute_factor_values(split, target.name, target.period)[objects] for target in self.factors]
        if self.category is not None:
            one_hot = (split.categories[objects, None] == self.category_indices).astype(np.float64)
            parts.append(np.repeat(one_hot[:, None], split.num_views, axis=1))
        return np.concatenate(parts, axis=2)


def find_targets(train: SplitFeatures, eval_features: SplitFeatures, eval_split: str) -> TargetSet:
    """Find the factors that vary in the train split and in the scored split.

    Args:
        train: Train split.
        eval_features: Split that heads are scored on.
        eval_split: Name of that split.

    Raises:
        InvalidInputError: Neither a factor nor the category varies.
        IntegrityError: A label is not a finite number.
    """
    if train.schema is None:
        raise InvalidInputError(
            "features without labels have no factors: study a run on a data set with labels"
        )
    factors: list[FactorTarget] = []
    notes: list[str] = []
    start = 0
    for factor in train.schema.factors:
        period = find_period(factor)
        obstacle = _find_obstacle(factor, period, train, eval_features, eval_split)
        if obstacle is not None:
            notes.append(f"{factor.name}: left out; {obstacle}")
            continue
        num_columns = 1 if period is None else 2
        factors.append(FactorTarget(factor.name, list(range(start, start + num_columns)), period))
        start += num_columns
    categories = np.unique(train.categories)
    category = None
    if len(categories) < 2:
        notes.append("category: left out; all objects of the train split are of the same category")
    elif not (is_known := np.isin(eval_features.categories, categories)).any():
        notes.append("category: left out; no object is of a category that the train split has")
    else:
        category = FactorTarget(CATEGORY_TARGET, list(range(start, start + len(categories))))
        if not is_known.all():
            notes.append(
                f"category: scored on {is_known.sum()} of {len(is_known)} objects; the others are of"
                " categories that the train split does not have"
            )
    if not factors and category is None:
        raise InvalidInputError(f"nothing varies in this data set: {'; '.join(notes)}")
    return TargetSet(tuple(factors), category, categories, tuple(notes))


def find_period(factor: Factor) -> float | None:
    """Return the period of a factor; None if it has none. Angles of rotations always have one."""
    return 2 * math.pi if factor.name in ROTATION_NAMES else factor.period


def compute_factor_values(split: SplitFeatures, name: str, period: float | None) -> FloatArray:
    """Compute a factor's values [N, V, 1], or with a period its points (cosine, sine) [N, V, 2]."""
    assert split.labels is not None
    assert split.schema is not None
    values = split.labels[..., split.schema.get_column(name)].astype(np.float64)
    if period is None:
        return values[..., None]
    angle = 2 * np.pi * values / period
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _find_obstacle(
    factor: Factor, period: float | None, train: SplitFeatures, eval_features: SplitFeatures, eval_split: str
) -> str | None:
    if factor.role == "derived":
        return "it is a relation of two views, and heads see one"
    for split, where in ((train, "train"), (eval_features, eval_split)):
        values = compute_factor_values(split, factor.name, period)
        if not np.isfinite(values).all():
            raise IntegrityError(f"{factor.name}: some labels are not finite numbers; run turntable verify")
        if np.ptp(values, axis=(0, 1)).max() <= _MIN_RELATIVE_RANGE * max(1.0, float(np.abs(values).max())):
            return f"it does not vary in the {where} split"
    return None
