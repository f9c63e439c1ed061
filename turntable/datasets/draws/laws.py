"""From random words to values by the laws of a recipe: factors over their ranges, and rotations on SO(3)."""

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.philox import (
    WORDS_PER_BLOCK,
    RandomWords,
    ViewIndices,
    draw_words,
    words_to_signs,
    words_to_units,
)
from turntable.datasets.labels import Factor, LabelArray, LabelSchema, RotationRule

_COUNTER_STEPS_PER_TRY = 1 << 64
"""Steps of the counter between two tries to draw the views' rotations. They are so far apart that no two
tries read the same words."""


def scale_to_factors(words: RandomWords, factors: tuple[Factor, ...]) -> NDArray[np.float64]:
    """Map the first words of each view, one for each factor, to the factors' ranges, [V, L]."""
    words = words[:, : len(factors)]
    two_sided = np.array([factor.distribution == "two-sided" for factor in factors], dtype=np.bool_)
    whole = np.array([factor.distribution == "integer" for factor in factors], dtype=np.bool_)
    low = np.array([factor.get_intervals()[-1][0] for factor in factors])
    high = np.array([factor.high for factor in factors])
    values = low + words_to_units(words) * (high - low + whole)
    values = np.where(whole, np.floor(values), values)
    return np.where(two_sided, values * words_to_signs(words), values)


def draw_angles(rule: RotationRule, schema: LabelSchema, key: int, views: ViewIndices) -> LabelArray:
    """Draw Euler angles [V, 3] by rejection.

    Each view tries until it succeeds, with other words each time.
    """
    angles = np.zeros((len(views), 3), dtype=np.float32)
    waiting, tries = np.arange(len(views)), 0
    while waiting.size:
        words = draw_words(key, views[waiting], WORDS_PER_BLOCK, tries * _COUNTER_STEPS_PER_TRY)
        quaternions = geometry.units_to_quaternion(words_to_units(words[:, :3]))
        tried = schema.round_values(geometry.matrix_to_euler(geometry.quaternion_to_matrix(quaternions)))
        # The rule is applied to the rounded labels: rounding could move a rotation across its border.
        accepted = rule.accepts(geometry.euler_to_matrix(tried))
        angles[waiting[accepted]] = tried[accepted]
        waiting, tries = waiting[~accepted], tries + 1
    return angles
