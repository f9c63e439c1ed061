"""The pose bank: one list of rotations from which all objects of a recipe draw those of their views.

The views of an object go through the list in an order of its own, and through it again in another order when
it is used up. So no two of the first N views of an object share a rotation, and any two objects share as many
as chance allows: all of them if they have N views.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.laws import draw_angles, scale_to_factors
from turntable.datasets.draws.philox import (
    WORDS_PER_BLOCK,
    ViewIndices,
    draw_words,
    make_philox_key,
)
from turntable.datasets.labels import Factor, LabelArray, LabelSchema, RotationRule
from turntable.datasets.recipes import Recipe

_STREAM = "pose_bank"


def draw_pose_indices(recipe: Recipe, object_id: str, views: ViewIndices) -> NDArray[np.int64]:
    """Draw the numbers [V] of the views' rotations in the bank of a recipe."""
    rounds, places = np.divmod(views, recipe.pose_bank)
    indices = np.empty(len(views), np.int64)
    for number in np.unique(rounds).tolist():
        here = rounds == number
        indices[here] = _draw_order(recipe, object_id, number)[places[here]]
    return indices


def read_pose_bank(recipe: Recipe, indices: NDArray[np.int64]) -> LabelArray:
    """Return the Euler angles [V, 3] of rotations of the bank by their numbers [V]."""
    angle_laws = recipe.drawn_factors[:3] if recipe.rotation is None else recipe.factors[:3]
    return _draw_bank(recipe.label_digest, recipe.rotation, angle_laws, recipe.pose_bank)[indices]


def _draw_order(recipe: Recipe, object_id: str, round_number: int) -> NDArray[np.int64]:
    """Draw the order [N] in which an object goes through the bank for a time."""
    key = make_philox_key(recipe.label_digest, object_id, _STREAM, str(round_number))
    num_blocks = -(-recipe.pose_bank // WORDS_PER_BLOCK)
    words = draw_words(key, np.arange(num_blocks), WORDS_PER_BLOCK).ravel()[: recipe.pose_bank]
    return np.argsort(words, kind="stable")


@lru_cache(maxsize=8)
def _draw_bank(
    label_digest: str, rule: RotationRule | None, angle_laws: tuple[Factor, ...], size: int
) -> LabelArray:
    """Draw the angles [N, 3] of the bank."""
    # No object has an empty id, so the stream is not that of any object.
    key, numbers, schema = (
        make_philox_key(label_digest, "", _STREAM),
        np.arange(size),
        LabelSchema(angle_laws),
    )
    if rule is not None:
        return draw_angles(rule, schema, key, numbers)
    return schema.round_values(scale_to_factors(draw_words(key, numbers, WORDS_PER_BLOCK), angle_laws))
