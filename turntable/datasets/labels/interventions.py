"""Environments and couplings: factors whose law differs by environment, or that follow another factor.

Both are interventions on the same story: in an environment some factors have a law of their own, and a
coupling makes one factor depend on another (or on the category of the object), as strongly as the
environment says.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels.factors import Factor

FloatArray = NDArray[np.float64]

CATEGORY = "category"
"""Name of what a coupling depends on if that is the code of the object's category, in [0, 1)."""
_SLACK = 1e-9
"""Tolerance of the ends of a range, relative to its width: offset and slope are decimal numbers."""


@dataclass(frozen=True, slots=True)
class Coupling:
    """A factor that follows another: ``offset + slope * other``, and noise uniform in [-noise, noise]."""

    factor: str
    on: str
    """The name of the other factor, or "category" for the code of the object's category, in [0, 1)."""
    slope: float
    offset: float
    noise: float
    """Half the width of the noise, in the unit of the factor."""

    def __str__(self) -> str:
        """Return the rule in words, for tables."""
        offset = f"{self.offset:g} + " if self.offset else ""
        noise = f" ± {self.noise:g}" if self.noise else ""
        return f"{self.factor} = {offset}{self.slope:g} {self.on}{noise}"

    def to_dict(self) -> dict[str, Any]:
        """Return the table [[coupling]] of a recipe."""
        return {name: getattr(self, name) for name in ("factor", "on", "slope", "offset", "noise")}


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of a recipe: what differs in it from the recipe's own laws."""

    name: str
    factors: tuple[Factor, ...] = ()
    """The factors that have another law here, in the standard order."""
    slopes: tuple[tuple[str, float], ...] = ()
    """The coupled factors whose coupling has another slope here, with the slope."""

    def select_laws(self, factors: Iterable[Factor]) -> tuple[Factor, ...]:
        """Return factors with the laws that they have in this environment, in the same order."""
        own = {factor.name: factor for factor in self.factors}
        return tuple(own.get(factor.name, factor) for factor in factors)

    def select_couplings(self, couplings: Iterable[Coupling]) -> tuple[Coupling, ...]:
        """Return couplings with the slopes that they have in this environment, in the same order."""
        slopes = dict(self.slopes)
        return tuple(replace(item, slope=slopes.get(item.factor, item.slope)) for item in couplings)


def is_full_circle(factor: Factor) -> bool:
    """Return True if a factor's range is exactly one period, so that a value beyond it can be wrapped."""
    return factor.period is not None and math.isclose(factor.high - factor.low, factor.period)


def sort_couplings(couplings: Iterable[Coupling]) -> tuple[Coupling, ...]:
    """Return couplings in an order in which each comes after the one that it depends on.

    Raises:
        ValueError: They form a circle. The message names its factors.
    """
    by_factor = {item.factor: item for item in couplings}
    try:
        order = tuple(TopologicalSorter({name: [item.on] for name, item in by_factor.items()}).static_order())
    except CycleError as error:
        circle = " on ".join(error.args[1][::-1])
        raise ValueError(circle) from None
    return tuple(by_factor[name] for name in order if name in by_factor)


def find_coupling_overflows(
    factors: Mapping[str, Factor], couplings: Iterable[Coupling]
) -> Iterator[tuple[str, str]]:
    """Yield the name of each coupled factor that can leave its range, with a message.

    Args:
        factors: Factors by name, with the laws of one environment.
        couplings: Couplings in the order of ``sort_couplings``.
    """
    spans = {CATEGORY: (0.0, 1.0)} | {name: (item.low, item.high) for name, item in factors.items()}
    for item in couplings:
        factor = factors[item.factor]
        ends = [item.offset + item.slope * end for end in spans[item.on]]
        low, high = min(ends) - item.noise, max(ends) + item.noise
        slack = _SLACK * (factor.high - factor.low)
        if is_full_circle(factor):
            continue
        if low < factor.low - slack or high > factor.high + slack:
            yield (
                item.factor,
                f"{item.factor} = offset + slope * {item.on} reaches from {low:.6g} to {high:.6g} with its "
                f"noise and leaves its range [{factor.low:.6g}, {factor.high:.6g}]; give a smaller slope or "
                "noise, or a wider range",
            )
        spans[item.factor] = low, high


def compute_coupled_values(
    factors: Mapping[str, Factor],
    couplings: Iterable[Coupling],
    columns: Mapping[str, FloatArray],
    units: Mapping[str, FloatArray],
    category_code: float,
) -> dict[str, FloatArray]:
    """Compute the values of coupled factors, as labels in float64.

    Args:
        factors: Factors by name, with the laws of the object's environment.
        couplings: Couplings in the order of ``sort_couplings``, with the slopes of the environment.
        columns: Labels of the other factors by name, [V] each.
        units: Uniform numbers in [0, 1) by the name of the coupled factor, [V] each, which give the noise.
        category_code: Code of the object's category, in [0, 1).

    Returns:
        Labels of the coupled factors by name, [V] each.
    """
    known = {**columns, CATEGORY: np.float64(category_code)}
    coupled: dict[str, FloatArray] = {}
    for item in couplings:
        noise = item.noise * (2 * units[item.factor] - 1)
        values = item.offset + item.slope * known[item.on] + noise
        factor = factors[item.factor]
        if factor.period is not None and is_full_circle(factor):
            values = factor.low + np.mod(values - factor.low, factor.period)
        known[item.factor] = coupled[item.factor] = factor.to_label(values).astype(np.float64)
    return coupled


def join_laws(
    drawn: Iterable[Factor], environments: Iterable[Environment], joint_names: Iterable[str]
) -> tuple[Factor, ...]:
    """Return factors as the columns of a whole data set have them, over all environments.

    A factor whose law differs by environment, or that is drawn together with others, has only the bounds of
    all its laws.

    Args:
        drawn: Factors with the recipe's own laws.
        environments: Environments; empty if there are none.
        joint_names: Names of the factors that are drawn together with others.
    """
    named, environments = set(joint_names), tuple(environments)
    return tuple(_join_laws_of_factor(factor, environments, factor.name in named) for factor in drawn)


def _join_laws_of_factor(factor: Factor, environments: tuple[Environment, ...], is_joint: bool) -> Factor:
    laws = {item.select_laws([factor])[0] for item in environments} or {factor}
    low, high = min(law.low for law in laws), max(law.high for law in laws)
    if low < high and (is_joint or len(laws) > 1):
        return factor.with_joint_range(low, high)
    return next(iter(laws))
