"""The random streams of worlds of moving parts, and the branch that each world takes.

A world is numbered under keys. In a data set, the keys are those of an object and the number is that of a
sequence, so that a world depends on nothing else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.philox import WORDS_PER_BLOCK, draw_words, make_philox_key, words_to_units
from turntable.datasets.recipes import Recipe

WorldNumbers = NDArray[np.int64]
"""Numbers [W] of worlds."""


@dataclass(frozen=True, slots=True)
class WorldKeys:
    """The Philox keys of the independent streams that determine worlds."""

    system: int
    """Key of what stays in a world: charges and springs."""
    motion: int
    """Key of places, velocities and twists at the start."""
    branch: int
    """Key of the choice among futures."""

    @classmethod
    def from_names(cls, *names: str) -> "WorldKeys":
        """Return the keys that names, such as a seed in digits, give."""
        return cls(*(make_philox_key(*names, purpose) for purpose in ("system", "dynamics", "branch")))

    @classmethod
    def from_recipe(cls, recipe: Recipe, object_id: str) -> "WorldKeys":
        """Return the keys of an object's sequences.

        The system belongs to the object, whose mesh shows it: it depends on the object's id alone.
        """
        motion, branch = (
            make_philox_key(recipe.label_digest, object_id, purpose) for purpose in ("dynamics", "branch")
        )
        return cls(make_system_key(object_id), motion, branch)


def make_system_key(object_id: str) -> int:
    """Return the key of the system that an object is, under which it has the number 0."""
    return make_philox_key("system", object_id)


def draw_branches(key: int, worlds: WorldNumbers, num_branches: int) -> NDArray[np.int64]:
    """Draw the branch [W] of each world, from 0 to ``num_branches`` - 1 at equal odds."""
    units = words_to_units(draw_words(key, worlds, WORDS_PER_BLOCK)[:, 0])
    return (units * num_branches).astype(np.int64)
