"""The rule that decides from labels which views are related: intra and inter pairs (Wang et al., 2017).

Two views of one object are an *intra* pair: one object seen differently. Two views of different objects of
one category in nearly the same pose are an *inter* pair: two objects that look alike.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import FloatArray
from turntable.datasets.relations.labeled_views import IntArray, LabeledViews
from turntable.errors import InvalidInputError, format_value

_COSINE_SLACK = 1e-12
"""Slack of the cosine of half an angle, so that equal rotations are equal after rounding. In an angle it is
3e-6 rad near 0, and below 1e-9 rad beyond 1 degree."""


@dataclass(frozen=True, slots=True)
class RelationRule:
    """The conditions on the labels of intra and inter pairs.

    Raises:
        InvalidInputError: A value is wrong.
    """

    intra_deg: tuple[float, float] = (30.0, 180.0)
    """Least and greatest angle in degrees between the rotations of an intra pair."""
    consecutive: int = 0
    """If above 0, intra pairs are views t and t + this number of one sequence, whatever their angle."""
    inter_deg: float = 15.0
    """Greatest angle in degrees between the rotations of an inter pair."""
    bounds: tuple[tuple[str, float], ...] = ()
    """Greatest differences of factors of an inter pair, by name, such as {"light_hue": 0.1}: circular where
    the factor has a period. Other factors are free."""

    def __post_init__(self) -> None:
        low, high = _check_range(self.intra_deg)
        object.__setattr__(self, "intra_deg", (low, high))
        object.__setattr__(self, "inter_deg", _check_angle("inter_deg", self.inter_deg))
        if type(self.consecutive) is not int or self.consecutive < 0:
            raise InvalidInputError(
                f"RelationRule.consecutive {format_value(self.consecutive)}: must be a whole number from 0"
            )
        object.__setattr__(self, "bounds", tuple(sorted(_read_bounds(self.bounds))))

    def accept_intra_cosines(self, cosines: FloatArray) -> NDArray[np.bool_]:
        """Return whether |cos| of half the angle between two rotations [...] is that of an intra pair."""
        low, high = (math.cos(math.radians(angle) / 2) for angle in self.intra_deg)
        return (cosines <= low + _COSINE_SLACK) & (cosines >= high - _COSINE_SLACK)

    @property
    def min_inter_cosine(self) -> float:
        """The least |cos| of half the angle between the rotations of an inter pair."""
        return math.cos(math.radians(self.inter_deg) / 2) - _COSINE_SLACK

    def accept_intra(self, table: LabeledViews, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
        """Return which pairs [...] of positions in a table are intra pairs."""
        same = (table.objects[first] == table.objects[second]) & (first != second)
        if not self.consecutive:
            cosines = compute_half_cosines(table.quaternions[first], table.quaternions[second])
            return same & self.accept_intra_cosines(cosines)
        length = table.sequence_length
        views, others = table.views[first], table.views[second]
        return same & (others == views + self.consecutive) & (others // length == views // length)

    def accept_inter(self, table: LabeledViews, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
        """Return which pairs [...] of positions in a table are inter pairs."""
        cosines = compute_half_cosines(table.quaternions[first], table.quaternions[second])
        other = table.objects[first] != table.objects[second]
        alike = table.categories[first] == table.categories[second]
        near = cosines >= self.min_inter_cosine
        return other & alike & near & self.accept_bounds(table, first, second)

    def accept_bounds(self, table: LabeledViews, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
        """Return which pairs [...] of positions differ by at most ``bounds`` in those factors."""
        accepted = np.ones(np.broadcast(first, second).shape, np.bool_)
        for name, limit in self.bounds:
            column = table.schema.get_column(name)
            values, period = table.labels[:, column].astype(np.float64), table.schema.factors[column].period
            difference = np.abs(values[first] - values[second])
            if period:
                difference = np.minimum(difference % period, period - difference % period)
            accepted &= difference <= limit
        return accepted

    def check_data(self, table: LabeledViews) -> None:
        """Check that a data set has what the rule asks for.

        Raises:
            InvalidInputError: It has no sequences of this length, or no such factor.
        """
        length = table.sequence_length
        if self.consecutive and length <= self.consecutive:
            sequences = f"sequences of {length} views" if length else "no sequences"
            raise InvalidInputError(
                f"consecutive={self.consecutive}: this data set has {sequences}; render one with longer "
                "sequences, such as the recipe 'sequences', or leave consecutive out for pairs by their angle"
            )
        for name, _ in self.bounds:
            table.schema.get_column(name)


def compute_half_cosines(first: FloatArray, second: FloatArray) -> FloatArray:
    """Compute |cos| of half the angle between rotations, [...], from unit quaternions [..., 4].

    The products are summed one after the other, so that every machine gets the same numbers.
    """
    products = first * second
    return np.abs(products[..., 0] + products[..., 1] + products[..., 2] + products[..., 3])


def _check_range(value: Any) -> tuple[float, float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise InvalidInputError(
            f"RelationRule.intra_deg {format_value(value)}: give the least and the greatest angle in degrees,"
            " such as (30, 180)"
        )
    low, high = (_check_angle("intra_deg", item) for item in value)
    if low > high:
        raise InvalidInputError(f"RelationRule.intra_deg: {low:g} is above {high:g}; exchange them")
    return low, high


def _check_angle(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= 180:
        raise InvalidInputError(f"RelationRule.{name} {format_value(value)}: must be degrees from 0 to 180")
    return float(value)


def _read_bounds(bounds: Any) -> Iterator[tuple[str, float]]:
    """Yield the bounds of a mapping, or of pairs.

    Raises:
        InvalidInputError: They are something else, or a bound is no number from 0.
    """
    items: list[Any] = list(cast("Any", bounds).items() if isinstance(bounds, Mapping) else bounds)
    for item in items:
        name, limit = item if type(item) is tuple and len(item) == 2 else (item, None)
        if not isinstance(name, str) or isinstance(limit, bool) or not isinstance(limit, int | float):
            raise InvalidInputError(
                f"RelationRule.bounds {format_value(bounds)}: give numbers by the names of factors, such as "
                '{"light_hue": 0.1}'
            )
        if not limit >= 0:
            raise InvalidInputError(f"RelationRule.bounds: {name} {limit}: must be from 0")
        yield name, float(limit)
