"""Whether labels are distributed as their recipe says, by bounds that hold for every number of draws.

Each factor: the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant (1990),
P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). Each pair of factors: the shares of draws in the cells of a coarse
and of a fine grid of their quantiles, against the product of the margins by Chernoff's bound in Hoeffding's
form (1963, theorem 1), P(share >= q) <= exp(-n KL(q, p)) for q >= p, and likewise below. All draws at once: a
view that repeats another's label, where a union bound over pairs of views says that none can. Nothing is
asymptotic, and one rate of false alarms is shared out among all of it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import Factor, LabelArray

FALSE_ALARMS = 1e-9
"""Chance that a sound data set of independent draws fails any of the tests of one call."""
GRIDS = (2, 8)
"""Cells a side for pairs of factors: few find a dependence in few draws, many find a fine one."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrawnColumn:
    """A column of drawn labels, uniform over its intervals, independent of the others, anew for each view."""

    factor: Factor
    values: LabelArray
    """[n]."""

    def quantiles(self) -> FloatArray:
        """[n] of each value, uniform over [0, 1] where the factor is distributed as it says."""
        return factor_cdf(self.factor, self.values.astype(np.float64))

    @property
    def slack(self) -> float:
        """By how much rounding to float32 may move a value's quantile."""
        largest = max(abs(self.factor.low), abs(self.factor.high))
        # The density is at most 1 / (length of what is drawn from); a value moves by half a step at most.
        return float(np.spacing(np.float32(largest))) / 2 * _density(self.factor)


def check_columns(columns: Sequence[DrawnColumn], false_alarms: float = FALSE_ALARMS) -> Iterator[str]:
    """Say of which factors and pairs the draws are not what they should be.

    Args:
        columns: all of one length; none fixed.
        false_alarms: rate of false alarms of the whole call.
    """
    if not columns or not len(columns[0].values):
        return
    pairs = list(combinations(range(len(columns)), 2))
    # Each factor is one test, each cell of a pair two (too many, too few), repetition one.
    each = false_alarms / (len(columns) + 2 * sum(grid**2 for grid in GRIDS) * len(pairs) + 1)
    quantiles = [column.quantiles() for column in columns]
    sound = [True] * len(columns)
    for at, column in enumerate(columns):
        for problem in _check_margin(column, quantiles[at], each):
            sound[at] = False
            yield problem
    for grid in GRIDS:
        cells = [np.minimum((values * grid).astype(np.int64), grid - 1) for values in quantiles]
        for first, second in pairs:
            if sound[first] and sound[second]:  # else it would only be said again
                both = columns[first], columns[second]
                yield from _check_pair(both, cells[first] * grid + cells[second], grid, each)
    yield from _check_repeats(columns, each)


def factor_cdf(factor: Factor, values: FloatArray) -> FloatArray:
    """Distribution function, at values [...], of a factor that is uniform over its intervals."""
    covered = sum(np.clip(values, low, high) - low for low, high in factor.intervals())
    return np.clip(covered * _density(factor), 0, 1)


def dkw_bound(draws: int, false_alarms: float) -> float:
    """What sup |F_n - F| exceeds with at most this chance."""
    return math.sqrt(math.log(2 / false_alarms) / (2 * draws))


def _density(factor: Factor) -> float:
    return 1 / sum(high - low for low, high in factor.intervals())


def _check_margin(column: DrawnColumn, quantiles: FloatArray, false_alarms: float) -> Iterator[str]:
    count = len(quantiles)
    ordered = np.sort(quantiles)
    steps = np.arange(count + 1) / count
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    bound = dkw_bound(count, false_alarms) + column.slack
    if distance > bound:
        yield (
            f"{column.factor.name}: its {count} values are not distributed as the recipe says: "
            f"sup |F_n - F| is {distance:.4g}, where chance stays below {bound:.4g}"
        )


def _check_pair(
    columns: tuple[DrawnColumn, DrawnColumn], cells: NDArray[np.int64], grid: int, false_alarms: float
) -> Iterator[str]:
    count = len(cells)
    shares = np.bincount(cells, minlength=grid**2) / count
    least, most = _cell_chances(columns, grid)
    evidence = np.maximum(
        _divergence(np.maximum(shares, most), most), _divergence(np.minimum(shares, least), least)
    )
    worst = int(np.argmax(evidence))
    if count * float(evidence[worst]) > math.log(1 / false_alarms):
        names = " and ".join(column.factor.name for column in columns)
        yield (
            f"{names}: not drawn independently: {shares[worst]:.4g} of {count} views lie in a cell of their "
            f"quantiles that should have {1 / grid**2:.4g}"
        )


def _cell_chances(columns: tuple[DrawnColumn, DrawnColumn], grid: int) -> tuple[float, float]:
    """The least and the greatest chance of a cell, since rounding moves its borders."""
    low, high = 1.0, 1.0
    for column in columns:
        low *= max(1 / grid - 2 * column.slack, 0)
        high *= min(1 / grid + 2 * column.slack, 1)
    return low, high


def _divergence(shares: FloatArray, chance: float) -> FloatArray:
    """Kullback-Leibler divergence [...] of Bernoulli(share) from Bernoulli(chance)."""
    if not 0 < chance < 1:
        return np.zeros_like(shares)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(shares > 0, shares * np.log(shares / chance), 0)
        outside = np.where(shares < 1, (1 - shares) * np.log((1 - shares) / (1 - chance)), 0)
    return inside + outside


def _check_repeats(columns: Sequence[DrawnColumn], false_alarms: float) -> Iterator[str]:
    """Labels that occur twice, as where a random stream was played again."""
    count = len(columns[0].values)
    # Two given views agree in a factor with at most the chance of its likeliest float32 number.
    agree = math.prod(min(2 * column.slack, 1) for column in columns)
    if count * (count - 1) / 2 * agree > false_alarms:
        return
    rows = np.ascontiguousarray(np.stack([column.values for column in columns], axis=-1))
    keys = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    repeated = count - len(np.unique(keys))
    if repeated:
        yield f"{repeated} of {count} views repeat another view's label: a random stream was played again"
