"""Systems of particles: the charge of each, and the interaction of each pair."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import WORDS_PER_BLOCK, WorldNumbers, draw_words, words_to_units
from turntable.datasets.labels import DynamicsRule


@dataclass(frozen=True, slots=True, eq=False)
class Systems:
    """The charges and interactions in W worlds of N particles, which do not change."""

    charges: NDArray[np.float64]
    """[W, N] charges, -1 or 1; zeros if the law is not "charged"."""
    interaction: NDArray[np.int8]
    """[W, N, N], symmetric with zeros on the diagonal: the product of two charges; 1 for a pair that a spring
    joins; 0 where all pairs are equal."""


def draw_systems(rule: DynamicsRule, key: int, worlds: WorldNumbers) -> Systems:
    """Draw systems: each charge is -1 or 1, and a spring joins each pair, at even odds.

    Args:
        rule: Rule with the law and the number of particles.
        key: Philox key of the stream.
        worlds: Numbers [W] of the worlds.
    """
    n = rule.bodies
    charges = np.zeros((len(worlds), n))
    interaction = np.zeros((len(worlds), n, n), dtype=np.int8)
    if rule.law == "charged":
        charges = np.where(_draw_coins(key, worlds, n), 1.0, -1.0)
        interaction[:] = charges[:, :, None] * charges[:, None, :] * (1 - np.eye(n))
    elif rule.law == "springs":
        i, j = np.triu_indices(n, 1)
        interaction[:, i, j] = interaction[:, j, i] = _draw_coins(key, worlds, len(i))
    return Systems(charges, interaction)


def _draw_coins(key: int, worlds: WorldNumbers, count: int) -> NDArray[np.bool_]:
    """Draw true or false [W, count] at even odds."""
    words = draw_words(key, worlds, -(-count // WORDS_PER_BLOCK) * WORDS_PER_BLOCK)
    return words_to_units(words[:, :count]) < 0.5
