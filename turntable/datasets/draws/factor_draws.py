"""The draw of a view's labels, as a pure function of the recipe's label digest, the object and the view.

No random stream is shared. Each object has its own Philox key, and each view its own range of the counter,
so any order, any number of workers and any resumed run draw the same bits. Recipes with draws =
"numpy-legacy" are the exception: they read the one stream of a published generator, from the object's
position in it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.legacy_stream import get_legacy_stream
from turntable.datasets.draws.philox import (
    WORDS_PER_BLOCK,
    RandomWords,
    ViewIndices,
    draw_words,
    make_philox_key,
    words_to_signs,
    words_to_units,
)
from turntable.datasets.draws.sequences import draw_sequence_labels
from turntable.datasets.labels import LEGACY_ORDER, Factor, LabelArray, LabelSchema, RotationRule
from turntable.datasets.objects import get_base_id, is_twin
from turntable.datasets.recipes import Recipe
from turntable.errors import InvalidInputError

_COUNTER_STEPS_PER_TRY = 1 << 64
"""Steps of the counter between two tries to draw the views' rotations. They are so far apart that no two
tries read the same words."""


LABEL_TOLERANCE = 2e-6
"""Maximum difference between labels of the same draw: a few units in the last place of an angle in float32. A
wrong draw differs a million times as much."""


def draw_factors(
    recipe: Recipe,
    object_id: str,
    view: int | Sequence[int] | NDArray[np.integer],
    stream: tuple[int, int] | None = None,
) -> LabelArray:
    """Draw the labels of one object's views.

    Args:
        recipe: Recipe. Its label digest alone takes part: the seed, the factors and the rules of drawing.
        object_id: Id of the object in its source; not its key in shards. With the id of a mirrored twin, the
            labels are those of its object, but for the handedness.
        view: Number of one view, or of several in any order. A range is fastest.
        stream: Position (seed, index) of the object in a published stream, for draws = "numpy-legacy" only;
            as in the object's record.

    Returns:
        float32 [V, L] in the order of the schema, one row for each view ([1, L] for an int). Every value lies
        within its factor's [low, high] after rounding.

    Raises:
        InvalidInputError: A view number is negative or, in a stream, not below the recipe's number of views;
            the stream's position is missing; or the labels were imported and cannot be drawn.
    """
    views = np.atleast_1d(np.asarray(view, dtype=np.int64))
    if views.ndim != 1 or (views.size and views.min() < 0):
        raise InvalidInputError(f"give view numbers as an integer >= 0 or a flat list of them, not {view!r}")
    if recipe.draws == "imported":
        raise InvalidInputError(
            f"{object_id}: the labels of {recipe.name} were imported with its pictures and cannot be drawn"
        )
    labels = _draw_object_labels(recipe, get_drawn_id(recipe, object_id), views, stream)
    if not recipe.mirrored:
        return labels
    handedness = np.full((len(views), 1), -1 if is_twin(object_id) else 1, dtype=np.float32)
    return np.concatenate([labels, handedness], axis=-1)


def get_drawn_id(recipe: Recipe, object_id: str) -> str:
    """Return the id by which everything about an object is drawn: of a mirrored twin, that of its object."""
    return get_base_id(object_id) if recipe.mirrored else object_id


def _draw_object_labels(
    recipe: Recipe, object_id: str, views: ViewIndices, stream: tuple[int, int] | None
) -> LabelArray:
    """Draw the labels of the recipe's ``object_schema``."""
    if recipe.draws == "numpy-legacy":
        return _draw_from_legacy_stream(recipe, object_id, views, stream)
    if recipe.sequence is None:
        return _draw_independent_views(recipe, object_id, views)
    return draw_sequence_labels(
        recipe, object_id, views, lambda some: _draw_independent_views(recipe, object_id, some)
    )


def is_same_draw(recipe: Recipe, drawn: LabelArray, stored: LabelArray) -> bool:
    """Return True if labels [V, L] drawn here equal stored labels.

    They must be equal to the bit, except for recipes whose draws compute sines: their last bits may depend on
    the processor.
    """
    if recipe.rotation is None and recipe.sequence is None:
        return drawn.tobytes() == stored.tobytes()
    return drawn.shape == stored.shape and bool(np.allclose(drawn, stored, rtol=0, atol=LABEL_TOLERANCE))


def _draw_independent_views(recipe: Recipe, object_id: str, views: ViewIndices) -> LabelArray:
    """Draw each view by itself: a rotation on SO(3) if the recipe has a rule for it, then the factors."""
    words = draw_words(make_philox_key(recipe.label_digest, object_id), views)
    labels = LabelSchema(recipe.drawn_factors).round_values(_scale_to_factors(words, recipe.drawn_factors))
    if recipe.rotation is None:
        return labels
    key = make_philox_key(recipe.label_digest, object_id, "rotation")
    angles = _draw_angles(recipe.rotation, LabelSchema(recipe.factors[:3]), key, views)
    return np.concatenate([angles, labels], axis=-1)


def _scale_to_factors(words: RandomWords, factors: tuple[Factor, ...]) -> NDArray[np.float64]:
    """Map the first words of each view, one for each factor, to the factors' ranges."""
    words = words[:, : len(factors)]
    two_sided = np.array([factor.distribution == "two-sided" for factor in factors], dtype=np.bool_)
    low = np.array([factor.get_intervals()[-1][0] for factor in factors])
    high = np.array([factor.high for factor in factors])
    values = low + words_to_units(words) * (high - low)
    return np.where(two_sided, values * words_to_signs(words), values)


def _draw_angles(rule: RotationRule, schema: LabelSchema, key: int, views: ViewIndices) -> LabelArray:
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


def _draw_from_legacy_stream(
    recipe: Recipe, object_id: str, views: ViewIndices, stream: tuple[int, int] | None
) -> LabelArray:
    """Return an object's range of its seed's stream, in the order of the published generators."""
    if stream is None:
        raise InvalidInputError(
            f'{object_id}: draws = "numpy-legacy" needs the object\'s position in the published lists, which '
            "is not known; give the lists the data set was made from"
        )
    if views.size and views.max() >= recipe.views:
        raise InvalidInputError(
            f"{object_id}: there is no view {views.max()} in the stream; it has {recipe.views} views of each "
            "object, counted from 0"
        )
    seed, index = stream
    ranged = {factor.name: factor for factor in recipe.drawn_factors if factor.distribution == "uniform"}
    order = [name for name in LEGACY_ORDER if name in ranged]
    columns = {factor.name: np.full(len(views), factor.low) for factor in recipe.drawn_factors}
    if order:
        low, high = [ranged[name].low for name in order], [ranged[name].high for name in order]
        start = index * recipe.views * len(order)
        drawn = get_legacy_stream(seed).draw_uniform(start, low, high, recipe.views)[views]
        columns |= dict(zip(order, drawn.T, strict=True))
    return recipe.object_schema.round_values(np.stack(list(columns.values()), axis=-1))
