"""Tests of draws fail on faults and do not fail on sound draws."""

import numpy as np
import pytest

from turntable.datasets.draws import DrawnColumn, find_distribution_faults
from turntable.datasets.draws.distribution_checks import compute_dkw_bound
from turntable.datasets.labels import STANDARD_FACTORS_BY_NAME, Factor

VIEWS = 4000
FACTORS = [STANDARD_FACTORS_BY_NAME[name].factor for name in ("rotation_x_rad", "floor_hue", "light_phi_rad")]
TWO_SIDED = FACTORS[0].with_two_sided_range(np.pi / 2, np.pi)


def draws(*factors: Factor, seed: int = 0, views: int = VIEWS) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    made = []
    for factor in factors:
        values = rng.uniform(
            factor.inner if factor.distribution == "two-sided" else factor.low, factor.high, views
        )
        sign = rng.choice([-1, 1], views) if factor.distribution == "two-sided" else 1
        made.append(factor.to_label(values * sign))
    return made


def problems(factors: list[Factor], labels: list[np.ndarray], false_alarms: float = 1e-9) -> list[str]:
    return list(
        find_distribution_faults(
            [DrawnColumn(f, v) for f, v in zip(factors, labels, strict=True)], false_alarms
        )
    )


@pytest.mark.parametrize("views", [1, 2, 50, VIEWS])
def test_sound_draws_pass_however_many(views: int) -> None:
    for seed in range(20):
        factors = [*FACTORS, TWO_SIDED]
        assert problems(factors, draws(*factors, seed=seed, views=views)) == []


def test_false_alarms_stay_below_their_rate() -> None:
    alarms = sum(bool(problems(FACTORS, draws(*FACTORS, seed=seed, views=200), 0.5)) for seed in range(200))
    assert alarms <= 100


def test_a_factor_drawn_from_another_range_is_named() -> None:
    labels = draws(*FACTORS)
    labels[1] *= np.float32(0.9)
    (problem,) = problems(FACTORS, labels)
    assert problem.startswith(
        "floor_hue: its 4000 values are not distributed as the recipe says: sup |F_n - F| is 0.1"
    )


def test_a_sided_factor_drawn_on_one_side_is_named() -> None:
    (problem,) = problems([TWO_SIDED], [np.abs(draws(TWO_SIDED)[0])])
    assert "rotation_x_rad" in problem


def test_the_bound_is_massarts() -> None:
    assert compute_dkw_bound(1000, 1e-3) == pytest.approx(0.0616, abs=1e-4)  # sqrt(ln(2000) / 2000)


@pytest.mark.parametrize("strength", ["sign", "same"])
def test_factors_that_depend_on_each_other_are_named(strength: str) -> None:
    labels = draws(*FACTORS)
    if strength == "same":
        labels[0] = FACTORS[0].to_label((labels[2] / (2 * np.pi) - 0.5) * np.pi)
    else:  # the margins stay as they are
        labels[0] = np.copysign(labels[0], labels[2] - np.float32(np.pi))
    found = problems(FACTORS, labels)
    assert found
    assert all(item.startswith("rotation_x_rad and light_phi_rad: not drawn independently") for item in found)


def test_a_stream_that_is_played_again_is_noticed() -> None:
    labels = [np.concatenate([values[:-10], values[:10]]) for values in draws(*FACTORS)]
    (problem,) = problems(FACTORS, labels)
    assert problem == "10 of 4000 views repeat another view's label: a random stream was replayed"


def test_repeats_that_chance_allows_are_none() -> None:
    coarse = FACTORS[1].with_range(0.5, float(np.nextafter(np.float32(0.5), np.float32(1))))
    assert not any("repeat" in problem for problem in problems([coarse], draws(coarse)))
