"""Starts of worlds: places and velocities of particles, and the twists of parts."""

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws import WorldNumbers, draw_words, units_to_normals, words_to_units
from turntable.datasets.labels import DynamicsRule

Array = NDArray[np.float64]

START_SPEED = 0.5
"""Speed of every particle at the start, in a direction uniform on the sphere."""
WORDS_PER_BODY = 8
"""Number of random words of each particle or part: places use the first 4, velocities or twists others."""
_SPREAD = {"springs": 0.5}
"""Standard deviation of the coordinates at the start, if it is neither 1 nor that of charges."""
_GRID = 2.0**-24
"""Spacing of the grid to which starts are rounded. Logarithms and sines differ in their last bit between
processors. On the grid a start is the same everywhere, and so is the motion, which takes no more than sums,
products, quotients and square roots."""


def draw_places(rule: DynamicsRule, key: int, worlds: WorldNumbers) -> Array:
    """Draw the places [W, N, 3] of particles at the start, with normal coordinates about the origin.

    The standard deviation is (N / 5)^⅓ for charges, 0.5 for springs, and 1 for other laws.
    """
    units = _draw_units(key, worlds, rule.bodies)[..., :4]
    spread = np.cbrt(rule.bodies / 5) if rule.law == "charged" else _SPREAD.get(rule.law, 1.0)
    return _round_to_grid(spread * units_to_normals(units)[..., :3])


def draw_velocities(rule: DynamicsRule, key: int, worlds: WorldNumbers) -> Array:
    """Draw the velocities [W, N, 3] of particles at the start, in units of length over time."""
    units = _draw_units(key, worlds, rule.bodies)[..., 4:6]
    return _round_to_grid(START_SPEED * geometry.units_to_direction(units))


def draw_twists(rule: DynamicsRule, key: int, worlds: WorldNumbers, num_parts: int) -> Array:
    """Draw the twists [W, K, 6] of parts from a frame to the next, in the part's own frame.

    The axis of the turn and the direction of the shift are uniform on the sphere, its angle and its length
    over ``speed_rad`` and ``travel``.

    Args:
        rule: Rule with the ranges.
        key: Philox key of the stream.
        worlds: Numbers [W] of the worlds.
        num_parts: Number K of the parts.
    """
    # From the stream of the places, another stretch of its counter.
    units = _draw_units(key, worlds, num_parts, counter_offset=1 << 64)
    angle, length = (
        span[0] + (span[1] - span[0]) * units[..., column, None]
        for column, span in ((4, rule.speed_rad), (5, rule.travel))
    )
    turn, shift = geometry.units_to_direction(units[..., :2]), geometry.units_to_direction(units[..., 2:4])
    return np.concatenate([angle * turn, length * shift], axis=-1)


def _draw_units(key: int, worlds: WorldNumbers, count: int, counter_offset: int = 0) -> Array:
    """Draw uniform numbers in [0, 1), [W, count, WORDS_PER_BODY]."""
    words = draw_words(key, worlds, WORDS_PER_BODY * count, counter_offset)
    return words_to_units(words).reshape(len(worlds), count, WORDS_PER_BODY)


def _round_to_grid(values: Array) -> Array:
    return np.rint(values / _GRID) * _GRID
