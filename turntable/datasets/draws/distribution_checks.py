"""Statistical tests that labels have the distribution of their recipe, valid for every number of draws.

Each factor is tested with the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant (1990),
P(sup |F_n - F| > e) <= 2 exp(-2 n e^2). Each pair of factors is tested for independence: the shares of draws
in the cells of a coarse and of a fine grid of their quantiles are compared with the product of the margins,
by Chernoff's bound in Hoeffding's form (1963, theorem 1), P(share >= q) <= exp(-n KL(q, p)) for q >= p, and
likewise below. All draws together are searched for repeated labels, if a union bound over pairs of views
says that independent draws have none. No test is asymptotic. One rate of false alarms is divided among all
of them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import Factor, LabelArray

FALSE_ALARM_RATE = 1e-9
"""Probability that a correct data set of independent draws fails any test of one call."""
GRID_SIZES = (2, 8)
"""Numbers of cells per side for pairs of factors. A coarse grid finds a dependence in few draws; a fine grid
finds a fine dependence."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrawnColumn:
    """A column of independent labels that are uniform over its intervals, one drawn for each view.

    Whole numbers from low to high are uniform over [low - 1/2, high + 1/2] before they are rounded.
    """

    factor: Factor
    values: LabelArray
    """The labels, [n]."""

    def compute_quantiles(self) -> FloatArray:
        """Compute the quantile of each value, [n]. Correct draws have quantiles uniform over [0, 1]."""
        return compute_factor_cdf(self.factor, self.values.astype(np.float64))

    @property
    def slack(self) -> float:
        """Maximum amount by which rounding moves a value's quantile: to float32, or to a whole number."""
        if self.factor.distribution == "integer":
            return 0.5 * _compute_density(self.factor)
        largest = max(abs(self.factor.low), abs(self.factor.high))
        # Rounding moves a value by at most half a step of float32, and the distribution function has the
        # density as its slope.
        return float(np.spacing(np.float32(largest))) / 2 * _compute_density(self.factor)


def find_distribution_faults(
    columns: Sequence[DrawnColumn], false_alarm_rate: float = FALSE_ALARM_RATE
) -> Iterator[str]:
    """Yield a message for each factor, pair of factors or repetition that fails its test.

    Args:
        columns: Columns of one length, none of them fixed.
        false_alarm_rate: Rate of false alarms of the whole call.
    """
    if not columns or not len(columns[0].values):
        return
    pairs = list(combinations(range(len(columns)), 2))
    # Each factor is one test, each cell of a pair two (too many, too few), repetition one.
    num_tests = len(columns) + 2 * sum(grid**2 for grid in GRID_SIZES) * len(pairs) + 1
    test_rate = false_alarm_rate / num_tests
    quantiles = [column.compute_quantiles() for column in columns]
    passed = [True] * len(columns)
    for index, column in enumerate(columns):
        for fault in _find_margin_faults(column, quantiles[index], test_rate):
            passed[index] = False
            yield fault
    for grid in GRID_SIZES:
        cells = [np.minimum((values * grid).astype(np.int64), grid - 1) for values in quantiles]
        for first, second in pairs:
            if passed[first] and passed[second]:  # a wrong margin would be reported again for every pair
                both = columns[first], columns[second]
                yield from _find_pair_faults(both, cells[first] * grid + cells[second], grid, test_rate)
    yield from _find_repeats(columns, test_rate)


def compute_factor_cdf(factor: Factor, values: FloatArray) -> FloatArray:
    """Compute the distribution function of a factor that is uniform over its intervals, at values [...]."""
    covered = sum(np.clip(values, low, high) - low for low, high in _get_drawn_intervals(factor))
    return np.clip(covered * _compute_density(factor), 0, 1)


def compute_dkw_bound(num_draws: int, false_alarm_rate: float) -> float:
    """Compute the bound that sup |F_n - F| exceeds with at most this probability."""
    return math.sqrt(math.log(2 / false_alarm_rate) / (2 * num_draws))


def _compute_density(factor: Factor) -> float:
    return 1 / sum(high - low for low, high in _get_drawn_intervals(factor))


def _get_drawn_intervals(factor: Factor) -> tuple[tuple[float, float], ...]:
    """Return the intervals over which a factor is uniform before it is rounded."""
    if factor.distribution == "integer":
        return ((factor.low - 0.5, factor.high + 0.5),)
    return factor.get_intervals()


def _find_margin_faults(column: DrawnColumn, quantiles: FloatArray, false_alarm_rate: float) -> Iterator[str]:
    count = len(quantiles)
    ordered = np.sort(quantiles)
    steps = np.arange(count + 1) / count
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    bound = compute_dkw_bound(count, false_alarm_rate) + column.slack
    if distance > bound:
        yield (
            f"{column.factor.name}: its {count} values are not distributed as the recipe says: "
            f"sup |F_n - F| is {distance:.4g}, but random draws stay below {bound:.4g}"
        )


def _find_pair_faults(
    columns: tuple[DrawnColumn, DrawnColumn], cells: NDArray[np.int64], grid: int, false_alarm_rate: float
) -> Iterator[str]:
    count = len(cells)
    shares = np.bincount(cells, minlength=grid**2) / count
    least, most = _compute_cell_probabilities(columns, grid)
    evidence = np.maximum(
        _compute_divergence(np.maximum(shares, most), most),
        _compute_divergence(np.minimum(shares, least), least),
    )
    worst = int(np.argmax(evidence))
    if count * float(evidence[worst]) > math.log(1 / false_alarm_rate):
        names = " and ".join(column.factor.name for column in columns)
        yield (
            f"{names}: not drawn independently: a share of {shares[worst]:.4g} of the {count} views lies in "
            f"a cell of their quantiles that should have {1 / grid**2:.4g}"
        )


def _compute_cell_probabilities(columns: tuple[DrawnColumn, DrawnColumn], grid: int) -> tuple[float, float]:
    """Return the least and the greatest probability of a cell; rounding moves the cells' borders."""
    low, high = 1.0, 1.0
    for column in columns:
        low *= max(1 / grid - 2 * column.slack, 0)
        high *= min(1 / grid + 2 * column.slack, 1)
    return low, high


def _compute_divergence(shares: FloatArray, chance: float) -> FloatArray:
    """Compute the Kullback-Leibler divergence [...] of Bernoulli(share) from Bernoulli(chance)."""
    if not 0 < chance < 1:
        return np.zeros_like(shares)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(shares > 0, shares * np.log(shares / chance), 0)
        outside = np.where(shares < 1, (1 - shares) * np.log((1 - shares) / (1 - chance)), 0)
    return inside + outside


def _find_repeats(columns: Sequence[DrawnColumn], false_alarm_rate: float) -> Iterator[str]:
    """Yield a message if labels occur twice, as they do if a random stream is replayed."""
    count = len(columns[0].values)
    # Two given views agree in a factor with at most the probability of its most probable float32 number.
    agreement = math.prod(min(2 * column.slack, 1) for column in columns)
    if count * (count - 1) / 2 * agreement > false_alarm_rate:
        return
    # Each row as one opaque value, so that np.unique compares whole labels by their bytes.
    rows = np.ascontiguousarray(np.stack([column.values for column in columns], axis=-1))
    keys = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    repeated = count - len(np.unique(keys))
    if repeated:
        yield f"{repeated} of {count} views repeat another view's label: a random stream was replayed"
