"""The label of a view as a pure function of (what decides labels, object, view number).

No stream is shared: each object has its own Philox key and each view its own stretch of the counter, so any
order, any number of workers and any resumed run draw the same bits. Only a recipe with draws = "numpy-legacy"
reads the one stream of a published generator, at the place where the object stood in it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.counters import (
    WORDS_PER_BLOCK,
    ViewNumbers,
    Words,
    counter_key,
    signs_of,
    units_of,
    words_of,
)
from turntable.datasets.draws.legacy_stream import legacy_stream
from turntable.datasets.draws.sequences import sequence_labels
from turntable.datasets.labels import LEGACY_ORDER, Factor, LabelArray, LabelSchema, RotationRule
from turntable.datasets.recipes import Recipe
from turntable.errors import InvalidInputError

_ROUND = 1 << 64
"""Steps of the counter between one try at the views' rotations and the next: no two tries ever meet."""


LAST_BITS = 2e-6
"""Some units in the last place of an angle in float32; a wrong draw is a million times as far off."""


def draw_factors(
    recipe: Recipe,
    object_id: str,
    view: int | Sequence[int] | NDArray[np.integer],
    stream: tuple[int, int] | None = None,
) -> LabelArray:
    """Draw the labels of one object's views.

    Args:
        recipe: only its label digest takes part, which stands for seed, factors and the rules of drawing.
        object_id: as in the data set's objects; not its key.
        view: one view number, or several in any order (a range is fastest).
        stream: the object's place (seed, index), for draws = "numpy-legacy" alone; as in its record.

    Returns:
        float32 [V, L] in schema order, one row a view asked for ([1, L] for an int); every value lies
        within its factor's [low, high] after rounding.

    Raises:
        InvalidInputError: a view number is negative or, in a stream, not below the recipe's views; the place
            is missing; or the labels were imported and cannot be drawn.
    """
    views = np.atleast_1d(np.asarray(view, dtype=np.int64))
    if views.ndim != 1 or (views.size and views.min() < 0):
        raise InvalidInputError(f"view numbers must be a flat list of numbers >= 0, not {view!r}")
    if recipe.draws == "imported":
        raise InvalidInputError(
            f"{object_id}: the labels of {recipe.name} came with its pictures; none can be drawn again"
        )
    if recipe.draws == "numpy-legacy":
        return _published(recipe, object_id, views, stream)
    if recipe.sequence is None:
        return _alone(recipe, object_id, views)
    return sequence_labels(recipe, object_id, views, lambda some: _alone(recipe, object_id, some))


def same_draws(recipe: Recipe, drawn: LabelArray, stored: LabelArray) -> bool:
    """Whether labels [V, L] that were drawn here are those that were drawn elsewhere.

    To the bit, but for recipes that compute sines: there the last bits may depend on the kind of processor.
    """
    if recipe.rotation is None and recipe.sequence is None:
        return drawn.tobytes() == stored.tobytes()
    return drawn.shape == stored.shape and bool(np.allclose(drawn, stored, rtol=0, atol=LAST_BITS))


def _alone(recipe: Recipe, object_id: str, views: ViewNumbers) -> LabelArray:
    """Every view by itself: rotations on SO(3) where the recipe has a rule for them, then its factors."""
    words = words_of(counter_key(recipe.label_digest, object_id), views)
    labels = LabelSchema(recipe.drawn).round(_scale(words, recipe.drawn))
    if recipe.rotation is None:
        return labels
    key = counter_key(recipe.label_digest, object_id, "rotation")
    angles = _angles(recipe.rotation, LabelSchema(recipe.factors[:3]), key, views)
    return np.concatenate([angles, labels], axis=-1)


def _scale(words: Words, factors: tuple[Factor, ...]) -> NDArray[np.float64]:
    """Map the first words of each view, one a factor, onto the factors' ranges."""
    words = words[:, : len(factors)]
    two_sided = np.array([factor.distribution == "two-sided" for factor in factors], dtype=np.bool_)
    low = np.array([factor.intervals()[-1][0] for factor in factors])
    high = np.array([factor.high for factor in factors])
    values = low + units_of(words) * (high - low)
    return np.where(two_sided, values * signs_of(words), values)


def _angles(rule: RotationRule, schema: LabelSchema, key: int, views: ViewNumbers) -> LabelArray:
    """Euler angles [V, 3] by rejection: each view tries until it succeeds, never twice at one place."""
    angles = np.zeros((len(views), 3), dtype=np.float32)
    waiting, tries = np.arange(len(views)), 0
    while waiting.size:
        words = words_of(key, views[waiting], WORDS_PER_BLOCK, tries * _ROUND)
        quaternions = geometry.uniform_quaternion(units_of(words[:, :3]))
        tried = schema.round(geometry.matrix_to_euler(geometry.quaternion_to_matrix(quaternions)))
        # The rule judges labels, so that rounding carries no rotation over its border.
        accepted = rule.accepts(geometry.euler_to_matrix(tried))
        angles[waiting[accepted]] = tried[accepted]
        waiting, tries = waiting[~accepted], tries + 1
    return angles


def _published(
    recipe: Recipe, object_id: str, views: ViewNumbers, stream: tuple[int, int] | None
) -> LabelArray:
    """An object's stretch of the stream of its seed, in the order the published generators drew it."""
    if stream is None:
        raise InvalidInputError(
            f'{object_id}: draws = "numpy-legacy" needs its place in the published lists, and it has none; '
            "give the lists the data set was made from"
        )
    if views.size and views.max() >= recipe.views:
        raise InvalidInputError(
            f"{object_id}: view {views.max()} of {recipe.views} has no place in the stream"
        )
    seed, index = stream
    ranged = {factor.name: factor for factor in recipe.drawn if factor.distribution == "uniform"}
    order = [name for name in LEGACY_ORDER if name in ranged]
    columns = {factor.name: np.full(len(views), factor.low) for factor in recipe.drawn}
    if order:
        low, high = [ranged[name].low for name in order], [ranged[name].high for name in order]
        start = index * recipe.views * len(order)
        drawn = legacy_stream(seed).uniform(start, low, high, recipe.views)[views]
        columns |= dict(zip(order, drawn.T, strict=True))
    return recipe.schema.round(np.stack(list(columns.values()), axis=-1))
